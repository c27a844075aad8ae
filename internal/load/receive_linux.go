//go:build linux && (amd64 || arm64)

package load

import (
	"bytes"
	"syscall"

	"restbench/internal/bench"
)

// receive reads what is there. A read that does not fill the buffer has emptied
// the socket, and what comes later is a new event: no read is made only to learn
// that there is nothing, unless the server has announced its end.
func (l *loop) receive(c *conn) {
	for range maxReads {
		n, errno := receiveFrom(c.fd, l.buf)
		l.now = l.clock()
		switch {
		case l.now > l.end || errno == syscall.EAGAIN:
			return
		case errno == syscall.EINTR:
			continue
		case errno != 0 || n == 0:
			l.ended(c, errno)
			return
		}
		l.count.bytes += int64(n)
		if !l.take(c, l.buf[:n]) || (n < len(l.buf) && !c.hangup) {
			return
		}
	}
	l.again = append(l.again, c)
}

// take gives a piece to the parser and, where it ends the answer, goes on to the
// next request. The result is false when the connection was replaced.
func (l *loop) take(c *conn, piece []byte) (open bool) {
	fresh := !c.parser.started()
	if fresh && c.state == stateWaiting && bytes.Equal(piece, l.repeated) {
		return l.answered(c, right, l.repeatedAlive)
	}
	used, err := c.parser.feed(piece)
	switch {
	case c.state == stateIdle || (err == nil && used < len(piece)):
		l.fail(c, bench.ErrorProtocol, "bytes after the answer: "+quote(piece[used:]))
		return false
	case err != nil:
		l.fail(c, bench.ErrorProtocol, err.Error())
		return false
	case c.parser.phase != phaseDone:
		return true
	}
	kind, alive := judge(&c.parser, l.want), c.parser.keepAlive
	if fresh && kind == right {
		l.repeated, l.repeatedAlive = append(l.repeated[:0], piece...), alive
	}
	return l.judged(c, kind, alive)
}

// judged notes what is wrong while the parser still has it.
func (l *loop) judged(c *conn, kind bench.ErrorKind, alive bool) (open bool) {
	if kind != right {
		text := ""
		if l.count.firstWrong == "" {
			text = explain(&c.parser, l.want, kind)
		}
		l.wrong(kind, text)
	}
	c.parser.reset()
	return l.answered(c, kind, alive)
}

// answered ends a request with a whole answer and starts the next one.
func (l *loop) answered(c *conn, kind bench.ErrorKind, alive bool) (open bool) {
	c.failures = 0
	took := l.now - c.since
	switch {
	case kind != right:
	case took > l.timeout:
		l.wrong(bench.ErrorTimeout, "answered after "+took.String())
	default:
		l.count.requests++
		l.count.latency.record(took)
	}
	switch {
	case !alive || c.state == stateSending:
		l.reopen(c)
		return false
	case c.hangup:
		c.state = stateIdle
		return true
	}
	return l.send(c)
}

// ended handles the end of a connection, orderly (errno 0) or not. Between two
// requests it is the server's right; for a body that has no other end it is the
// end.
func (l *loop) ended(c *conn, errno syscall.Errno) {
	if c.state == stateIdle {
		l.reopen(c)
		return
	}
	text := "read the answer: " + errno.Error()
	if errno == 0 {
		err := c.parser.end()
		if err == nil {
			l.judged(c, judge(&c.parser, l.want), false)
			return
		}
		text = err.Error()
		if !c.parser.started() {
			text = "the connection ended without an answer"
		}
	}
	l.fail(c, bench.ErrorRead, text)
}

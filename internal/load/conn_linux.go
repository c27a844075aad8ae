//go:build linux && (amd64 || arm64)

package load

import (
	"syscall"
	"time"

	"restbench/internal/bench"
)

// state is what a connection waits for.
type state uint8

const (
	stateClosed     state = iota // for the end of its back-off
	stateConnecting              // for the connection
	stateSending                 // for room to send the rest of the request
	stateWaiting                 // for the answer
	stateIdle                    // for the end that the server has already announced
)

// conn is one connection of the closed loop, and after it is lost the next one in
// its place.
type conn struct {
	index    int
	fd       int
	state    state
	hangup   bool          // the server will send no more than what is there
	used     bool          // a connection was there before
	watchOut bool          // registered for room to send
	failures int           // since the last whole answer
	since    time.Duration // when the request was sent or the connecting began; when a back-off ends
	unsent   []byte        // rest of the request
	parser   parser
}

// close ends a connection that has served its time, abandon one whose request is
// given up. Both leave epoll too.
func (c *conn) close()   { c.end(closeSocket) }
func (c *conn) abandon() { c.end(resetSocket) }

func (c *conn) end(with func(fd int)) {
	if c.fd >= 0 {
		with(c.fd)
	}
	c.fd, c.state = -1, stateClosed
}

// open dials a new connection and begins on it.
func (l *loop) open(c *conn) {
	fd, errno := l.endpoint.dial()
	l.now = l.clock()
	if errno != 0 {
		l.fail(c, bench.ErrorConnect, "connect: "+errno.Error())
		return
	}
	c.fd = fd
	l.begin(c)
}

// begin tries to send at once, which saves a wait: on loopback the connection is
// normally there already.
func (l *loop) begin(c *conn) {
	c.hangup, c.watchOut = false, false
	c.state, c.unsent, c.since = stateConnecting, l.request, l.now
	c.parser.reset()
	n, errno := sendTo(c.fd, c.unsent)
	switch errno {
	case 0:
		l.established(c)
		l.sent(c, n)
	case syscall.EAGAIN, syscall.ENOTCONN, syscall.EINTR:
	case syscall.EPIPE, syscall.ECONNRESET:
		l.fail(c, bench.ErrorWrite, "send the request: "+errno.Error())
		return
	default:
		l.fail(c, bench.ErrorConnect, "connect: "+errno.Error())
		return
	}
	l.register(c)
}

// register makes the connection known to epoll; room to send is asked for only
// where it is needed, since it would be reported at once.
func (l *loop) register(c *conn) {
	events := uint32(eventIn)
	if c.state != stateWaiting {
		events |= eventOut
		c.watchOut = true
	}
	if errno := l.poll.watch(syscall.EPOLL_CTL_ADD, c.fd, c.index, events); errno != 0 {
		l.fail(c, bench.ErrorConnect, "connect: "+errno.Error())
	}
}

func (l *loop) established(c *conn) {
	if c.used {
		l.count.reconnects++
	}
	c.used = true
}

// connected ends stateConnecting, one way or the other, and sends the request.
func (l *loop) connected(c *conn) (open bool) {
	l.now = l.clock()
	l.away(c)
	if c.hangup {
		if errno := pendingError(c.fd); errno != 0 {
			l.fail(c, bench.ErrorConnect, "connect: "+errno.Error())
			return false
		}
	}
	l.established(c)
	return l.send(c)
}

// send starts the next request; its time runs from here.
func (l *loop) send(c *conn) (open bool) {
	c.state, c.unsent, c.since = stateSending, l.request, l.now
	return l.flush(c)
}

func (l *loop) flush(c *conn) (open bool) {
	for c.state == stateSending {
		n, errno := sendTo(c.fd, c.unsent)
		switch errno {
		case 0:
			l.sent(c, n)
		case syscall.EINTR:
		case syscall.EAGAIN:
			return l.awaitRoom(c)
		default:
			l.fail(c, bench.ErrorWrite, "send the request: "+errno.Error())
			return false
		}
	}
	return true
}

func (l *loop) sent(c *conn, n int) {
	c.unsent, c.state = c.unsent[n:], stateSending
	if len(c.unsent) == 0 {
		c.state = stateWaiting
	}
}

func (l *loop) awaitRoom(c *conn) (open bool) {
	if c.watchOut {
		return true
	}
	c.watchOut = true
	if errno := l.poll.watch(syscall.EPOLL_CTL_MOD, c.fd, c.index, eventIn|eventOut); errno != 0 {
		l.fail(c, bench.ErrorWrite, "send the request: "+errno.Error())
		return false
	}
	return true
}

// reopen replaces a connection that has served its time.
func (l *loop) reopen(c *conn) {
	c.close()
	l.open(c)
}

// fail counts an error that cost the connection and replaces it: at once the first
// time, later with growing pauses until an answer comes.
func (l *loop) fail(c *conn, kind bench.ErrorKind, text string) {
	l.wrong(kind, text)
	c.abandon()
	if c.failures++; c.failures == 1 {
		l.open(c)
		return
	}
	pause := min(minBackOff<<min(c.failures-2, 10), maxBackOff)
	c.since = l.now + pause
	l.count.away += max(min(c.since, l.end)-l.now, 0)
	l.due = min(l.due, c.since)
}

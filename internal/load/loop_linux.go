//go:build linux && (amd64 || arm64)

package load

import (
	"fmt"
	"syscall"
	"time"

	"restbench/internal/bench"
)

const (
	maxReads   = 32               // reads from one connection before the others get their turn
	minBackOff = time.Millisecond // before the third attempt in a row to get an answer
	maxBackOff = 100 * time.Millisecond
)

// loop drives its connections on one thread until the common end of the window.
// Times are counted from the window's start.
type loop struct {
	request  []byte
	want     bench.Expect
	timeout  time.Duration
	end      time.Duration
	ramp     time.Duration
	endpoint endpoint

	start time.Time
	now   time.Duration // the newest reading of the clock
	due   time.Duration // when timeouts and back-offs are next looked at
	poll  poll
	conns []conn
	again []*conn // connections that may have more to read
	buf   []byte
	count count

	// repeated is the last right answer that came in one piece. A piece equal to
	// it is the same answer with the same meaning; servers change theirs once a
	// second, with its date.
	repeated      []byte
	repeatedAlive bool
}

func newLoop(plan bench.Plan, connections int) (*loop, error) {
	at, err := loopback(plan.Address)
	if err != nil {
		return nil, err
	}
	request, err := requestBytes(plan.Address, plan.Workload.Request)
	if err != nil {
		return nil, err
	}
	poll, err := newPoll(connections)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	l := &loop{
		request: request, want: plan.Workload.Expect, timeout: timeoutOf(plan), end: plan.Duration, ramp: plan.RampUp,
		endpoint: newEndpoint(at), poll: poll, conns: make([]conn, connections), buf: make([]byte, readSize),
		count: count{errors: map[bench.ErrorKind]int64{}, latency: newLatency()},
	}
	expected := []byte(l.want.Body) // one for all: it may be large, and there may be many
	for i := range l.conns {
		l.conns[i] = conn{index: i, fd: -1, parser: parser{expected: expected, sample: quoted + 1}}
	}
	return l, nil
}

func (l *loop) clock() time.Duration { return time.Since(l.start) }

// rampUp opens the connections one after another before the window. All at once
// they overflow a short listen queue, and what the kernel drops there comes again
// after a second: the whole of a short window. What fails is opened in the window.
func (l *loop) rampUp() {
	if l.ramp == 0 {
		return
	}
	for i := range l.conns {
		if fd, errno := l.endpoint.dial(); errno == 0 {
			l.conns[i].fd = fd
		}
		time.Sleep(l.ramp / time.Duration(len(l.conns)))
	}
}

// run is the whole window.
func (l *loop) run(start time.Time) {
	l.start = start
	for i := range l.conns {
		c := &l.conns[i]
		l.now = l.clock()
		if c.fd < 0 {
			l.open(c)
		} else {
			l.begin(c)
		}
	}
	for l.now < l.end {
		l.turn()
	}
	for i := range l.conns {
		switch c := &l.conns[i]; c.state {
		case stateConnecting:
			l.away(c)
		case stateSending, stateWaiting:
			l.unanswered(c)
		}
	}
}

// unanswered notes how long a request had waited when the window ended, if that was
// most of it: a window shorter than the timeout sees no other sign of a connection
// that the server never turned to.
func (l *loop) unanswered(c *conn) {
	if waited := l.end - c.since; waited > l.end/2 {
		l.count.unanswered = append(l.count.unanswered, waited)
	}
}

// away counts the time since the connecting began, a back-off should have ended, or a
// request was sent that is given up, as far as it is in the window.
func (l *loop) away(c *conn) { l.count.away += max(min(l.now, l.end)-c.since, 0) }

// close ends all connections; what was under way is given up.
func (l *loop) close() {
	for i := range l.conns {
		l.conns[i].abandon()
	}
	closeSocket(l.poll.fd)
}

// turn waits once and handles what has happened.
func (l *loop) turn() {
	events := l.poll.wait(l.pause())
	if len(events) == 0 {
		l.now = l.clock()
	}
	for i := range events {
		l.handle(&l.conns[events[i].Fd], events[i].Events)
	}
	if len(l.again) > 0 {
		l.readOn()
	}
	if l.now >= l.due {
		l.tick()
	}
}

// pause is how long to wait for events at most, in milliseconds.
func (l *loop) pause() int {
	if len(l.again) > 0 {
		return 0
	}
	left := max(min(l.due, l.end)-l.now, 0) // below 0 would be for ever
	return int((left + time.Millisecond - 1) / time.Millisecond)
}

func (l *loop) handle(c *conn, events uint32) {
	c.hangup = c.hangup || events&eventGone != 0
	switch c.state {
	case stateClosed:
		return
	case stateConnecting:
		if !l.connected(c) {
			return
		}
	case stateSending:
		if events&eventOut != 0 && !l.flush(c) {
			return
		}
	}
	if events&(syscall.EPOLLIN|eventGone) != 0 {
		l.receive(c)
	}
}

// readOn continues with connections that had more to read than their share.
func (l *loop) readOn() {
	ready := l.again
	l.again = nil
	for _, c := range ready {
		if c.state != stateClosed && c.state != stateConnecting {
			l.receive(c)
		}
	}
}

// tick looks for what has taken too long and for back-offs that are over, and says
// when to look again. What is sent meanwhile is due later than that.
func (l *loop) tick() {
	l.due = l.now + l.timeout
	for i := range l.conns {
		c := &l.conns[i]
		if l.now >= l.dueOf(c) {
			l.overdue(c)
		}
		l.due = min(l.due, l.dueOf(c))
	}
}

// dueOf is when the connection will have waited too long, or long enough.
func (l *loop) dueOf(c *conn) time.Duration {
	if c.state == stateClosed {
		return c.since
	}
	return c.since + l.timeout
}

func (l *loop) overdue(c *conn) {
	switch {
	case c.state == stateClosed:
		l.away(c)
		l.open(c)
	case c.state == stateConnecting:
		// The kernel goes on trying: a full accept queue drops the first packets,
		// and a new socket would only come in behind.
		l.wrong(bench.ErrorConnect, "no connection within "+l.timeout.String())
		l.away(c)
		c.since = l.now
	case c.state == stateIdle:
		l.reopen(c)
	default:
		l.away(c)
		l.fail(c, bench.ErrorTimeout, "no whole answer within "+l.timeout.String())
	}
}

// wrong counts an error and keeps the first one's text.
func (l *loop) wrong(kind bench.ErrorKind, text string) {
	l.count.errors[kind]++
	if l.count.firstWrong == "" {
		l.count.firstWrong = text
		l.count.wrongAt = l.now
	}
}

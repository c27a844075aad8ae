//go:build linux && (amd64 || arm64)

package load

import (
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"restbench/internal/bench"
)

// hesitant is a server that lets so many connections wait and takes one at each
// interval. It returns how many connections have asked something.
func hesitant(t *testing.T, backlog int, interval time.Duration) (address string, asking func() int64) {
	t.Helper()
	listener := listen(t)
	raw, err := listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), backlog) }); err != nil {
		t.Fatal(err)
	}
	s := &answerer{address: listener.Addr().String()}
	var asked atomic.Int64
	answer := text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true)
	go func() {
		for range time.Tick(interval) {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			first := true
			go s.talk(c, func(c net.Conn, n int64) bool {
				if first {
					first = false
					asked.Add(1)
				}
				return answer(c, n)
			})
		}
	}()
	return s.address, asked.Load
}

func unconnected(t *testing.T, load bench.Load) float64 {
	t.Helper()
	if load.Unconnected == nil {
		t.Fatal("it is not known for how long connections were not there")
	}
	return *load.Unconnected
}

// Connections that are opened one after another all take part in a window that is
// shorter than the second after which a dropped one comes again.
func TestRampUpFillsAShortWindow(t *testing.T) {
	for name, c := range map[string]struct {
		over     time.Duration
		backlog  int
		interval time.Duration
		all      bool
		min, max float64 // of the share without a connection
	}{
		"at once":           {0, 1, 100 * time.Millisecond, false, 0.4, 0.9},
		"one after another": {400 * time.Millisecond, 3, 5 * time.Millisecond, true, 0, 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			address, asking := hesitant(t, c.backlog, c.interval)
			plan := planFor(address, hello)
			plan.RampUp = c.over
			load := run(t, plan)
			checkClean(t, load)
			if away := unconnected(t, load); away < c.min || away > c.max {
				t.Errorf("unconnected for %g of the time, want %g to %g", away, c.min, c.max)
			}
			if n := asking(); (n == int64(plan.Connections)) != c.all {
				t.Errorf("%d of %d connections took part", n, plan.Connections)
			}
		})
	}
}

// A server that is gone before the window is an error of the window.
func TestRampUpToNobody(t *testing.T) {
	listener := listen(t)
	listener.Close()
	plan := planFor(listener.Addr().String(), hello)
	plan.RampUp = 20 * time.Millisecond
	load := run(t, plan)
	if away := unconnected(t, load); load.Requests != 0 || load.ErrorCount() == 0 || away < 0.8 || away > 1 {
		t.Errorf("%d requests, errors %v, unconnected for %g of the time", load.Requests, load.Errors, away)
	}
}

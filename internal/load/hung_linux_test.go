//go:build linux && (amd64 || arm64)

package load

import (
	"net"
	"sync"
	"testing"
	"time"

	"restbench/internal/bench"
)

// answersOne is a server that takes one connection. The others are established, as
// far as their clients know, and nobody ever reads from them.
func answersOne(t *testing.T) (address string) {
	t.Helper()
	listener := listen(t)
	s := &answerer{}
	go func() {
		if c, err := listener.Accept(); err == nil {
			s.talk(c, text(goodAnswer, true))
		}
	}()
	return listener.Addr().String()
}

// slow is a server that takes its time for each answer, for all connections at once
// or for one after the other.
func slow(t *testing.T, delay time.Duration, inTurn bool) (address string) {
	t.Helper()
	var turn sync.Mutex
	return serve(t, func(c net.Conn, n int64) bool {
		if inTurn {
			turn.Lock()
			defer turn.Unlock()
		}
		time.Sleep(delay) // the slowness under test
		return text(goodAnswer, true)(c, n)
	}).address
}

// pausing is a server that answers for a length of time and then no more.
func pausing(t *testing.T, after time.Duration) (address string) {
	t.Helper()
	var begun time.Time
	var begin sync.Once
	return serve(t, func(c net.Conn, n int64) bool {
		begin.Do(func() { begun = time.Now() })
		if time.Since(begun) < after {
			return text(goodAnswer, true)(c, n)
		}
		return hang(c)
	}).address
}

// A connection that the server never turns to carries no load, whether the window is
// long enough for a timeout or not. One that is answered slowly does.
func TestHungConnectionsAreNotThere(t *testing.T) {
	for name, c := range map[string]struct {
		server   func(*testing.T) string
		duration time.Duration
		timeout  time.Duration
		timeouts bool
		min, max float64 // of the share without a connection: 19 of 20 are 0.95
	}{
		"one of twenty is answered": {answersOne, time.Second, bench.DefaultTimeout, false, 0.9, 0.95},
		"as long as the timeout":    {answersOne, 300 * time.Millisecond, 300 * time.Millisecond, false, 0.85, 0.95},
		"with timeouts":             {answersOne, time.Second, 190 * time.Millisecond, true, 0.85, 0.95},
		"slow answers": {func(t *testing.T) string { return slow(t, 300*time.Millisecond, false) },
			time.Second, bench.DefaultTimeout, false, 0, 0.02},
		// 20 × 35 ms: who asks again after 0.3 to 0.5 s is not answered before the end.
		"slow answers in turn": {func(t *testing.T) string { return slow(t, 35*time.Millisecond, true) },
			time.Second, bench.DefaultTimeout, false, 0, 0.02},
		"a pause at the end": {func(t *testing.T) string { return pausing(t, 700*time.Millisecond) },
			time.Second, bench.DefaultTimeout, false, 0, 0.02},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := planFor(c.server(t), hello)
			plan.Threads, plan.Connections = 5, 20
			plan.Duration, plan.Timeout = c.duration, c.timeout
			load := run(t, plan)
			if away := unconnected(t, load); away < c.min || away > c.max {
				t.Errorf("unconnected for %g of the time, want %g to %g", away, c.min, c.max)
			}
			if timeouts := load.Errors[bench.ErrorTimeout] > 0; load.Requests == 0 || timeouts != c.timeouts && c.timeout != c.duration {
				t.Errorf("%d requests, errors %v", load.Requests, load.Errors)
			}
		})
	}
}

package load

import (
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"restbench/internal/bench"
)

// ledger is a reference server's own record: when its first request came, and
// when it let each answer go.
type ledger struct {
	lock  sync.Mutex
	first time.Time
	gone  []time.Time
}

func (l *ledger) asked() {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.first.IsZero() {
		l.first = time.Now()
	}
}

func (l *ledger) answered() {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.gone = append(l.gone, time.Now())
}

// within is how many answers were let go in a window from the first request on.
// A client's window begins before its first request comes in, so this is the most
// that the client may have seen.
func (l *ledger) within(window time.Duration) int64 {
	l.lock.Lock()
	defer l.lock.Unlock()
	end := l.first.Add(window)
	late := slices.IndexFunc(l.gone, func(at time.Time) bool { return at.After(end) })
	if late < 0 {
		late = len(l.gone)
	}
	return int64(late)
}

// metronome lets one waiting request go on at each of its beats. As long as some
// request always waits, the rate of answers is that of a clock and not of any
// processor: a beat that came late is made up for at once.
type metronome struct {
	ledger
	spacing time.Duration
	waiting chan chan struct{}
}

func newMetronome(t *testing.T, spacing time.Duration) *metronome {
	m := &metronome{spacing: spacing, waiting: make(chan chan struct{}, 1000)}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go m.beat(stop)
	return m
}

// beat starts with the first request.
func (m *metronome) beat(stop chan struct{}) {
	var next time.Time
	for {
		select {
		case <-stop:
			return
		case one := <-m.waiting:
			if next.IsZero() {
				next = time.Now()
			}
			next = next.Add(m.spacing)
			time.Sleep(time.Until(next)) // the service time itself
			m.answered()
			close(one)
		}
	}
}

func (m *metronome) wait() {
	m.asked()
	one := make(chan struct{})
	m.waiting <- one
	<-one
}

// references are servers that differ in all that an engine has to deal with, and
// not in their rate.
func references() map[string]struct {
	answer, body string
	more         bool
} {
	large := strings.Repeat("0123456789abcdef", 4<<10)
	sized := func(body, more string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", more, len(body), body)
	}
	return map[string]struct {
		answer, body string
		more         bool
	}{
		"keep-alive":        {sized("hello", ""), "hello", true},
		"keep-alive, large": {sized(large, ""), large, true},
		"chunked":           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello", true},
		"closing":           {sized("hello", "Connection: close\r\n"), "hello", false},
		"closing, large":    {sized(large, "Connection: close\r\n"), large, false},
		"until the end":     {"HTTP/1.0 200 OK\r\n\r\nhello", "hello", false},
	}
}

const (
	beats     = time.Millisecond // between two answers
	reference = 4 * time.Second  // the shortest window
	allowed   = 0.002            // of theory
	tries     = 4                // windows, each twice as long as the one before
)

// reading is one window on a server whose rate is known.
type reading struct {
	window   time.Duration
	got      int64 // right answers that the engine counted
	theory   int64
	recorded int64 // that the server itself let go in time
}

func (r reading) String() string {
	return fmt.Sprintf("window of %s: %d requests, %s of the %d in theory; %s of the %d that the server let go in time",
		r.window, r.got, off(r.got, r.theory), r.theory, off(r.got, r.recorded), r.recorded)
}

func off(got, want int64) string {
	return fmt.Sprintf("%+.3f %%", 100*(float64(got)/float64(want)-1))
}

// short reports whether got is less than want by more than the share.
func short(got, want int64, share float64) bool { return float64(got) < float64(want)*(1-share) }

// agree measures until the engine finds the theory. A busy machine makes answers
// late and never early, and takes them only at the two ends of a window: what is
// in it is made up for. So one answer too many is wrong at once; too few are
// looked at again in longer windows, in which the ends count for less. A machine
// that never lets the server keep its own clock proves nothing about theory, but
// the engine must have seen what that server did.
func agree(t *testing.T, window time.Duration, share float64, measure func(time.Duration) reading) {
	t.Helper()
	seen := false // what the server did
	for range tries {
		r := measure(window)
		t.Log(r)
		switch {
		case t.Failed():
			return
		case r.got > r.theory:
			t.Fatalf("more than the clock allows: %s", r)
		case !short(r.got, r.theory, share):
			return
		}
		seen = seen || short(r.recorded, r.theory, share) && !short(r.got, r.recorded, share)
		window *= 2
	}
	if !seen {
		t.Fatalf("in none of %d windows within %g %% of theory, nor of what the server did; each is told above", tries, 100*share)
	}
	t.Skipf("in none of %d windows did this machine let the server keep its clock within %g %%; the engine agrees with what the server did", tries, 100*share)
}

// TestReferenceServers measures servers whose rate is known. The native engine
// must find it; how far wrk is off is told beside it, where wrk is installed.
func TestReferenceServers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s for each of six servers")
	}
	wrk, _ := exec.LookPath("wrk")
	for name, server := range references() {
		t.Run(name, func(t *testing.T) {
			against := func(window time.Duration) (*metronome, bench.Plan) {
				m := newMetronome(t, beats)
				s := serve(t, func(c net.Conn, n int64) bool {
					m.wait()
					return text(server.answer, server.more)(c, n)
				})
				plan := planFor(s.address, bench.Expect{Status: 200, Body: server.body})
				plan.Duration = window
				return m, plan
			}
			agree(t, reference, allowed, func(window time.Duration) reading {
				m, plan := against(window)
				load := run(t, plan)
				checkClean(t, load)
				return reading{window, load.Requests, int64(window / beats), m.within(window)}
			})
			if wrk == "" {
				return
			}
			_, plan := against(reference)
			other, err := Wrk{Runner: execRunner{}, Path: wrk}.Run(t.Context(), plan)
			if err != nil {
				t.Fatal(err)
			}
			theory := float64(time.Second) / float64(beats)
			t.Logf("%s is %+.2f %% off", other.Engine, 100*(other.RequestsPerSecond()/theory-1))
		})
	}
}

// delayed answers each request of a connection a fixed time after the answer
// before, so that the client's own time is no part of the cycle.
func delayed(t *testing.T, delay time.Duration) (*ledger, string) {
	var due sync.Map // connection to when its newest answer was due
	record := &ledger{}
	s := serve(t, func(c net.Conn, n int64) bool {
		record.asked()
		at := time.Now().Add(delay)
		if before, ok := due.Load(c); ok {
			at = before.(time.Time).Add(delay)
		}
		due.Store(c, at)
		time.Sleep(time.Until(at)) // the delay itself
		record.answered()
		return text(goodAnswer, true)(c, n)
	})
	return record, s.address
}

// TestInjectedDelays: n connections, each with an answer every delay, give
// n/delay requests per second. Windows end between two answers.
func TestInjectedDelays(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 2 s for each of three delays")
	}
	for _, c := range []struct {
		delay       time.Duration
		connections int
	}{{time.Millisecond, 4}, {10 * time.Millisecond, 20}, {100 * time.Millisecond, 100}} {
		t.Run(c.delay.String(), func(t *testing.T) {
			agree(t, 2*time.Second, 0.01, func(window time.Duration) reading {
				record, address := delayed(t, c.delay)
				plan := planFor(address, hello)
				plan.Connections, plan.Duration = c.connections, window+c.delay/2
				load := run(t, plan)
				checkClean(t, load)
				return reading{window, load.Requests, int64(c.connections) * int64(window/c.delay), record.within(plan.Duration)}
			})
		})
	}
}

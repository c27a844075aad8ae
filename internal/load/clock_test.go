package load

import (
	"fmt"
	"math"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"restbench/internal/bench"
)

// metronome lets one waiting request go on at each of its beats. As long as some
// request always waits, the rate of answers is that of a clock and not of any
// processor: a beat that came late is made up for at once.
type metronome struct {
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
			close(one)
		}
	}
}

func (m *metronome) wait() {
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
	reference = 4 * time.Second  // 4,000 beats: the first comes after connecting, a few ms late
	allowed   = 0.002            // of theory
)

// TestReferenceServers measures servers whose rate is known. The native engine
// must find it; how far wrk is off is told beside it, where wrk is installed.
func TestReferenceServers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s for each of six servers")
	}
	wrk, _ := exec.LookPath("wrk")
	theory := float64(time.Second) / float64(beats)
	for name, server := range references() {
		t.Run(name, func(t *testing.T) {
			against := func() bench.Plan {
				m := newMetronome(t, beats)
				s := serve(t, func(c net.Conn, n int64) bool {
					m.wait()
					return text(server.answer, server.more)(c, n)
				})
				plan := planFor(s.address, bench.Expect{Status: 200, Body: server.body})
				plan.Duration = reference
				return plan
			}
			load := run(t, against())
			checkClean(t, load)
			off := load.RequestsPerSecond()/theory - 1
			t.Logf("native is %+.2f %% off", 100*off)
			if math.Abs(off) > allowed {
				t.Errorf("native: %.1f requests/s, want %.1f ± %g %%", load.RequestsPerSecond(), theory, 100*allowed)
			}
			if wrk == "" {
				return
			}
			other, err := Wrk{Runner: execRunner{}, Path: wrk}.Run(t.Context(), against())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s is %+.2f %% off", other.Engine, 100*(other.RequestsPerSecond()/theory-1))
		})
	}
}

// delayed answers each request of a connection a fixed time after the answer
// before, so that the client's own time is no part of the cycle.
func delayed(t *testing.T, delay time.Duration) *answerer {
	var answered sync.Map // connection to the time of its newest answer
	return serve(t, func(c net.Conn, n int64) bool {
		due := time.Now().Add(delay)
		if before, ok := answered.Load(c); ok {
			due = before.(time.Time).Add(delay)
		}
		answered.Store(c, due)
		time.Sleep(time.Until(due)) // the delay itself
		return text(goodAnswer, true)(c, n)
	})
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
			plan := planFor(delayed(t, c.delay).address, hello)
			plan.Connections, plan.Duration = c.connections, 2*time.Second+c.delay/2
			load := run(t, plan)
			checkClean(t, load)
			want := float64(c.connections) * float64(2*time.Second/c.delay)
			off := float64(load.Requests)/want - 1
			t.Logf("%+.2f %% off", 100*off)
			if math.Abs(off) > 0.01 {
				t.Errorf("%d requests, want %.0f ± 1 %%", load.Requests, want)
			}
		})
	}
}

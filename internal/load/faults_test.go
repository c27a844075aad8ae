package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"restbench/internal/bench"
)

const goodAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// hang holds a connection until its other side gives up.
func hang(c net.Conn) bool {
	_, _ = io.Copy(io.Discard, c) // ends with an error or without, both are the end
	return false
}

// runInTime runs a plan that must end with its window.
func runInTime(t *testing.T, plan bench.Plan) bench.Load {
	t.Helper()
	began := time.Now()
	load := run(t, plan)
	if took := time.Since(began); took > plan.Duration+grace/2 {
		t.Errorf("took %s for a window of %s", took, plan.Duration)
	}
	return load
}

func TestNativeTimeouts(t *testing.T) {
	servers := map[string]func(net.Conn, int64) bool{
		"no answer":      func(c net.Conn, _ int64) bool { return hang(c) },
		"half an answer": func(c net.Conn, n int64) bool { text(goodAnswer[:20], true)(c, n); return hang(c) },
		"one byte after the other": func(c net.Conn, n int64) bool {
			for i := 0; ; i++ { // a header that never ends, until the engine hangs up
				if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nX: "[min(i, 19):min(i, 19)+1]); err != nil {
					return false
				}
				time.Sleep(5 * time.Millisecond) // the slowness under test
			}
		},
		"a body without end": func(c net.Conn, _ int64) bool {
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			for err == nil {
				_, err = c.Write(make([]byte, 64<<10))
			}
			return false
		},
	}
	for name, answer := range servers {
		t.Run(name, func(t *testing.T) {
			s := serve(t, answer)
			plan := planFor(s.address, hello)
			plan.Duration, plan.Timeout = 700*time.Millisecond, 100*time.Millisecond
			load := runInTime(t, plan)
			// Each of 8 connections runs into a timeout at least once; each takes 100 ms.
			if n := load.Errors[bench.ErrorTimeout]; n < 8 || n > 8*7 || load.ErrorCount() != n || load.Requests != 0 {
				t.Errorf("%d requests, errors %v", load.Requests, load.Errors)
			}
			if load.Reconnects < 8 || load.FirstWrong != "no whole answer within 100ms" {
				t.Errorf("%d reconnects, first wrong: %s", load.Reconnects, load.FirstWrong)
			}
		})
	}
}

// A request that is given up, because it took too long or the window ended, must
// not stay with the server as a connection that looks alive.
func TestNativeResetsWhatItGivesUp(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"timeout": 100 * time.Millisecond, "end of the window": time.Minute} {
		t.Run(name, func(t *testing.T) {
			ends := make(chan error, 1000)
			s := serve(t, func(c net.Conn, _ int64) bool {
				_, err := io.Copy(io.Discard, c)
				ends <- err
				return false
			})
			plan := planFor(s.address, hello)
			plan.Duration, plan.Timeout = 300*time.Millisecond, timeout
			run(t, plan)
			for range plan.Connections {
				select {
				case err := <-ends:
					if !errors.Is(err, syscall.ECONNRESET) {
						t.Errorf("the server saw the end %v, want a reset", err)
					}
				case <-time.After(30 * time.Second):
					t.Fatal("the server still holds a connection")
				}
			}
		})
	}
}

// A hanging connection must not stop the others of its loop.
func TestNativeOneHangingConnection(t *testing.T) {
	s := serve(t, func(c net.Conn, n int64) bool {
		if n == 1 {
			return hang(c)
		}
		return text(goodAnswer, true)(c, n)
	})
	plan := planFor(s.address, hello)
	plan.Threads, plan.Timeout = 1, 100*time.Millisecond
	load := runInTime(t, plan)
	if load.Requests < 100 || load.Errors[bench.ErrorTimeout] != 1 || load.ErrorCount() != 1 || load.Reconnects != 1 {
		t.Errorf("%d requests, errors %v, %d reconnects", load.Requests, load.Errors, load.Reconnects)
	}
}

// An answer that comes too late is a timeout, however close to the next look at
// the clock.
func TestNativeLateAnswer(t *testing.T) {
	s := serve(t, func(c net.Conn, n int64) bool {
		time.Sleep(20 * time.Millisecond) // the lateness under test
		return text(goodAnswer, true)(c, n)
	})
	plan := planFor(s.address, hello)
	plan.Timeout = 10 * time.Millisecond
	load := runInTime(t, plan)
	if load.Requests != 0 || load.Errors[bench.ErrorTimeout] < 8 {
		t.Errorf("%d requests, errors %v", load.Requests, load.Errors)
	}
}

func TestNativeRefused(t *testing.T) {
	listener := listen(t)
	listener.Close() // nobody listens on its port now
	load := runInTime(t, planFor(listener.Addr().String(), hello))
	n := load.Errors[bench.ErrorConnect]
	if n < 8 || load.ErrorCount() != n || load.Requests != 0 || load.Reconnects != 0 {
		t.Errorf("%d requests, %d reconnects, errors %v", load.Requests, load.Reconnects, load.Errors)
	}
	// With back-off: 2 at once, then after 1, 2, 4, … 64, 100 ms.
	if n > 8*12 {
		t.Errorf("%d attempts are a storm", n)
	}
	if load.FirstWrong != "connect: connection refused" {
		t.Errorf("first wrong: %s", load.FirstWrong)
	}
}

func TestNativeServerThatComesBack(t *testing.T) {
	listener := listen(t)
	address := listener.Addr().String()
	listener.Close()
	plan := planFor(address, hello)
	plan.Duration = 3 * time.Second
	go func() {
		time.Sleep(time.Second) // down for the first part of the window, however late the engine is
		again, err := net.Listen("tcp", address)
		if err != nil {
			return
		}
		context.AfterFunc(t.Context(), func() { again.Close() })
		s := &answerer{}
		for c, err := again.Accept(); err == nil; c, err = again.Accept() {
			go s.talk(c, text(goodAnswer, true))
		}
	}()
	load := runInTime(t, plan)
	if load.Requests == 0 || load.Errors[bench.ErrorConnect] < 8 || load.ErrorCount() != load.Errors[bench.ErrorConnect] {
		t.Errorf("%d requests, errors %v", load.Requests, load.Errors)
	}
}

func TestNativeResets(t *testing.T) {
	var sent atomic.Int64
	s := serve(t, func(c net.Conn, n int64) bool {
		if n%50 != 0 {
			return text(goodAnswer, true)(c, n)
		}
		sent.Add(1)
		_ = c.(*net.TCPConn).SetLinger(0) // close sends RST
		return false
	})
	load := runInTime(t, planFor(s.address, hello))
	n := load.Errors[bench.ErrorRead] + load.Errors[bench.ErrorWrite]
	if n == 0 || n > sent.Load() || n < sent.Load()-8 || load.ErrorCount() != n || load.Requests == 0 {
		t.Errorf("%d requests, errors %v, %d resets", load.Requests, load.Errors, sent.Load())
	}
	if load.FirstWrong != "read the answer: connection reset by peer" {
		t.Errorf("first wrong: %s", load.FirstWrong)
	}
}

// A server may end a kept connection between two requests. Where that could be
// seen before the next request was sent, nothing went wrong.
func TestNativeServerEndsKeptConnections(t *testing.T) {
	s := serve(t, text(goodAnswer, false))
	load := runInTime(t, planFor(s.address, hello))
	if load.Requests == 0 || load.Reconnects == 0 {
		t.Errorf("%d requests, %d reconnects", load.Requests, load.Reconnects)
	}
	for kind := range load.Errors { // the race lost: sent into the closing connection
		if kind != bench.ErrorRead && kind != bench.ErrorWrite {
			t.Errorf("errors %v", load.Errors)
		}
	}
}

// An answer in many pieces, and one larger than any buffer.
func TestNativePieces(t *testing.T) {
	t.Run("five writes", func(t *testing.T) {
		s := serve(t, func(c net.Conn, _ int64) bool {
			for _, piece := range []string{"HTTP/1.1 200", " OK\r\nContent-Le", "ngth: 5\r\n\r", "\nhel", "lo"} {
				if _, err := io.WriteString(c, piece); err != nil {
					return false
				}
			}
			return true
		})
		load := runInTime(t, planFor(s.address, hello))
		checkClean(t, load)
		checkServed(t, s, load)
	})
	t.Run("one MiB", func(t *testing.T) {
		body := strings.Repeat("0123456789abcdef", 1<<16)
		answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		s := serve(t, text(answer, true))
		load := runInTime(t, planFor(s.address, bench.Expect{Status: 200, Body: body}))
		checkClean(t, load)
		checkServed(t, s, load)
	})
	t.Run("exactly the read buffer", func(t *testing.T) {
		head := "HTTP/1.1 200 OK\r\nContent-Length: 8100\r\nX: "
		body := strings.Repeat("x", 8100)
		answer := head + strings.Repeat("y", readSize-len(head)-len(body)-4) + "\r\n\r\n" + body
		if len(answer) != readSize {
			t.Fatal(len(answer))
		}
		load := runInTime(t, planFor(serve(t, text(answer, true)).address, bench.Expect{Status: 200, Body: body}))
		checkClean(t, load)
	})
}

// A request larger than the socket's buffers is sent in parts.
func TestNativeLargeRequest(t *testing.T) {
	s := serve(t, text(goodAnswer, true))
	plan := planFor(s.address, hello)
	plan.Workload.Request.Headers = map[string]string{"X-Large": strings.Repeat("x", 8<<20)}
	plan.Connections, plan.Threads = 2, 1
	plan.Duration = 3 * time.Second // the server, too, takes its time for 8 MiB
	load := runInTime(t, plan)
	checkClean(t, load)
}

func TestNativeDividesConnections(t *testing.T) {
	var open, most atomic.Int64
	listener := listen(t)
	go func() {
		for c, err := listener.Accept(); err == nil; c, err = listener.Accept() {
			most.Store(max(most.Load(), open.Add(1)))
			go func() {
				(&answerer{}).talk(c, text(goodAnswer, true))
				open.Add(-1)
			}()
		}
	}()
	plan := planFor(listener.Addr().String(), hello)
	plan.Threads, plan.Connections = 3, 8
	checkClean(t, runInTime(t, plan))
	if most.Load() != 6 {
		t.Errorf("%d connections at once, want 8/3*3 = 6", most.Load())
	}
}

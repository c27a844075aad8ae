package load

import (
	"bufio"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
)

// inPieces serves an answer in two writes and leaves Nagle's algorithm on, so that
// the second waits until the first is acknowledged.
func inPieces(t *testing.T, closing bool) string {
	t.Helper()
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.(*net.TCPConn).SetNoDelay(false)
				in, head := bufio.NewReader(conn), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
				if closing {
					head += "Connection: close\r\n"
				}
				for {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					_, _ = conn.Write([]byte(head + "\r\n"))
					if _, err := conn.Write([]byte(hello.Body)); err != nil || closing {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func medianOf(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// The kernel acknowledges the first answers of a connection at once by itself, so
// it takes some until a server that waits for that stalls.
func TestAnswerTimesShowAStall(t *testing.T) {
	address := inPieces(t, false)
	stalled, err := AnswerTimes(t.Context(), address, bench.Workload{Expect: hello}, false, 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	swift, err := AnswerTimes(t.Context(), address, bench.Workload{Expect: hello}, true, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d answers, median %s; acknowledged at once %d, %s", len(stalled), medianOf(stalled), len(swift), medianOf(swift))
	if medianOf(stalled) < 30*time.Millisecond {
		t.Errorf("median is %s, want the delay of an acknowledgement, 40 ms", medianOf(stalled))
	}
	if medianOf(swift) > medianOf(stalled)/2 {
		t.Errorf("median is %s when acknowledged at once, and %s else", medianOf(swift), medianOf(stalled))
	}
}

func TestAnswerTimesOverClosingConnections(t *testing.T) {
	times, err := AnswerTimes(t.Context(), inPieces(t, true), bench.Workload{Expect: hello}, true, 100*time.Millisecond)
	if err != nil || len(times) < 2 {
		t.Errorf("%d answers, %v", len(times), err)
	}
}

func TestAnswerTimesEndWithAWrongAnswer(t *testing.T) {
	wrong := bench.Workload{Expect: bench.Expect{Status: 200, Body: "hullo"}}
	times, err := AnswerTimes(t.Context(), inPieces(t, false), wrong, false, time.Hour)
	if err == nil || len(times) > 0 || !strings.Contains(err.Error(), `got "hello", want "hullo"`) {
		t.Errorf("%d answers, %v", len(times), err)
	}
	if _, err := AnswerTimes(t.Context(), "192.0.2.1:80", wrong, false, 0); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("of another machine: %v", err)
	}
}

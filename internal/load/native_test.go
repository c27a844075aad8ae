package load

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"restbench/internal/bench"
)

var hello = bench.Expect{Status: 200, Body: "hello"}

// answerer is a server that reads requests and answers the n-th one (over all
// connections, from 1) as told. After an answer with more=false it closes.
type answerer struct {
	address string
	served  atomic.Int64
}

func serve(t *testing.T, answer func(c net.Conn, n int64) (more bool)) *answerer {
	t.Helper()
	listener := listen(t)
	s := &answerer{address: listener.Addr().String()}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go s.talk(c, answer)
		}
	}()
	return s
}

func (s *answerer) talk(c net.Conn, answer func(net.Conn, int64) bool) {
	defer c.Close()
	requests := bufio.NewReader(c)
	for {
		line, err := requests.ReadString('\n')
		if err != nil {
			return
		}
		if line == "\r\n" && !answer(c, s.served.Add(1)) {
			return
		}
	}
}

// text answers with fixed bytes.
func text(answer string, more bool) func(net.Conn, int64) bool {
	return func(c net.Conn, _ int64) bool {
		_, err := io.WriteString(c, answer)
		return more && err == nil
	}
}

func TestNativeCountsWhatTheServerCounted(t *testing.T) {
	const fixed = "Content-Length: 5\r\n\r\nhello"
	for name, server := range map[string]struct {
		answer     string
		more       bool
		reconnects bool
	}{
		"keep-alive":          {"HTTP/1.1 200 OK\r\n" + fixed, true, false},
		"keep-alive 1.0":      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + fixed, true, false},
		"closing":             {"HTTP/1.1 200 OK\r\nConnection: close\r\n" + fixed, false, true},
		"closing 1.0":         {"HTTP/1.0 200 OK\r\n" + fixed, false, true},
		"chunked":             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", true, false},
		"until the end":       {"HTTP/1.0 200 OK\r\n\r\nhello", false, true},
		"until the end 1.1":   {"HTTP/1.1 200 OK\r\n\r\nhello", false, true},
		"with interim answer": {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + fixed, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, text(server.answer, server.more))
			load := run(t, planFor(s.address, hello))
			checkClean(t, load)
			checkServed(t, s, load)
			if got := load.Reconnects > 0; got != server.reconnects {
				t.Errorf("%d reconnects", load.Reconnects)
			}
			// Every right answer's bytes came in, and at most those under way beyond.
			if least := load.Requests * int64(len(server.answer)); load.Bytes < least || load.Bytes > least+8*int64(len(server.answer)) {
				t.Errorf("%d bytes for %d answers of %d", load.Bytes, load.Requests, len(server.answer))
			}
		})
	}
}

func checkClean(t *testing.T, load bench.Load) {
	t.Helper()
	if load.Requests == 0 || load.ErrorCount() != 0 || load.FirstWrong != "" {
		t.Errorf("%d requests, errors %v (%s), want answers only", load.Requests, load.Errors, load.FirstWrong)
	}
}

// checkServed compares with the server's own count: they differ by what was under
// way when the window ended.
func checkServed(t *testing.T, s *answerer, load bench.Load) {
	t.Helper()
	total := load.Requests + load.ErrorCount()
	if served := s.served.Load(); total > served || served > total+8 {
		t.Errorf("server answered %d, engine counted %d, may differ by 8 under way", served, total)
	}
}

func TestNativeResult(t *testing.T) {
	s := serve(t, text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true))
	plan := planFor(s.address, hello)
	load := run(t, plan)
	if load.Engine != nativeName || load.Duration != plan.Duration || load.BodyUnchecked || load.LatencyCorrected {
		t.Errorf("got %+v", load)
	}
	if load.ClientCPU <= 0 || load.ClientStartCPU <= 0 || load.ClientStartCPU >= load.ClientCPU {
		t.Errorf("client CPU %s, of it %s for the start", load.ClientCPU, load.ClientStartCPU)
	}
	histogram, err := hdr.Decode(load.Latency)
	if err != nil {
		t.Fatal(err)
	}
	if histogram.TotalCount() != load.Requests {
		t.Errorf("%d latencies for %d requests", histogram.TotalCount(), load.Requests)
	}
	q := load.Quantiles
	if q["p50"] <= 0 || q["p50"] > q["p90"] || q["p90"] > q["p99"] || q["p99"] > q["p99.9"] || q["mean"] <= 0 || len(q) != 5 {
		t.Errorf("quantiles %v", q)
	}
	// Little's law: the connections are always busy, so rate times mean time is
	// their number, less what the client itself needs between two requests.
	if busy := load.RequestsPerSecond() * q["mean"]; busy > 8.01 {
		t.Errorf("%.2f of 8 connections busy", busy)
	}
}

func TestNativeLatencyOfAFixedServiceTime(t *testing.T) {
	const service = 20 * time.Millisecond
	s := serve(t, func(c net.Conn, n int64) bool {
		time.Sleep(service) // the service time itself
		return text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true)(c, n)
	})
	load := run(t, planFor(s.address, hello))
	checkClean(t, load)
	if p50 := load.Quantiles["p50"]; p50 < service.Seconds() {
		t.Errorf("median %.4fs for a service time of %s", p50, service)
	}
	if most := int64(8 * 250 / 20); load.Requests > most {
		t.Errorf("%d requests, no more than %d are possible", load.Requests, most)
	}
}

// One answer of twenty takes 50 ms: the quantiles below 0.95 know nothing of it, those
// above are all of it.
func TestNativeQuantilesOfTwoServiceTimes(t *testing.T) {
	const slow = 50 * time.Millisecond
	s := serve(t, func(c net.Conn, n int64) bool {
		if n%20 == 0 {
			time.Sleep(slow) // the service time itself
		}
		return text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true)(c, n)
	})
	plan := planFor(s.address, hello)
	plan.Duration = time.Second
	load := run(t, plan)
	checkClean(t, load)
	if q := load.Quantiles; q["p50"] >= slow.Seconds() || q["p90"] >= slow.Seconds() || q["p99"] < slow.Seconds() || q["p99.9"] < slow.Seconds() {
		t.Errorf("one of twenty took %s, the quantiles are %v", slow, q)
	}
}

func TestNativeCountsEveryWrongAnswer(t *testing.T) {
	wrong := map[string]struct {
		answer string
		more   bool
		kind   bench.ErrorKind
		text   string
	}{
		"body":              {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhallo", true, bench.ErrorBody, `other bytes in the body: got "hallo", want "hello"`},
		"length":            {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!", true, bench.ErrorLength, `body of 6 bytes, want 5: got "hello!", want "hello"`},
		"empty":             {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, bench.ErrorLength, `body of 0 bytes, want 5: got "", want "hello"`},
		"status":            {"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello", true, bench.ErrorStatus, `status 404, want 200; body "hello"`},
		"no content":        {"HTTP/1.1 204 No Content\r\n\r\n", true, bench.ErrorStatus, `status 204, want 200; body ""`},
		"garbage":           {"\x00\xffgarbage\n", false, bench.ErrorProtocol, `no HTTP/1 status line: "\x00\xffgarbage"`},
		"too short a count": {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello", false, bench.ErrorProtocol, `bytes after the answer: "o"`},
		"half an answer":    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", false, bench.ErrorRead, "the connection ended inside an answer"},
		"no answer":         {"", false, bench.ErrorRead, "the connection ended without an answer"},
	}
	for name, w := range wrong {
		t.Run(name, func(t *testing.T) {
			// One of a hundred is wrong, so the expected count is exact.
			var sent atomic.Int64
			s := serve(t, func(c net.Conn, n int64) bool {
				if n%100 != 0 {
					return text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true)(c, n)
				}
				sent.Add(1)
				return text(w.answer, w.more)(c, n)
			})
			load := run(t, planFor(s.address, hello))
			checkServed(t, s, load)
			got, want := load.Errors[w.kind], sent.Load()
			if want == 0 || got > want || got < want-8 || load.ErrorCount() != got {
				t.Errorf("errors %v, the server sent %d of kind %s", load.Errors, want, w.kind)
			}
			if load.FirstWrong != w.text {
				t.Errorf("first wrong is %s, want %s", load.FirstWrong, w.text)
			}
			if load.Requests == 0 {
				t.Error("no right answers between the wrong ones")
			}
		})
	}
}

func TestNativeNeverCountsOnlyErrors(t *testing.T) {
	for name, answer := range map[string]string{
		"404":               "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello",
		"500 until the end": "HTTP/1.0 500 Oops\r\n\r\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, text(answer, strings.HasPrefix(answer, "HTTP/1.1")))
			load := run(t, planFor(s.address, hello))
			if load.Requests != 0 || load.Errors[bench.ErrorStatus] == 0 || load.Quantiles != nil {
				t.Errorf("got %d requests, errors %v, quantiles %v", load.Requests, load.Errors, load.Quantiles)
			}
		})
	}
}

func TestNativeWithoutExpectation(t *testing.T) {
	for status, right := range map[int]bool{200: true, 201: true, 302: true, 399: true, 400: false, 500: false} {
		s := serve(t, text(fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nhi", status), true))
		plan := planFor(s.address, bench.Expect{})
		plan.Duration = time.Second // one answer at least, however busy the machine
		load := run(t, plan)
		if got := load.Requests > 0; got != right || (load.ErrorCount() == 0) != right {
			t.Errorf("status %d: %d requests, errors %v", status, load.Requests, load.Errors)
		}
	}
}

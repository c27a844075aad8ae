package load

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

func TestVerify(t *testing.T) {
	const typed = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
	want := bench.Expect{Status: 200, ContentType: "text/plain; charset=utf-8", Body: "hello"}
	for _, c := range []struct {
		name   string
		answer string
		want   bench.Expect
		text   string // of the error; empty: none
	}{
		{"right", typed + "Content-Length: 5\r\n\r\nhello", want, ""},
		{"right, chunked", typed + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", want, ""},
		{"right, until the end", typed + "\r\nhello", want, ""},
		{"any type", typed + "\r\nhello", bench.Expect{Status: 200, Body: "hello"}, ""},
		{"nothing known", typed + "\r\nwhatever", bench.Expect{}, ""},
		{"status", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", want, `status 404, want 200; body "gone"`},
		{"type", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", want, `content type "text/plain", want "text/plain; charset=utf-8"`},
		{"no type", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", want, `content type "", want`},
		{"length", typed + "Content-Length: 6\r\n\r\nhello!", want, `body of 6 bytes, want 5: got "hello!", want "hello"`},
		{"body", typed + "Content-Length: 5\r\n\r\nhallo", want, `got "hallo", want "hello"`},
		{"half", typed + "Content-Length: 5\r\n\r\nhal", want, "the connection ended inside an answer"},
		{"nothing", "", want, "the connection ended inside an answer"},
		{"garbage", "garbage\n", want, `no HTTP/1 status line: "garbage"`},
		{"too much", typed + "Content-Length: 5\r\n\r\nhello!", want, `bytes after the answer: "!"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, text(c.answer, false))
			err := Verify(t.Context(), s.address, bench.Workload{Expect: c.want})
			if c.text == "" && err != nil {
				t.Error(err)
			}
			if c.text != "" && (err == nil || !strings.Contains(err.Error(), c.text) || !strings.HasPrefix(err.Error(), "GET http://127.0.0.1:")) {
				t.Errorf("got %v, want …%s", err, c.text)
			}
		})
	}
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	s := serve(t, func(c net.Conn, _ int64) bool { return hang(c) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Verify(ctx, s.address, bench.Workload{}); err == nil || !strings.Contains(err.Error(), "no whole answer in time") {
		t.Errorf("got %v", err)
	}
}

func TestVerifyRefusesOtherMachines(t *testing.T) {
	err := Verify(t.Context(), "192.0.2.1:80", bench.Workload{})
	if err == nil || !strings.Contains(err.Error(), "loopback only") {
		t.Errorf("got %v", err)
	}
}

func TestLearn(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	calls := 0
	for name, c := range map[string]struct {
		answer func(net.Conn, int64) bool
		want   bench.Expect
		text   string // of the error; empty: none
	}{
		"learned": {text(head+"Content-Length: 5\r\n\r\nhello", false), bench.Expect{Status: 200, ContentType: "text/plain", Body: "hello"}, ""},
		"varies": {func(c net.Conn, n int64) bool {
			calls++
			return text(head+"Content-Length: 1\r\n\r\n"+strconv.Itoa(calls), false)(c, n)
		}, bench.Expect{}, ""},
		"clock in seconds": {func(c net.Conn, n int64) bool {
			return text(head+"Content-Length: 8\r\n\r\n"+time.Now().Format(time.TimeOnly), false)(c, n)
		}, bench.Expect{}, ""},
		"too long": {text(head+"Content-Length: 1048577\r\n\r\n"+strings.Repeat("x", 1<<20+1), false), bench.Expect{}, ""},
		"fails":    {text("HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nbad", false), bench.Expect{}, `status 500; body "bad"`},
		"garbage":  {text("garbage\n", false), bench.Expect{}, "no HTTP/1 status line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Learn(t.Context(), serve(t, c.answer).address, bench.Request{Path: "/"})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if c.text == "" && err != nil || c.text != "" && (err == nil || !strings.Contains(err.Error(), c.text)) {
				t.Errorf("%v, want %q", err, c.text)
			}
		})
	}
}

// A body need not be text: every byte of it reaches the engine's process.
func TestLearnedBytesAreTheRightAnswer(t *testing.T) {
	const body = "\xff\x00"
	s := serve(t, text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"+body, true))
	want, err := Learn(t.Context(), s.address, bench.Request{Path: "/"})
	if err != nil || want.Body != body {
		t.Fatalf("%+v, %v", want, err)
	}
	if load := run(t, planFor(s.address, want)); load.Requests == 0 || len(load.Errors) > 0 {
		t.Errorf("%d right answers, errors %v: %s", load.Requests, load.Errors, load.FirstWrong)
	}
}

package load

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
)

// What the parser makes of odd answers the whole engine must make of them, over
// sockets, however they are cut on their way.
func TestNativeOddAnswers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	sized := head + "Content-Length: 5\r\n\r\nhello"
	nothing := bench.Expect{Status: 200}
	for name, c := range map[string]struct {
		answer string
		want   bench.Expect
		kind   bench.ErrorKind
	}{
		"extensions and trailers":   {head + "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3;c=\"d e\"\r\nllo\r\n0;last\r\nX: 1\r\nY: 2\r\n\r\n", hello, right},
		"interim answers first":     {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + sized, hello, right},
		"empty by length":           {head + "Content-Length: 0\r\n\r\n", nothing, right},
		"empty by chunks":           {head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", nothing, right},
		"empty by status":           {"HTTP/1.1 204 No Content\r\n\r\n", bench.Expect{Status: 204}, right},
		"bare line feeds":           {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", hello, right},
		"60 KiB of headers":         {head + strings.Repeat("X: "+strings.Repeat("x", 95)+"\r\n", 600) + sized[len(head):], hello, right},
		"90 KiB of headers":         {head + strings.Repeat("X: "+strings.Repeat("x", 95)+"\r\n", 900) + sized[len(head):], hello, bench.ErrorProtocol},
		"two lengths":               {head + "Content-Length: 6\r\n" + sized[len(head):], hello, bench.ErrorProtocol},
		"shorter than its length":   {head + "Content-Length: 6\r\nConnection: close\r\n\r\nhello", hello, bench.ErrorRead},
		"chunk longer than said":    {head + "Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n", hello, bench.ErrorProtocol},
		"chunks that are cut short": {head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", hello, bench.ErrorRead},
		"garbage":                   {"\x16\x03\x01\x02\n", hello, bench.ErrorProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			more := c.kind == right
			t.Run("whole", func(t *testing.T) { odd(t, text(c.answer, more), c.want, c.kind) })
			if len(c.answer) < 4096 {
				t.Run("byte by byte", func(t *testing.T) { odd(t, bytewise(c.answer, more), c.want, c.kind) })
			}
		})
	}
}

// bytewise sends each byte in a packet of its own; on the way some may meet.
func bytewise(answer string, more bool) func(net.Conn, int64) bool {
	return func(c net.Conn, _ int64) bool {
		for i := range len(answer) {
			if _, err := io.WriteString(c, answer[i:i+1]); err != nil {
				return false
			}
		}
		return more
	}
}

// odd loads a server all of whose answers are of one kind.
func odd(t *testing.T, answer func(net.Conn, int64) bool, want bench.Expect, kind bench.ErrorKind) {
	t.Helper()
	s := serve(t, answer)
	plan := planFor(s.address, want)
	load := run(t, plan)
	for load.Requests+load.ErrorCount() == 0 && plan.Duration < 4*time.Second { // on a busy machine
		plan.Duration *= 2
		load = run(t, plan)
	}
	if kind == right {
		checkClean(t, load)
		checkServed(t, s, load)
		return
	}
	if n := load.Errors[kind]; n == 0 || load.ErrorCount() != n || load.Requests != 0 {
		t.Errorf("%d requests, errors %v, want those of kind %s only", load.Requests, load.Errors, kind)
	}
}

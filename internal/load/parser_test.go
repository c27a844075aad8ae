package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outcome is what a parser made of some bytes.
type outcome struct {
	Status    int
	KeepAlive bool
	Body      string
	Rest      int // bytes after the answer
	NotWhole  bool
	Failed    bool
}

// parse feeds the text in pieces cut at the given places, and then its end.
func parse(text string, cuts ...int) (outcome, error) {
	p := &parser{sample: 1 << 20}
	p.reset()
	from := 0
	for _, to := range append(cuts, len(text)) {
		used, err := p.feed([]byte(text[from:to]))
		if err != nil {
			return outcome{Failed: true}, err
		}
		if from += used; from < to {
			break
		}
	}
	if p.phase != phaseDone && p.end() != nil {
		return outcome{NotWhole: true}, nil
	}
	return outcome{Status: p.status, KeepAlive: p.keepAlive, Body: string(p.body), Rest: len(text) - from}, nil
}

// ok is a whole answer with status 200 on a connection that stays.
func ok(body string) outcome { return outcome{Status: 200, KeepAlive: true, Body: body} }

func ended(body string) outcome { return outcome{Status: 200, Body: body} }

type conformanceCase struct {
	name string
	text string
	want outcome
}

func conformance() []conformanceCase {
	failed, notWhole := outcome{Failed: true}, outcome{NotWhole: true}
	const head = "HTTP/1.1 200 OK\r\n"
	const chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
	return []conformanceCase{
		// Bodies of known length.
		{"length", head + "Content-Length: 5\r\n\r\nhello", ok("hello")},
		{"length 0", head + "Content-Length: 0\r\n\r\n", ok("")},
		{"length, any case and blanks", head + "cOnTeNt-LeNgTh: \t5 \t\r\n\r\nhello", ok("hello")},
		{"length with leading zeros", head + "Content-Length: 0005\r\n\r\nhello", ok("hello")},
		{"length twice, the same", head + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", ok("hello")},
		{"length twice, different", head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", failed},
		{"length with a sign", head + "Content-Length: +5\r\n\r\nhello", failed},
		{"length below zero", head + "Content-Length: -5\r\n\r\nhello", failed},
		{"length without digits", head + "Content-Length: \r\n\r\n", failed},
		{"length in hexadecimal", head + "Content-Length: 0x5\r\n\r\nhello", failed},
		{"length list", head + "Content-Length: 5, 5\r\n\r\nhello", failed},
		{"length beyond all bounds", head + "Content-Length: 99999999999999999999\r\n\r\n", failed},
		{"longer body than said", head + "Content-Length: 4\r\n\r\nhello", outcome{Status: 200, KeepAlive: true, Body: "hell", Rest: 1}},
		{"shorter body than said", head + "Content-Length: 6\r\n\r\nhello", notWhole},
		{"two answers", head + "Content-Length: 2\r\n\r\nhi" + head, outcome{Status: 200, KeepAlive: true, Body: "hi", Rest: len(head)}},
		{"bytes that are no text", head + "Content-Length: 4\r\n\r\n\x00\r\n\xff", ok("\x00\r\n\xff")},

		// Chunked bodies.
		{"chunked", chunked + "5\r\nhello\r\n0\r\n\r\n", ok("hello")},
		{"chunked in two", chunked + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", ok("hello")},
		{"chunked, nothing", chunked + "0\r\n\r\n", ok("")},
		{"chunked, hexadecimal", chunked + "00A\r\n0123456789\r\n0\r\n\r\n", ok("0123456789")},
		{"chunked, line break inside", chunked + "4\r\n\r\n\r\n\r\n0\r\n\r\n", ok("\r\n\r\n")},
		{"chunked with extensions", chunked + "5;a=b;c\r\nhello\r\n0;last\r\n\r\n", ok("hello")},
		{"chunked with a quoted extension", chunked + "5 ; a=\"b c\"\r\nhello\r\n0\r\n\r\n", ok("hello")},
		{"chunked with trailers", chunked + "5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", ok("hello")},
		{"chunked wins over length", head + "Content-Length: 3\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ok("hello")},
		{"chunked, no last chunk", chunked + "5\r\nhello\r\n", notWhole},
		{"chunked, no last line", chunked + "5\r\nhello\r\n0\r\n", notWhole},
		{"chunked, no size", chunked + "\r\nhello\r\n0\r\n\r\n", failed},
		{"chunked, no number", chunked + "x\r\nhello\r\n0\r\n\r\n", failed},
		{"chunked, size below zero", chunked + "-5\r\nhello\r\n0\r\n\r\n", failed},
		{"chunked, words after the size", chunked + "5 hello\r\nhello\r\n0\r\n\r\n", failed},
		{"chunked, size beyond all bounds", chunked + "fffffffffffffffff\r\nhello\r\n0\r\n\r\n", failed},
		{"chunked, chunk longer than said", chunked + "4\r\nhello\r\n0\r\n\r\n", failed},
		{"chunked, bare line feed after the size", chunked + "5\nhello\r\n0\r\n\r\n", failed},
		{"chunked, bare line feed after the chunk", chunked + "5\r\nhello\n0\r\n\r\n", failed},
		{"chunked, trailer that is none", chunked + "0\r\nno trailer\r\n\r\n", failed},
		{"chunked, extension before a bare line feed", chunked + "5;a\nhello\r\n0\r\n\r\n", failed},
		{"chunked, bare line feed after the trailers", chunked + "0\r\nX: 1\n\n", ok("")},
		{"chunked, endless extension", chunked + "5;" + strings.Repeat("x", maxHead), failed},
		{"chunked, endless trailers", chunked + "0\r\n" + strings.Repeat("X: "+strings.Repeat("x", 95)+"\r\n", 820), failed},
		{"chunked, the next answer after the trailers", chunked + "2\r\nhi\r\n0\r\nX: 1\r\n\r\n" + head, outcome{Status: 200, KeepAlive: true, Body: "hi", Rest: len(head)}},
		{"encoded twice", head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", failed},
		{"encoding said twice", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", failed},

		// Bodies that end with the connection.
		{"until the end", head + "\r\nhello", ended("hello")},
		{"until the end, empty", head + "\r\n", ended("")},
		{"until the end, 1.0", "HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello", ended("hello")},
		{"until the end, against its word", head + "Connection: keep-alive\r\n\r\nhello", ended("hello")},

		// Who keeps the connection.
		{"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", ended("hi")},
		{"1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", ok("hi")},
		{"1.1 close", head + "Connection: close\r\nContent-Length: 2\r\n\r\nhi", ended("hi")},
		{"1.1 close, in a list", head + "Connection: Upgrade ,\tClose\r\nContent-Length: 2\r\n\r\nhi", ended("hi")},
		{"1.1 close, twice said", head + "Connection: keep-alive\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", ended("hi")},
		{"1.1, another word", head + "Connection: closed\r\nContent-Length: 2\r\n\r\nhi", ok("hi")},

		// Answers without a body.
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", outcome{Status: 204, KeepAlive: true}},
		{"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", outcome{Status: 204, KeepAlive: true}},
		{"304 chunked", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", outcome{Status: 304, KeepAlive: true}},
		{"100 first", "HTTP/1.1 100 Continue\r\n\r\n" + head + "Content-Length: 2\r\n\r\nhi", ok("hi")},
		{"103 twice first", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\nConnection: close\r\n\r\n", 2) + head + "Content-Length: 2\r\n\r\nhi", ok("hi")},
		{"100 alone", "HTTP/1.1 100 Continue\r\n\r\n", notWhole},
		{"101", "HTTP/1.1 101 Switching Protocols\r\n\r\n", outcome{Status: 101}},

		// Heads.
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", ok("hi")},
		{"empty reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", ok("hi")},
		{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", ok("hi")},
		{"empty value", head + "X:\r\nContent-Length: 2\r\n\r\nhi", ok("hi")},
		{"colons in a value", head + "X: a:b:c\r\nContent-Length: 2\r\n\r\nhi", ok("hi")},
		{"control characters in a value", head + "X: \x06\x7f a\rb\r\nContent-Length: 2\r\n\r\nhi", ok("hi")},
		{"folded", head + "X: a\r\n b\r\n\tc: d\r\nContent-Length: 2\r\n\r\nhi", ok("hi")},
		{"folded length", head + "Content-Length:\r\n 2\r\n\r\nhi", failed},
		{"folded from the first", head + " X: a\r\nContent-Length: 2\r\n\r\nhi", failed},
		{"no colon", head + "Content-Length 2\r\n\r\nhi", failed},
		{"blank before the colon", head + "Content-Length : 2\r\n\r\nhi", failed},
		{"no name", head + ": 2\r\n\r\nhi", failed},
		{"80 KiB of headers", head + strings.Repeat("X: "+strings.Repeat("x", 95)+"\r\n", 800) + "Content-Length: 2\r\n\r\nhi", ok("hi")},
		{"more than 80 KiB of headers", head + strings.Repeat("X: "+strings.Repeat("x", 95)+"\r\n", 820) + "Content-Length: 2\r\n\r\nhi", failed},
		{"one endless header", head + "X: " + strings.Repeat("x", maxHead), failed},
		{"only a head's beginning", head + "Content-Le", notWhole},
		{"only a status line", head, notWhole},

		// Other things than HTTP/1.
		{"nothing", "", notWhole},
		{"empty line first", "\r\n" + head + "Content-Length: 2\r\n\r\nhi", failed},
		{"garbage", "\x16\x03\x01\x02\n", failed},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", failed},
		{"HTTP/0.9", "<html>hello</html>\n", failed},
		{"small letters", "http/1.1 200 OK\r\n\r\n", failed},
		{"two digits", "HTTP/1.1 20 OK\r\n\r\n", failed},
		{"four digits", "HTTP/1.1 2000 OK\r\n\r\n", failed},
		{"no digits", "HTTP/1.1 abc OK\r\n\r\n", failed},
		{"no version digit", "HTTP/1.x 200 OK\r\n\r\n", failed},
		{"two blanks", "HTTP/1.1  200 OK\r\n\r\n", failed},
	}
}

func TestParserConformance(t *testing.T) {
	for _, c := range conformance() {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(c.text)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// The same bytes mean the same, whatever pieces they come in.
func TestParserInPieces(t *testing.T) {
	for _, c := range conformance() {
		t.Run(c.name, func(t *testing.T) {
			step := 1 + len(c.text)/2000 // every byte, but of the huge ones
			for at := 0; at <= len(c.text); at += step {
				if got, err := parse(c.text, at); got != c.want {
					t.Fatalf("cut at %d: %v (-want +got):\n%s", at, err, cmp.Diff(c.want, got))
				}
			}
			every, pairs := []int{}, min(len(c.text), 120) // of both the huge ones have too many
			for at := range c.text {
				every = append(every, at)
			}
			for first := range pairs {
				for second := first; second < pairs; second++ {
					if got, err := parse(c.text, first, second); got != c.want {
						t.Fatalf("cut at %d and %d: %v (-want +got):\n%s", first, second, err, cmp.Diff(c.want, got))
					}
				}
			}
			if got, err := parse(c.text, every...); got != c.want {
				t.Fatalf("cut at every byte: %v (-want +got):\n%s", err, cmp.Diff(c.want, got))
			}
		})
	}
}

func TestParserAfterReset(t *testing.T) {
	p := &parser{sample: 100}
	for i, text := range []string{
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\none",
		"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nthree",
		"HTTP/1.1 200 OK\r\nContent-Len",
		"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfive",
	} {
		p.reset()
		if p.started() {
			t.Errorf("answer %d has started before its first byte", i)
		}
		if _, err := p.feed([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	want := answer{status: 200, keepAlive: true, length: 4, differs: true, body: []byte("five")}
	if got := p.answer; p.phase != phaseDone || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParserComparesTheBody(t *testing.T) {
	for body, differs := range map[string]bool{
		"": false, "hello": false, "hell": false, "hallo": true, "hello!": true, "Hello": true,
	} {
		for cut := range len(body) + 1 {
			p := &parser{expected: []byte("hello")}
			p.reset()
			head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(body))
			for _, piece := range []string{head, body[:cut], body[cut:]} {
				if _, err := p.feed([]byte(piece)); err != nil {
					t.Fatal(err)
				}
			}
			if p.phase != phaseDone || p.differs != differs || p.length != int64(len(body)) || len(p.body) > 0 {
				t.Errorf("%q cut at %d: got %+v", body, cut, p.answer)
			}
		}
	}
}

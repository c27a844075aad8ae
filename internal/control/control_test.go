package control

import (
	"bytes"
	"strings"
	"testing"
)

func TestAnswerAll(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, c := range []struct {
		name, text, rest string
		answers          int
	}{
		{"one", request, "", 1},
		{"two at once", request + request, "", 2},
		{"one and a half", request + "GET /", "GET /", 1},
		{"half", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\n", 0},
		{"nothing", "", "", 0},
	} {
		var out bytes.Buffer
		rest, err := answerAll(&out, []byte(c.text))
		if err != nil || string(rest) != c.rest || out.String() != strings.Repeat(answer, c.answers) {
			t.Errorf("%s: rest %q, answered %q, %v", c.name, rest, out.String(), err)
		}
	}
}

func TestServeSaysWhatIsWrong(t *testing.T) {
	for _, args := range [][]string{nil, {"1", "2"}, {"no port"}} {
		if Serve(args) == 0 {
			t.Errorf("%q: status 0", args)
		}
	}
}

func TestAnswerIsWhole(t *testing.T) {
	head, body, _ := strings.Cut(answer, "\r\n\r\n")
	if !strings.Contains(head, "Content-Length: 13") || len(body) != 13 {
		t.Errorf("%q", answer)
	}
}

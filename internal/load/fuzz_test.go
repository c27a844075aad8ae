package load

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// FuzzParser lets net/http judge: what both take for an answer must be the same
// answer. What only one of them takes must have a reason that is listed here.
func FuzzParser(f *testing.F) {
	for _, c := range conformance() {
		if len(c.text) < 4096 {
			f.Add(c.text, uint16(7))
		}
	}
	f.Fuzz(func(t *testing.T, text string, cut uint16) {
		if len(text) > 4096 { // net/http has other limits
			return
		}
		lower := strings.ToLower(text)
		if strings.Contains(lower, "http/1.0") && strings.Contains(lower, "transfer-encoding") {
			return // net/http is deaf to it in HTTP/1.0; wrk and we are not
		}
		ours, err := parse(text)
		if pieces, _ := parse(text, int(cut)%(len(text)+1)); pieces != ours {
			t.Fatalf("in pieces %+v, as a whole %+v", pieces, ours)
		}
		theirs, theirErr := netHTTP(text)
		accepted, theyAccepted := err == nil && !ours.NotWhole, theirErr == nil
		switch {
		case accepted && theyAccepted && ours != theirs:
			t.Fatalf("ours %+v, net/http %+v", ours, theirs)
		case accepted != theyAccepted && !explained(text, err, theirErr):
			t.Fatalf("ours %+v (%v), net/http %+v (%v)", ours, err, theirs, theirErr)
		}
	})
}

// netHTTP reads the text as net/http does, past interim answers.
func netHTTP(text string) (outcome, error) {
	reader := strings.NewReader(text)
	from := bufio.NewReaderSize(reader, 8192)
	for {
		r, err := http.ReadResponse(from, &http.Request{Method: "GET"})
		if err != nil {
			return outcome{}, err
		}
		if 100 <= r.StatusCode && r.StatusCode < 200 && r.StatusCode != 101 {
			continue
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return outcome{}, err
		}
		o := outcome{Status: r.StatusCode, KeepAlive: !r.Close, Body: string(body), Rest: from.Buffered() + reader.Len()}
		untilEnd := r.ContentLength < 0 && len(r.TransferEncoding) == 0
		if untilEnd || r.StatusCode == 101 {
			o.KeepAlive = false
		}
		return o, nil
	}
}

// explained lists where we mean to differ from net/http.
func explained(text string, ours, theirs error) bool {
	if ours == nil {
		return containsAny(theirs, "invalid byte in chunk length") || // a blank between size and extension: wrk takes it
			containsAny(theirs, "malformed MIME header line") && hasControl(text) || // in a value that we do not read
			containsAny(theirs, "unexpected EOF reading trailer", "suspiciously long trailer") && hasBareLineFeed(text)
	}
	return containsAny(ours,
		"no HTTP/1 status line",  // they take HTTP/2.0 and more blanks
		"no header line",         // they take blanks before the colon
		"folded header line",     // they join it
		`bad Content-Length: ""`, // it may be folded, too
	)
}

// hasControl reports whether a text has a control character beside blanks and
// line breaks.
func hasControl(text string) bool {
	return strings.ContainsFunc(strings.ReplaceAll(text, "\r\n", "\n"), func(c rune) bool {
		return c < ' ' && c != '\t' && c != '\n' || c == 0x7f
	})
}

func hasBareLineFeed(text string) bool {
	return strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n")
}

func containsAny(err error, texts ...string) bool {
	return err != nil && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(err.Error(), text) })
}

package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"restbench/internal/bench"
)

// headerLine takes one header line; the empty one ends the head. Only headers
// that say where the answer ends and whether the connection goes on are read.
func (p *parser) headerLine(line []byte) error {
	if len(line) == 0 {
		p.headEnd()
		return nil
	}
	if line[0] == ' ' || line[0] == '\t' {
		return p.folded(line)
	}
	name, value, err := splitHeader(line)
	if err != nil {
		return err
	}
	p.fold = true
	switch len(name) {
	case len("Connection"):
		if equalFold(name, "connection") {
			p.connection(value)
			return nil
		}
	case len("Content-Type"):
		if p.sample > 0 && equalFold(name, "content-type") {
			p.contentType = string(value)
			return nil
		}
	case len("Content-Length"):
		if equalFold(name, "content-length") {
			return p.contentLength(value)
		}
	case len("Transfer-Encoding"):
		if equalFold(name, "transfer-encoding") {
			return p.transferEncoding(value)
		}
	}
	p.fold = false
	return nil
}

// folded passes over the continuation of a header line (obsolete since 2014),
// unless it belongs to a header that matters.
func (p *parser) folded(line []byte) error {
	if p.fold {
		return fmt.Errorf("folded header line: %s", quote(line))
	}
	return nil
}

// connection collects the tokens of Connection.
func (p *parser) connection(value []byte) {
	for token := range bytes.SplitSeq(value, []byte(",")) {
		token = bytes.Trim(token, " \t")
		p.said.close = p.said.close || equalFold(token, "close")
		p.said.keepAlive = p.said.keepAlive || equalFold(token, "keep-alive")
	}
}

// contentLength takes a length of digits only; said twice it must be the same.
func (p *parser) contentLength(value []byte) error {
	length, err := strconv.ParseUint(string(value), 10, 63)
	if err != nil || length > maxLength {
		return fmt.Errorf("bad Content-Length: %s", quote(value))
	}
	if p.said.length >= 0 && p.said.length != int64(length) {
		return errors.New("two different Content-Lengths")
	}
	p.said.length = int64(length)
	return nil
}

// transferEncoding takes "chunked" alone; it wins over Content-Length.
func (p *parser) transferEncoding(value []byte) error {
	if !equalFold(value, "chunked") || p.said.chunked {
		return fmt.Errorf("unknown Transfer-Encoding: %s", quote(value))
	}
	p.said.chunked = true
	return nil
}

// splitHeader cuts a header line at its colon and takes the blanks around the
// value away.
func splitHeader(line []byte) (name, value []byte, err error) {
	colon := bytes.IndexByte(line, ':')
	if colon < 1 || !bench.IsToken(line[:colon]) {
		return nil, nil, fmt.Errorf("no header line: %s", quote(line))
	}
	return line[:colon], bytes.Trim(line[colon+1:], " \t"), nil
}

// equalFold compares ASCII text with a word in lower case. Unlike
// bytes.EqualFold it takes no other letters for ASCII ones.
func equalFold(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i := range len(lower) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// quoted is how many bytes of an answer are shown to people.
const quoted = 80

// quote makes any bytes printable, in quotes, shortened.
func quote[T string | []byte](text T) string {
	if len(text) > quoted {
		return strconv.QuoteToASCII(string(text[:quoted])) + "…"
	}
	return strconv.QuoteToASCII(string(text))
}

package load

import (
	"bytes"
	"errors"
	"fmt"
)

// maxHead bounds the status line and headers of one answer, and apart from it
// the trailers. It is wrk's limit.
const maxHead = 80 << 10

// maxLength bounds Content-Length and chunk sizes: far beyond any body, far from
// overflow.
const maxLength = 1 << 50

// phase is where in an answer the parser is.
type phase uint8

const (
	phaseStatus     phase = iota // before or in the status line
	phaseHeader                  // in a header line
	phaseLength                  // in a body of known length
	phaseToEnd                   // in a body that ends with its connection
	phaseChunkSize               // in the line before a chunk
	phaseChunk                   // in a chunk
	phaseChunkBreak              // in the line break after a chunk
	phaseTrailer                 // in a line after the last chunk
	phaseDone                    // the answer is whole
)

// parser reads the answer to one request in pieces of any size, and after reset
// the next one. Interim answers (100 to 199, but for 101) are passed over. It
// allocates only where a line is torn apart by a piece's end, and keeps nothing of
// a body but its first bytes.
type parser struct {
	expected []byte // what the body is compared with while it comes in
	sample   int    // how many bytes of the body are kept; with any, Content-Type too

	phase phase
	line  []byte // beginning of a line whose end has not come yet
	head  int    // bytes of the head, or of the trailers, so far
	left  int64  // bytes of the body or chunk to come
	fold  bool   // a continuation of the last header line would change its meaning

	said framing
	answer
}

// answer is what is known of an answer when it is whole.
type answer struct {
	status      int
	keepAlive   bool   // another request may follow on this connection
	contentType string // only where a sample is kept
	length      int64  // of the body
	differs     bool   // the body is no prefix of the expected one
	body        []byte // its first bytes
}

// framing is what the headers say of connection and body.
type framing struct {
	http10    bool
	chunked   bool
	length    int64 // -1: not said
	close     bool  // tokens of Connection
	keepAlive bool
}

// reset makes the parser ready for the next answer.
func (p *parser) reset() {
	p.phase, p.head, p.left, p.line = phaseStatus, 0, 0, p.line[:0]
	p.answer = answer{body: p.body[:0]}
	p.startHead()
}

// started reports whether any byte of an answer has come in.
func (p *parser) started() bool { return p.phase != phaseStatus || p.head > 0 }

func (p *parser) startHead() {
	p.phase, p.head, p.fold = phaseStatus, 0, false
	p.said = framing{length: -1}
}

// feed takes the next bytes and says how many of them belong to this answer:
// all, unless it is whole (phaseDone). After an error the connection is of no use.
func (p *parser) feed(data []byte) (used int, err error) {
	for p.phase != phaseDone && used < len(data) {
		n, err := p.step(data[used:])
		used += n
		if err != nil {
			return used, err
		}
	}
	return used, nil
}

// end tells the parser that the connection has ended: it makes an answer whole
// whose body ends so.
func (p *parser) end() error {
	if p.phase != phaseToEnd {
		return errors.New("the connection ended inside an answer")
	}
	p.phase = phaseDone
	return nil
}

func (p *parser) step(data []byte) (int, error) {
	switch p.phase {
	case phaseLength, phaseChunk:
		return p.counted(data), nil
	case phaseToEnd:
		p.take(data)
		return len(data), nil
	}
	line, n, err := p.cutLine(data)
	if err != nil || line == nil {
		return n, err
	}
	return n, p.handle(line)
}

// counted takes what belongs to a body or chunk of known length.
func (p *parser) counted(data []byte) int {
	n := int(min(p.left, int64(len(data))))
	p.take(data[:n])
	p.left -= int64(n)
	if p.left == 0 {
		if p.phase == phaseLength {
			p.phase = phaseDone
		} else {
			p.phase = phaseChunkBreak
		}
	}
	return n
}

// take compares and counts a piece of the body.
func (p *parser) take(piece []byte) {
	from, to := p.length, p.length+int64(len(piece))
	if to > int64(len(p.expected)) || !bytes.Equal(piece, p.expected[from:to]) {
		p.differs = true
	}
	if room := p.sample - len(p.body); room > 0 {
		p.body = append(p.body, piece[:min(room, len(piece))]...)
	}
	p.length = to
}

// cutLine returns the next line with its line break, or nil while its end has not
// come. The line is valid until the next call.
func (p *parser) cutLine(data []byte) (line []byte, used int, err error) {
	end := bytes.IndexByte(data, '\n')
	used = end + 1
	if end < 0 {
		used = len(data)
	}
	if p.head += used; p.head > maxHead {
		return nil, used, fmt.Errorf("head of more than %d bytes", maxHead)
	}
	if end >= 0 && len(p.line) == 0 {
		return data[:used], used, nil
	}
	p.line = append(p.line, data[:used]...)
	if end < 0 {
		return nil, used, nil
	}
	line, p.line = p.line, p.line[:0]
	return line, used, nil
}

func (p *parser) handle(line []byte) error {
	switch p.phase {
	case phaseStatus:
		return p.statusLine(trimBreak(line))
	case phaseHeader:
		return p.headerLine(trimBreak(line))
	case phaseChunkSize:
		return p.chunkSize(line)
	case phaseChunkBreak:
		if string(line) != "\r\n" {
			return errors.New("no line break after a chunk")
		}
		p.phase = phaseChunkSize
		p.head = 0
		return nil
	default:
		return p.trailerLine(trimBreak(line))
	}
}

// trimBreak takes the line break away; a bare line feed is one, as for wrk.
func trimBreak(line []byte) []byte {
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// statusLine reads "HTTP/1.1 200 OK"; the words after the number are free and may
// be missing.
func (p *parser) statusLine(line []byte) error {
	if len(line) < len("HTTP/1.1 200") || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return fmt.Errorf("no HTTP/1 status line: %s", quote(line))
	}
	minor, digits := line[7], line[9:12]
	if !isDigit(minor) || !isDigit(digits[0]) || !isDigit(digits[1]) || !isDigit(digits[2]) {
		return fmt.Errorf("no HTTP/1 status line: %s", quote(line))
	}
	if len(line) > 12 && line[12] != ' ' {
		return fmt.Errorf("no HTTP/1 status line: %s", quote(line))
	}
	p.status = int(digits[0]-'0')*100 + int(digits[1]-'0')*10 + int(digits[2]-'0')
	p.said.http10 = minor == '0'
	p.fold = true // there is no header yet that a line could continue
	p.phase = phaseHeader
	return nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// headEnd decides how the body ends and whether the connection goes on.
func (p *parser) headEnd() {
	f := &p.said
	p.keepAlive = !f.close && (!f.http10 || f.keepAlive)
	switch {
	case p.status == 101:
		p.phase, p.keepAlive = phaseDone, false // what follows is another protocol
	case p.status >= 100 && p.status < 200:
		p.contentType = ""
		p.startHead()
	case p.status == 204 || p.status == 304:
		p.phase = phaseDone
	case f.chunked:
		p.phase, p.head = phaseChunkSize, 0
	case f.length == 0:
		p.phase = phaseDone
	case f.length > 0:
		p.phase, p.left = phaseLength, f.length
	default:
		p.phase, p.keepAlive = phaseToEnd, false
	}
}

// chunkSize reads the hexadecimal length before a chunk; extensions after ";" have
// no meaning here. A bare line feed is not accepted: where bodies are cut, leniency
// means that two readers disagree.
func (p *parser) chunkSize(line []byte) error {
	size, digits := int64(0), 0
	for digits < len(line) && hexValue(line[digits]) >= 0 {
		size = size<<4 | int64(hexValue(line[digits]))
		if digits++; size > maxLength {
			return fmt.Errorf("chunk size too big: %s", quote(line))
		}
	}
	rest := bytes.TrimLeft(line[digits:], " \t")
	if digits == 0 || !bytes.HasSuffix(rest, []byte("\r\n")) || (rest[0] != ';' && len(rest) != 2) {
		return fmt.Errorf("no chunk size: %s", quote(line))
	}
	if p.left, p.phase = size, phaseChunk; size == 0 {
		p.phase, p.head = phaseTrailer, 0
	}
	return nil
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// trailerLine passes over the lines after the last chunk.
func (p *parser) trailerLine(line []byte) error {
	if len(line) == 0 {
		p.phase = phaseDone
		return nil
	}
	_, _, err := splitHeader(line)
	return err
}

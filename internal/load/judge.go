package load

import (
	"fmt"

	"restbench/internal/bench"
)

// right is the kind of an answer that is no error.
const right bench.ErrorKind = ""

// judge compares a whole answer with what is expected. Without an expected status
// nothing is known about the server: any status below 400 is right, with any body.
func judge(p *parser, want bench.Expect) bench.ErrorKind {
	switch {
	case want.Status == 0 && p.status < 400:
		return right
	case want.Status != p.status:
		return bench.ErrorStatus
	case p.length != int64(len(want.Body)):
		return bench.ErrorLength
	case p.differs:
		return bench.ErrorBody
	}
	return right
}

// explain says in plain words what is wrong with an answer.
func explain(p *parser, want bench.Expect, kind bench.ErrorKind) string {
	switch kind {
	case bench.ErrorStatus:
		if want.Status == 0 {
			return fmt.Sprintf("status %d; body %s", p.status, quote(p.body))
		}
		return fmt.Sprintf("status %d, want %d; body %s", p.status, want.Status, quote(p.body))
	case bench.ErrorLength:
		return fmt.Sprintf("body of %d bytes, want %d: got %s, want %s",
			p.length, len(want.Body), quote(p.body), quote(want.Body))
	default:
		return fmt.Sprintf("other bytes in the body: got %s, want %s", quote(p.body), quote(want.Body))
	}
}

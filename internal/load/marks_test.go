package load

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

func TestMarks(t *testing.T) {
	invalid := func(reason, detail string) []bench.Mark {
		return []bench.Mark{{Kind: bench.MarkInvalid, Reason: reason, Detail: detail}}
	}
	tests := map[string]struct {
		load bench.Load
		want []bench.Mark
	}{
		"all right": {bench.Load{Requests: 1000}, nil},
		"1 % wrong": {bench.Load{Requests: 99, Errors: map[bench.ErrorKind]int64{bench.ErrorBody: 1}}, nil}, // 1 of 100: just allowed
		"2 % wrong": { // 1 + 1 of 100
			bench.Load{Requests: 98, Errors: map[bench.ErrorKind]int64{bench.ErrorBody: 1, bench.ErrorRead: 1}},
			invalid(bench.ReasonErrors, "2.0 % of the answers were wrong or missing"),
		},
		"nothing": {
			bench.Load{Errors: map[bench.ErrorKind]int64{bench.ErrorStatus: 7}, FirstWrong: "404 Not Found"},
			invalid(bench.ReasonNoRequests, "not one right answer; the first: 404 Not Found"),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Marks(test.load)); diff != "" {
				t.Errorf("marks (-want +got):\n%s", diff)
			}
		})
	}
}

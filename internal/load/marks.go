package load

import (
	"fmt"

	"restbench/internal/bench"
)

// maxErrorShare is the share of wrong or missing answers above which a rate no
// longer says how fast the server answers right.
const maxErrorShare = 0.01

// Marks says what is wrong with a load as a measurement.
func Marks(l bench.Load) []bench.Mark {
	if l.Requests == 0 {
		return []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonNoRequests, Detail: "not one right answer" + firstWrong(l)}}
	}
	errors := l.ErrorCount()
	share := float64(errors) / float64(errors+l.Requests)
	if share <= maxErrorShare {
		return nil
	}
	detail := fmt.Sprintf("%.1f %% of the answers were wrong or missing%s", 100*share, firstWrong(l))
	return []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonErrors, Detail: detail}}
}

func firstWrong(l bench.Load) string {
	if l.FirstWrong == "" {
		return ""
	}
	return "; the first: " + l.FirstWrong
}

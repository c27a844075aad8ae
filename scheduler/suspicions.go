package scheduler

import "restbench/internal/bench"

// Suspicions says after which campaigns another one follows at once to confirm
// what looks bad: one for each suspicion. A target that goes on to look bad is
// not confirmed again before it has looked well. The zero value is ready; it is
// not safe for concurrent use.
type Suspicions struct{ asked map[bench.Target]bool }

// Confirm is told who looked much worse than before in a scheduled campaign, and
// reports whether somebody did for whom no campaign was asked yet.
func (s *Suspicions) Confirm(suspicious []bench.Target) bool {
	asked, fresh := map[bench.Target]bool{}, false
	for _, t := range suspicious {
		fresh = fresh || !s.asked[t]
		asked[t] = true
	}
	s.asked = asked
	return fresh
}

// Confirmed is told who looked much worse than before in the confirming
// campaign. Another one does not follow, whatever that shows.
func (s *Suspicions) Confirmed(suspicious []bench.Target) {
	still := map[bench.Target]bool{}
	for _, t := range suspicious {
		if s.asked[t] {
			still[t] = true
		}
	}
	s.asked = still
}

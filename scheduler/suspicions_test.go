package scheduler

import (
	"testing"

	"restbench/internal/bench"
)

func TestOneConfirmingCampaignForEachSuspicion(t *testing.T) {
	a, b := bench.Target{Framework: "a"}, bench.Target{Framework: "b"}
	var s Suspicions
	for i, step := range []struct {
		scheduled []bench.Target
		follows   bool
		confirmed []bench.Target // what the campaign that follows shows
	}{
		{nil, false, nil},
		{[]bench.Target{a}, true, []bench.Target{a}},
		{[]bench.Target{a}, false, nil},                 // it goes on
		{[]bench.Target{a, b}, true, []bench.Target{b}}, // another one; a looks well again
		{[]bench.Target{a, b}, true, []bench.Target{a}}, // and does not any more
		{nil, false, nil},                               // all look well
		{[]bench.Target{a, b}, true, []bench.Target{}},  // so this is new
		{[]bench.Target{b}, true, []bench.Target{a, b}}, // a looked bad in a confirming campaign only
		{[]bench.Target{a}, true, []bench.Target{a}},    // in a scheduled one it is new
	} {
		if got := s.Confirm(step.scheduled); got != step.follows {
			t.Errorf("step %d: a campaign follows: %t", i, got)
		}
		if step.follows {
			s.Confirmed(step.confirmed)
		}
	}
}

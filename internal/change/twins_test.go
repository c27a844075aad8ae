package change_test

import (
	"slices"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
)

func ofOwn(i int) bench.Target {
	t := target(i)
	t.Edition = "own"
	return t
}

// editions are two of one machine; the second becomes slower some campaigns later, and
// the control, if that does, with the first and, much later, with the second.
func editions(later int, control bool) []change.Campaign {
	return history(60, func(campaign int, c change.Campaign) {
		go1 := bench.ControlTarget(bench.ControlGo)
		c.Rates[go1] = 50_000
		if control && campaign >= 30 {
			c.Rates[go1] *= 0.7
		}
		if control && later > 2 && campaign >= 30+later {
			c.Rates[go1] *= 0.7
		}
		for i := range size {
			c.Rates[ofOwn(i)] = c.Rates[target(i)] * (1 + 0.01*float64((7*i+5*campaign)%3-1))
			if campaign >= 30 {
				slower(c, i, 0.7)
			}
			if campaign >= 30+later {
				c.Rates[ofOwn(i)] *= 0.7
			}
		}
	})
}

// Each edition finds for itself what happened to the machine; whoever knows of it says so
// once. What is not the machine, or happened at another time, has its own word.
func TestAcceptingAMachineEndsItInAllEditions(t *testing.T) {
	for name, test := range map[string]struct {
		later   int
		machine bool
		want    int // ended
	}{
		"at once":            {0, true, 2},
		"a campaign later":   {1, true, 2},
		"another time":       {9, true, 1},
		"not by the machine": {0, false, 1},
	} {
		campaigns := editions(test.later, test.machine)
		known := replay(campaigns)
		if len(known.Changes) != 2 || (known.Changes[0].Scope == change.ScopeHost) != test.machine || known.Changes[0].Scope != known.Changes[1].Scope {
			t.Errorf("%s: %+v", name, known.Changes)
			continue
		}
		for i, c := range known.Changes {
			at := campaigns[50].At
			h := replay(campaigns, change.Acceptance{ID: c.ID, At: at, Note: "a new disk"})
			ended := 0
			for _, c := range h.Changes {
				if c.End.Reason == change.Accepted && c.End.At.Equal(at) {
					ended++
				}
			}
			other := known.Changes[1-i].ID
			if ended != test.want || slices.Contains(known.Twins(c.ID), other) != (test.want == 2) || h.Changes[i].End.Reason != change.Accepted {
				t.Errorf("%s: accepting %s ended %d, twins %v", name, c.ID, ended, known.Twins(c.ID))
			}
		}
	}
}

// One movement of a field is told in the signal in which something became slower, and
// not in that in which nothing did, under the same name.
func TestAnEventIsToldByTheSignalThatShowsIt(t *testing.T) {
	campaigns := stalled(60, func(campaign int, c change.Campaign) {
		for i := range size {
			if campaign >= 30 {
				c.Costs[target(i)] *= 1.5
			}
		}
	})
	for i := range campaigns[30:] {
		campaigns[30+i].Machine = "another"
	}
	for n := 31; n <= 60; n++ {
		c := only(t, replay(campaigns[:n]))
		if c.ID != "130-environment@current" || c.Signal != bench.SignalServerCPU || c.Way() != change.Slower {
			t.Errorf("after %d campaigns: %+v", n, c)
		}
	}
}

// Nor does it silence what the other signal finds a campaign later, under another name.
func TestAnEventThatIsTheSameSilencesNoLoss(t *testing.T) {
	h := replay(stalled(60, func(campaign int, c change.Campaign) {
		for i := range 4 {
			if campaign >= 30 {
				c.Costs[target(i)] *= []float64{1.3, 1.3, 1 / 1.3, 1 / 1.3}[i]
			}
			if campaign >= 31 {
				slower(c, i, 0.8)
			}
		}
	}))
	whole := ofTarget(h, true)
	if len(whole) != 2 || whole[0].Way() != change.Same || whole[1].Way() != change.Slower || whole[1].ID != "132-environment@current" {
		t.Errorf("%+v", whole)
	}
}

package change_test

import (
	"math/rand/v2"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
)

// A patch of the kernel that changes nothing, on a machine whose host wanders by 6 %,
// is an event, and bad news to nobody; one that halves everything is.
func TestAnotherEnvironmentOfAHostThatWanders(t *testing.T) {
	const trials = 100
	for _, measured := range []int{size, 3, 1} {
		said := map[float64]map[string]int{1: {}, 0.5: {}}
		for factor, of := range said {
			random := rand.New(rand.NewPCG(5, 20200810))
			for range trials {
				campaigns := simulated(random, 20, 0, false)
				patched(campaigns, measured, factor)
				for _, c := range replay(campaigns).Changes {
					if c.Whole() && c.Reported == (change.Moment{Campaign: 19, At: campaigns[19].At}) {
						of[c.Way()]++
					}
				}
			}
		}
		t.Logf("%d measured: %v", measured, said)
		if same := said[1][change.Same]; 10*same < 9*trials {
			t.Errorf("%d measured: nothing changed, which was said in %d of %d", measured, same, trials)
		}
		if found := said[0.5][change.Slower]; 10*found < 8*trials {
			t.Errorf("%d measured: half as fast, which was said in %d of %d", measured, found, trials)
		}
	}
}

func patched(campaigns []change.Campaign, measured int, factor float64) {
	for i := range campaigns {
		for j := range size {
			if j >= measured {
				delete(campaigns[i].Rates, target(j))
			}
			if _, ok := campaigns[i].Rates[target(j)]; ok && i == len(campaigns)-1 {
				slower(campaigns[i], j, factor)
			}
		}
	}
	campaigns[len(campaigns)-1].Machine = "patched"
}

// Half of the field is half of those that are measured: who left long ago has no say.
func TestANewInterpreterOfWhatIsLeftOfAField(t *testing.T) {
	campaigns := history(60, func(campaign int, c change.Campaign) {
		for i := range size {
			if campaign >= 10 && i >= 5 {
				delete(c.Rates, target(i))
				delete(c.Versions, target(i))
			}
			if campaign >= 40 && i < 5 {
				slower(c, i, 1.2)
				c.Versions[target(i)] = bench.Versions{Framework: "1.0", Python: "3.14.0"}
			}
		}
	})
	h := replay(campaigns)
	if len(h.Changes) != 1 || h.Changes[0].Scope != change.ScopeInterpreter || h.Changes[0].Onset.Campaign != 140 {
		t.Errorf("%+v", h.Changes)
	}
}

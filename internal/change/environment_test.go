package change_test

import (
	"math/rand/v2"
	"testing"

	"restbench/internal/change"
)

// A patch of the kernel that changes nothing, on a machine whose host wanders by 6 %,
// is an event, and bad news to nobody; one that halves everything is.
func TestAnotherEnvironmentOfAHostThatWanders(t *testing.T) {
	const trials = 100
	for _, few := range []bool{false, true} {
		said := map[float64]map[string]int{1: {}, 0.5: {}}
		for factor, of := range said {
			random := rand.New(rand.NewPCG(5, 20200810))
			for range trials {
				campaigns := simulated(random, 20, 0, false)
				patched(campaigns, few, factor)
				for _, c := range replay(campaigns).Changes {
					if c.Whole() && c.Reported == (change.Moment{Campaign: 19, At: campaigns[19].At}) {
						of[c.Way()]++
					}
				}
			}
		}
		t.Logf("few %t: %v", few, said)
		if same := said[1][change.Same]; 10*same < 9*trials {
			t.Errorf("few %t: nothing changed, which was said in %d of %d", few, same, trials)
		}
		if found := said[0.5][change.Slower]; 10*found < 8*trials {
			t.Errorf("few %t: half as fast, which was said in %d of %d", few, found, trials)
		}
	}
}

func patched(campaigns []change.Campaign, few bool, factor float64) {
	for i := range campaigns {
		for j := range size {
			if few && j >= 3 {
				delete(campaigns[i].Rates, target(j))
			}
			if _, ok := campaigns[i].Rates[target(j)]; ok && i == len(campaigns)-1 {
				slower(campaigns[i], j, factor)
			}
		}
	}
	campaigns[len(campaigns)-1].Machine = "patched"
}

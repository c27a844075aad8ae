package change_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
)

// on puts n campaigns of the first of a field on a host that scatters by so much, and
// which a control shows as well, if there is one.
func on(host float64, seed uint64, measured int, control bool, disturb func(campaign int, c change.Campaign)) []change.Campaign {
	random := rand.New(rand.NewPCG(seed, 20200810))
	return history(60, func(campaign int, c change.Campaign) {
		common := math.Exp(host * random.NormFloat64())
		for i := range size {
			c.Rates[target(i)] = 1000 * float64(i+1) * common * math.Exp(0.01*random.NormFloat64())
			if i >= measured {
				delete(c.Rates, target(i))
			}
		}
		if control {
			c.Rates[bench.ControlTarget(bench.ControlGo)] = 50_000 * common * math.Exp(0.01*random.NormFloat64())
		}
		disturb(campaign, c)
	})
}

// A part of the field that becomes slower is told so, and nobody blames the machine,
// whatever that does at the time.
func TestAPartOfTheFieldThatIsSlowerIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		host           float64
		measured, slow int
		factor         float64
		control        bool
	}{
		"3 of 9":                         {0.004, 9, 3, 0.5, false},
		"3 of 9, wandering":              {0.06, 9, 3, 0.5, false},
		"4 of 11":                        {0.004, 11, 4, 0.92, true},
		"4 of 11, wandering":             {0.06, 11, 4, 0.92, true},
		"4 of 11, wandering, no control": {0.06, 11, 4, 0.92, false},
	} {
		for seed := range uint64(30) {
			h := replay(on(test.host, seed, test.measured, test.control, func(campaign int, c change.Campaign) {
				for i := range test.slow {
					if campaign >= 30 {
						slower(c, i, test.factor)
					}
				}
			}))
			if whole := ofTarget(h, true); len(whole) != 1 || whole[0].Way() != change.Slower || whole[0].Scope != change.ScopeFramework ||
				!strings.HasPrefix(whole[0].What(), "several frameworks (a part of edition current, relative to the rest: "+firstNames(test.slow)) {
				t.Errorf("%s, seed %d: %+v", name, seed, whole)
			}
		}
	}
}

// What the machine does to a part of the field, the control that is nothing else shows
// as well, beside what the others do.
func TestAPartOfTheFieldThatTheMachineSlows(t *testing.T) {
	for seed := range uint64(30) {
		h := replay(on(0.06, seed, size, true, func(campaign int, c change.Campaign) {
			if campaign >= 30 {
				c.Rates[bench.ControlTarget(bench.ControlGo)] *= 0.8
				for i := range 4 {
					slower(c, i, 0.8)
				}
			}
		}))
		whole := ofTarget(h, true)
		if len(whole) != 1 || whole[0].Way() != change.Slower || whole[0].Scope != change.ScopeHost {
			t.Errorf("seed %d: %+v", seed, whole)
			continue
		}
		if got := whole[0].What(); got != "the machine (a part of edition current, relative to the rest: "+firstNames(4)+")" {
			t.Errorf("seed %d: %s", seed, got)
		}
	}
}

// firstNames are the names of the first of the field, as a text has them.
func firstNames(n int) string {
	var names []string
	for i := range n {
		names = append(names, target(i).Framework)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Who moved with most of the field is told apart from who did not; where all moved,
// there is no part.
func TestAPartThatMovedAsMeasured(t *testing.T) {
	for slow, want := range map[int]string{
		7:    "the machine (a part of edition current: " + firstNames(7) + ")",
		size: "the machine (all of edition current)",
	} {
		h := replay(on(0.004, 1, size, false, func(campaign int, c change.Campaign) {
			for i := range slow {
				if campaign >= 30 {
					slower(c, i, 0.5)
				}
			}
		}))
		if c := ofTarget(h, true)[0]; c.What() != want || c.Relative {
			t.Errorf("%d of %d: %s", slow, size, c.What())
		}
	}
}

// The machine that is as before ends what it did, and not what several frameworks do
// since: neither by its own return nor by taking their place for that of before.
func TestTheReturnOfTheMachineEndsNothingElse(t *testing.T) {
	for name, test := range map[string]struct {
		host, frameworks float64
		until            int
	}{"soon": {0.7, 0.85, 50}, "later, by as much as they lost": {0.8, 0.55, 62}} {
		for seed := range uint64(10) {
			campaigns := historyOf(seed, 90, func(campaign int, c change.Campaign) {
				control := bench.ControlTarget(bench.ControlGo)
				c.Rates[control] = 50_000
				if campaign >= 30 && campaign < test.until {
					c.Rates[control] *= test.host
					for i := range size {
						slower(c, i, test.host)
					}
				}
				for i := range 4 {
					if campaign >= 44 {
						slower(c, i, test.frameworks)
					}
				}
			})
			ends := map[change.Scope]change.Reason{}
			for _, c := range ofTarget(replay(campaigns), true) {
				if c.Way() != change.Slower {
					t.Errorf("%s, seed %d: %s, reported %d", name, seed, c.Way(), c.Reported.Campaign)
				}
				ends[c.Scope] = c.End.Reason
			}
			if ends[change.ScopeFramework] != change.Expired || ends[change.ScopeHost] != change.Returned {
				t.Errorf("%s, seed %d: %v", name, seed, ends)
			}
		}
	}
}

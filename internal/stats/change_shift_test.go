package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"restbench/internal/stats"
)

// shifted is a quiet field of n campaigns, of which disturb may alter each, and the
// shift of series 4 in it.
func shifted(n, onset int, disturb func(campaign int, values []float64)) (stats.Shift, bool) {
	field := quietField(rand.New(rand.NewPCG(5, 20200810)))
	var campaigns [][]float64
	for campaign := range n {
		values := field()
		disturb(campaign, values)
		campaigns = append(campaigns, values)
	}
	return stats.ShiftAt(campaigns, 4, onset)
}

func wantShift(t *testing.T, s stats.Shift, truth, width float64) {
	t.Helper()
	near(t, "shift", s.Effect, truth, width/2)
	if !s.CI95.Contains(truth) || !s.CI95.Contains(s.Effect) || s.CI95.High-s.CI95.Low > width {
		t.Errorf("interval %+v, want one of at most %g about %g", s.CI95, width, truth)
	}
}

// A host that moves by 3 % is in no interval.
func TestShiftIsRelativeToTheField(t *testing.T) {
	s, ok := shifted(35, 30, func(campaign int, values []float64) {
		if campaign >= 30 {
			values[4] *= 1.1
			for i := range values {
				values[i] *= 0.7
			}
		}
	})
	if !ok {
		t.Fatal("no shift")
	}
	wantShift(t, s, 0.1, 0.05)
}

// Fewer than four others tell nothing about the host: its movement stays in.
func TestShiftOfAFewIsAsMeasured(t *testing.T) {
	s, ok := shifted(36, 30, func(campaign int, values []float64) {
		for i := range values {
			if i > 4 || i == 0 {
				values[i] = math.NaN()
			}
		}
		if campaign >= 30 {
			values[4] *= 1.1
		}
	})
	if !ok {
		t.Fatal("no shift")
	}
	wantShift(t, s, 0.1, 0.3)
	if width := s.CI95.High - s.CI95.Low; width < 0.05 {
		t.Errorf("width %g: the host moves by 3 %%", width)
	}
}

// The same values say less when each is like the one before.
func TestShiftOfWhatHangsTogetherIsLessSure(t *testing.T) {
	width := func(order int) float64 {
		var campaigns [][]float64
		for i := range 36 {
			at := i * order % 30
			if i >= 30 {
				at = i
			}
			campaigns = append(campaigns, []float64{math.Exp(0.03 * math.Sin(2*math.Pi*float64(at)/15))})
		}
		s, ok := stats.ShiftAt(campaigns, 0, 30)
		if !ok {
			t.Fatal("no shift")
		}
		return s.CI95.High - s.CI95.Low
	}
	if waves, mixed := width(1), width(7); waves < 1.5*mixed {
		t.Errorf("width %g in order, %g mixed", waves, mixed)
	}
}

func TestShiftNeedsValuesOnBothSides(t *testing.T) {
	nothing := func(int, []float64) {}
	for _, test := range []struct {
		n, onset int
		ok       bool
	}{{6, 4, true}, {6, 3, false}, {5, 4, false}, {4, 4, false}, {5, 0, false}} {
		if _, ok := shifted(test.n, test.onset, nothing); ok != test.ok {
			t.Errorf("%d campaigns, from %d on: %t", test.n, test.onset, ok)
		}
	}
	if _, ok := shifted(40, 30, func(campaign int, values []float64) {
		if campaign > 30 {
			values[4] = 0
		}
	}); ok {
		t.Error("one value since is enough")
	}
	if _, ok := shifted(40, 30, func(campaign int, values []float64) {
		if campaign > 30 {
			for _, i := range []int{3, 5, 6, 7, 8, 9, 10} {
				values[i] = math.NaN()
			}
		}
	}); ok {
		t.Error("campaigns without a field are compared with some that have one")
	}
}

// What is farther away than the stretches that are compared has no say.
func TestShiftLooksAtWhatIsNear(t *testing.T) {
	s, ok := shifted(90, 60, func(campaign int, values []float64) {
		switch {
		case campaign < 30:
			values[4] *= 3
		case campaign >= 72:
			values[4] *= 5
		case campaign >= 60:
			values[4] *= 0.9
		}
	})
	if !ok {
		t.Fatal("no shift")
	}
	wantShift(t, s, -0.1, 0.04)
}

// One value far off, on either side, moves nothing much; two since that do not
// agree say nothing.
func TestShiftOutlivesSingleDisturbances(t *testing.T) {
	s, _ := shifted(34, 30, func(campaign int, values []float64) {
		if campaign == 12 || campaign == 31 {
			values[4] *= 1.5
		}
	})
	wantShift(t, s, 0, 0.1)
	s, _ = shifted(32, 30, func(campaign int, values []float64) {
		if campaign == 31 {
			values[4] *= 1.2
		}
	})
	if !s.CI95.Contains(0) {
		t.Errorf("one of two campaigns was disturbed: %+v", s)
	}
}

// Whatever the field suffers from, the interval holds the truth about as often as it
// says, from two campaigns on; a host that steps and single bad values included.
func TestCoverageOfTheShift(t *testing.T) {
	const trials = 600
	want := func(what string, since, hits int) {
		if share := float64(hits) / trials; share < 0.94 {
			t.Errorf("%s, %d campaigns: the interval holds the truth in %.1f %%", what, since, 100*share)
		}
	}
	for _, since := range []int{2, 4, 12} {
		random := rand.New(rand.NewPCG(uint64(since), 20200810))
		hits := 0
		for range trials {
			var campaigns [][]float64
			for range 20 + since {
				campaigns = append(campaigns, []float64{math.Exp(0.05 * random.NormFloat64())})
			}
			if shift, ok := stats.ShiftAt(campaigns, 0, 20); !ok || shift.CI95.Contains(0) {
				hits++
			}
		}
		want("alone", since, hits)
	}
	for _, s := range nullScenarios() {
		for _, since := range []int{2, 4, 12} {
			random := rand.New(rand.NewPCG(uint64(since), 20200810))
			hits := 0
			for range trials {
				field := stats.NewSimulation(s.Scenario, random)
				var campaigns [][]float64
				for campaign := range 20 + since {
					if campaign == 20 {
						field.Change(3, 1.1)
					}
					campaigns = append(campaigns, slices.Clone(field.Next()))
				}
				if shift, ok := stats.ShiftAt(campaigns, 3, 20); !ok || shift.CI95.Contains(0.1) {
					hits++
				}
			}
			want(s.name, since, hits)
		}
	}
}

// Two values that happen to agree do not make the third a disturbance: how much values
// scatter is known from those before.
func TestShiftKnowsTheScatterFromBefore(t *testing.T) {
	var campaigns [][]float64
	for i := range 30 {
		campaigns = append(campaigns, []float64{1 + 0.02*float64(i%2)})
	}
	s, ok := stats.ShiftAt(append(campaigns, []float64{1.01}, []float64{1.01}, []float64{1.04}), 0, 30)
	if !ok {
		t.Fatal("no shift")
	}
	near(t, "shift", s.Effect, 0.01, 0.0005)
}

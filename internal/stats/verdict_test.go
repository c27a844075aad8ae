package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

func TestJudge(t *testing.T) {
	for name, test := range map[string]struct {
		interval *stats.Interval
		want     stats.Verdict
	}{
		"none":                    {nil, stats.Unknown},
		"beyond, above":           {&stats.Interval{Low: 1.0201, High: 1.5}, stats.Faster},
		"beyond, below":           {&stats.Interval{Low: 0.5, High: 0.9799}, stats.Slower},
		"within":                  {&stats.Interval{Low: 0.98, High: 1.02}, stats.Same},
		"differs, but by little":  {&stats.Interval{Low: 1.005, High: 1.015}, stats.Same},
		"differs, perhaps little": {&stats.Interval{Low: 1.01, High: 1.5}, stats.Unknown},
		"lower, perhaps little":   {&stats.Interval{Low: 0.5, High: 0.99}, stats.Unknown},
		"on both sides":           {&stats.Interval{Low: 0.7, High: 1.4}, stats.Unknown},
	} {
		if got := stats.Judge(test.interval, 0.02); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// judged simulates comparisons of 40 starts of two rounds each, where a start
// has a spread of its own, and counts the verdicts.
func judged(truth, between, within float64, seed uint64) map[stats.Verdict]float64 {
	const starts, rounds = 40, 2
	random := rand.New(rand.NewPCG(seed, 20200810))
	shares := map[stats.Verdict]float64{}
	for range simulations {
		a, b := make([][]float64, starts), make([][]float64, starts)
		for g := range starts {
			startA, startB := between*random.NormFloat64(), between*random.NormFloat64()
			for range rounds {
				machine := 0.2 * random.NormFloat64() // of the moment, the same for both
				a[g] = append(a[g], 1000*math.Exp(machine+startA+within*random.NormFloat64()))
				b[g] = append(b[g], 1000*truth*math.Exp(machine+startB+within*random.NormFloat64()))
			}
		}
		r, _, err := stats.PairedRatioStarts(b, a)
		if err != nil {
			panic(err)
		}
		shares[stats.Judge(r.CI95, 0.02)] += 1.0 / simulations
	}
	return shares
}

func shares(of map[stats.Verdict]float64) string {
	return fmt.Sprintf("%.1f %% same, %.1f %% unknown, %.1f %% slower, %.1f %% faster of %d comparisons",
		100*of[stats.Same], 100*of[stats.Unknown], 100*of[stats.Slower], 100*of[stats.Faster], simulations)
}

// Something compared with itself is called different in at most 1 of 100 cases,
// whatever the noise, and 10 % are found.
func TestVerdictsOfSimulatedComparisons(t *testing.T) {
	for name, noise := range map[string]struct{ between, within float64 }{
		"quiet": {0.005, 0.01}, "usual": {0.02, 0.03}, "noisy": {0.05, 0.10}, "one start is not the next": {0.08, 0.01},
	} {
		same := judged(1, noise.between, noise.within, 1)
		t.Logf("%s, with itself: %s", name, shares(same))
		if wrong := same[stats.Faster] + same[stats.Slower]; wrong > 0.01 {
			t.Errorf("%s: %.2f %% of comparisons with itself are wrong", name, 100*wrong)
		}
		if name != "quiet" && name != "usual" {
			continue
		}
		slower := judged(1/1.1, noise.between, noise.within, 2)
		t.Logf("%s, 10 %% more work: %s", name, shares(slower))
		if slower[stats.Slower] < 0.9 {
			t.Errorf("%s: 10 %% more work is seen too rarely", name)
		}
		if same[stats.Same] < 0.9 && name == "quiet" {
			t.Errorf("%s: with itself: %v", name, same)
		}
	}
}

package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

func TestEquivalence(t *testing.T) {
	for _, c := range []struct {
		name string
		logs []float64
		want stats.Equivalence
	}{
		{"the same", []float64{0.001, -0.001, 0.002, -0.002}, stats.Agree},
		{"a little more, sure", []float64{0.010, 0.011, 0.010, 0.009}, stats.Agree},
		{"more than the margin, sure", []float64{0.05, 0.051, 0.049, 0.05}, stats.Differ},
		{"less, sure", []float64{-0.05, -0.051, -0.049, -0.05}, stats.Differ},
		{"no difference found, but noisy", []float64{0.1, -0.1, 0.1, -0.1}, stats.TooNoisy},
		{"at the margin", []float64{0.018, 0.022, 0.02, 0.02}, stats.TooNoisy},
		{"one value", []float64{0}, stats.TooNoisy},
		{"none", nil, stats.TooNoisy},
	} {
		if got := stats.SummarizeLogs(c.logs).Test(0.02); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// At the edge of the margin the test may say "agree" in 5 % of the cases, and
// not in more.
func TestEquivalenceIsWrongInFivePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 20200810))
	agreed := 0
	for range simulations {
		logs := make([]float64, 12)
		for i := range logs {
			logs[i] = math.Log(1.02) + 0.01*random.NormFloat64()
		}
		if stats.SummarizeLogs(logs).Test(0.02) == stats.Agree {
			agreed++
		}
	}
	share := float64(agreed) / simulations
	t.Logf("at the edge of the margin %.1f %% of %d simulated comparisons agree", 100*share, simulations)
	near(t, "share of wrong agreements", share, 0.05, 0.0123)
}

func TestIndex(t *testing.T) {
	steady := func(now float64) []float64 { return []float64{100, 100, 100, 100, now} }
	if got := stats.Index([][]float64{steady(90), steady(90), steady(50)}); got == nil || math.Abs(*got-0.9) > 1e-12 {
		t.Errorf("a slow machine with one slow framework: %v, want 0.9", got)
	}
	if got := stats.Index([][]float64{steady(100), steady(100), steady(10)}); got == nil || math.Abs(*got-1) > 1e-12 {
		t.Errorf("one slow framework: %v, want 1", got)
	}
	for name, members := range map[string][][]float64{
		"two members": {steady(90), steady(90)}, "no history": {{1}, {1}, {1}},
		"a zero": {steady(90), steady(90), {100, 0, 100, 100, 90}}, "nobody": nil,
	} {
		if got := stats.Index(members); got != nil {
			t.Errorf("%s: %v, want nothing", name, *got)
		}
	}
}

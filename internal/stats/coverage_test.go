package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

const simulations = 5000

// wantCoverage allows four standard errors of the share itself:
// 4 · √(0.95 · 0.05 / 5000) = 0.0123.
func wantCoverage(t *testing.T, what string, hits int) {
	t.Helper()
	share := float64(hits) / simulations
	t.Logf("%s: %.1f %% of %d simulated campaigns", what, 100*share, simulations)
	near(t, what, share, 0.95, 0.0123)
}

func TestCoverageOfTheMean(t *testing.T) {
	for _, n := range []int{2, 3, 10, 30} {
		random := rand.New(rand.NewPCG(uint64(n), 20200810))
		hits := 0
		for range simulations {
			values := make([]float64, n)
			for i := range values {
				values[i] = 1000 + 50*random.NormFloat64()
			}
			if stats.Summarize(values).CI95.Contains(1000) {
				hits++
			}
		}
		wantCoverage(t, fmt.Sprintf("coverage of the mean of %d", n), hits)
	}
}

// TestCoverageOfTheRatio lets the machine move by 20 % from round to round, for
// both alike, while each framework has 2 % of its own: the interval of the
// ratio still holds the truth in 95 % of campaigns, and it is narrow.
func TestCoverageOfTheRatio(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 20200810))
	const truth, n = 17.77, 10
	hits, width := 0, 0.0
	for range simulations {
		a, b := make([]float64, n), make([]float64, n)
		for i := range a {
			machine := math.Exp(0.2 * random.NormFloat64())
			b[i] = 584 * machine * math.Exp(0.02*random.NormFloat64())
			a[i] = 584 * truth * machine * math.Exp(0.02*random.NormFloat64())
		}
		r, err := stats.PairedRatio(a, b)
		if err != nil {
			t.Fatal(err)
		}
		width += math.Log(r.CI95.High/r.CI95.Low) / simulations
		if r.CI95.Contains(truth) {
			hits++
		}
	}
	wantCoverage(t, "coverage of the ratio", hits)
	// 2 · t(0.975, 9) · √2 · 0.02/√10 · c4(10) = 2 · 2.262 · 0.008944 · 0.9727 = 0.0394
	near(t, "mean relative width", width, 0.0394, 0.001)
}

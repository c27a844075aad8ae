package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

func TestPoolRatios(t *testing.T) {
	// By hand: the rounds' means are ln 2, ln 2 and ln 2; member 0 is 4, 1, 2.
	ln2 := math.Log(2)
	p := stats.PoolRatios([][]float64{{2 * ln2, 0}, {0, 2 * ln2}, {ln2, ln2}})
	near(t, "pooled", p.All.Estimate, 2, 1e-12)
	near(t, "low end", p.All.CI95.Low, 2, 1e-12)
	if len(p.Each) != 2 || p.All.N != 3 || p.Each[0].N != 3 {
		t.Fatalf("%+v", p)
	}
	near(t, "first member", p.Each[0].Estimate, 2, 1e-12)
	// ln: mean ln 2, stddev ln 2, margin t(0.975, 2) · ln 2 / √3 = 2.484138 · ln 2.
	near(t, "its low end", p.Each[0].CI95.Low, math.Exp2(1-2.484138), 1e-6)
	if p := stats.PoolRatios(nil); p.All.N != 0 || p.All.CI95 != nil || p.Each != nil {
		t.Errorf("of nothing: %+v", p)
	}
}

// What a round does to all of its members at once must not look like agreement
// of many: taken as independent, these would cover far less than 95 %.
func TestCoverageOfPooledRatios(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 20200810))
	hits := 0
	for range simulations {
		rounds := make([][]float64, 5)
		for r := range rounds {
			common := 0.03 * random.NormFloat64()
			for range 11 {
				rounds[r] = append(rounds[r], common+0.01*random.NormFloat64())
			}
		}
		if stats.PoolRatios(rounds).All.CI95.Contains(1) {
			hits++
		}
	}
	wantCoverage(t, "coverage of the pooled ratio", hits)
}

package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

func TestBinomialCI95(t *testing.T) {
	// By bisection of the binomial distribution itself.
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{
		{2, 40, 0.0061136, 0.1691969}, {20, 400, 0.0308052, 0.0761670},
		{0, 40, 0, 0.0880973}, {40, 40, 0.9119027, 1}, {0, 0, 0, 1},
	} {
		got := stats.BinomialCI95(c.k, c.n)
		near(t, "low", got.Low, c.low, 1e-6)
		near(t, "high", got.High, c.high, 1e-6)
	}
}

func TestSelfRatiosTakeEachValueOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var starts [][]float64
	for range 25 {
		starts = append(starts, []float64{100 + random.Float64(), 100 + random.Float64()})
	}
	starts[3] = nil             // no valid round
	starts[4] = starts[4][:1:1] // one of two
	ratios := stats.SelfRatios(starts, 3, random)
	// 24 starts are left: four comparisons of three pairs, one of them with one
	// value of an incomplete start less.
	values := 0
	for _, r := range ratios {
		values += r.N
	}
	if len(ratios) != 4 || values != 23 {
		t.Errorf("%d comparisons of %d pairs of values, want 4 of 23", len(ratios), values)
	}
	if got := stats.SelfRatios(starts[:6], 3, random); len(got) != 0 {
		t.Errorf("5 starts give %d comparisons of 6", len(got))
	}
	if got := stats.SelfRatios([][]float64{{1}, {2}, {0}, {2}}, 2, random); len(got) != 0 {
		t.Errorf("a zero gives %+v", got)
	}
}

// TestSelfRatiosOfStarts simulates a server whose starts differ by 5 %, its
// rounds by 1 %, on a machine that gets slower all the time: 5 % of the
// intervals exclude 1. Taken as independent, the two rounds of a start would make
// it many more.
func TestSelfRatiosOfStarts(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 20200810))
	var starts [][]float64
	for i := range 2 * 5 * simulations {
		speed := 1000 * math.Exp(0.05*random.NormFloat64()-1e-5*float64(i))
		starts = append(starts, []float64{speed * math.Exp(0.01*random.NormFloat64()), speed * math.Exp(0.01*random.NormFloat64())})
	}
	ratios := stats.SelfRatios(starts, 5, random)
	if len(ratios) != simulations {
		t.Fatalf("%d comparisons, want %d", len(ratios), simulations)
	}
	near(t, "share of intervals that exclude 1", float64(stats.Excluding(ratios))/simulations, 0.05, 0.0123)
}

// TestSelfRatiosOfARealMachine compares eleven servers with themselves, in 220
// rounds that were measured while others used the machine: the share of wrong
// differences is 5 %, or it may be.
func TestSelfRatiosOfARealMachine(t *testing.T) {
	data := readTable(t, "aa-rounds.csv")
	var names []string
	series := map[string][][]float64{}
	for _, cells := range data.rows {
		if series[cells[1]] == nil {
			names = append(names, cells[1])
		}
		series[cells[1]] = append(series[cells[1]], numbers(t, cells[2:3]))
	}
	for pairs, least := range map[int]int{2: 600, 5: 240} {
		var all []stats.Ratio
		random := rand.New(rand.NewPCG(uint64(pairs), 20200810))
		for _, name := range names {
			all = append(all, stats.SelfRatios(series[name], pairs, random)...)
		}
		wrong := stats.Excluding(all)
		share := stats.BinomialCI95(wrong, len(all))
		t.Logf("%d pairs each: %d of %d intervals exclude 1: %.1f %%, 95 %% binomial interval %.1f – %.1f %%",
			pairs, wrong, len(all), 100*float64(wrong)/float64(len(all)), 100*share.Low, 100*share.High)
		if len(all) < least || share.Low > 0.05 {
			t.Errorf("%d pairs each: at least %.1f %% of %d intervals exclude 1", pairs, 100*share.Low, len(all))
		}
	}
}

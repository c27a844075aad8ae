package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

func TestComponents(t *testing.T) {
	// By hand: means 11, 21, 31; inside each start (±1)², free degrees 3, so
	// within² = 2; between² = variance of the means (100) − 2/2 = 99.
	s, c := stats.SummarizeStarts([][]float64{{10, 12}, {20, 22}, {}, {30, 32}})
	near(t, "mean", s.Mean, 21, 1e-12)
	near(t, "within", *c.Within, math.Sqrt(2), 1e-12)
	near(t, "between", *c.Between, math.Sqrt(99), 1e-12)
	if s.N != 6 || c.Starts != 3 {
		t.Errorf("%d values of %d starts", s.N, c.Starts)
	}
}

func TestOneStartHasNoInterval(t *testing.T) {
	s, c := stats.SummarizeStarts([][]float64{{1, 2, 3}})
	if s.CI95 != nil || c.Between != nil || c.Within == nil || s.Stddev == nil {
		t.Errorf("%+v, %+v", s, c)
	}
	if s, c := stats.SummarizeStarts(nil); s.N != 0 || s.CI95 != nil || c.Starts != 0 {
		t.Errorf("%+v, %+v", s, c)
	}
}

func TestPairedRatioStarts(t *testing.T) {
	r, c, err := stats.PairedRatioStarts([][]float64{{2, 4}, {6}}, [][]float64{{1, 2}, {3}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ratio", r.Estimate, 2, 1e-12)
	if r.N != 3 || c.Starts != 2 {
		t.Errorf("%d pairs of %d starts", r.N, c.Starts)
	}
	for _, bad := range [][2][][]float64{
		{nil, nil}, {{{1}}, {{0}}}, {{{1, 2}}, {{1}}}, {{{1}, {1}}, {{1}}},
	} {
		if _, _, err := stats.PairedRatioStarts(bad[0], bad[1]); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}

// frameworks of a simulated campaign. Each start of a server has 2 % of its own
// and each measurement 4 %, times the noise; in a round all see the same machine.
type field struct {
	random *rand.Rand
	noise  float64
	logs   [][][]float64 // framework, start, round: ln(rate) − ln(base's rate)
	shift  []float64
}

func (f *field) start() {
	for i := range f.logs {
		f.logs[i] = append(f.logs[i], nil)
	}
	spread := 0.02 * f.noise
	base := spread * f.random.NormFloat64()
	for i := range f.shift {
		f.shift[i] = spread*f.random.NormFloat64() - base
	}
}

func (f *field) round() {
	spread := 0.04 * f.noise
	base := spread * f.random.NormFloat64()
	for i := range f.logs {
		last := len(f.logs[i]) - 1
		f.logs[i][last] = append(f.logs[i][last], f.shift[i]+spread*f.random.NormFloat64()-base)
	}
}

// TestCoverageWithStopping carries out 1,000 adaptive campaigns, each ended as
// soon as all of its ten ratios are known to ± 3 %: the intervals still hold the
// truth (0) in 93 to 97 % of the cases. Each campaign gives ten, which share its
// base and its end; the share counts all. A campaign of two targets has only one
// ratio, which ends it as soon as it looks narrow: that costs it up to 1.6 %, at a
// fifth more noise, and would cost seven without the least number of starts.
func TestCoverageWithStopping(t *testing.T) {
	for _, c := range []struct {
		campaigns, ratios int
		noise             float64
	}{{1000, 10, 1}, {4000, 1, 1}, {4000, 1, 1.2}} {
		share, rounds := coverage(c.campaigns, c.ratios, c.noise)
		t.Logf("%d ratios, noise × %g: coverage %.3f with %.1f rounds", c.ratios, c.noise, share, rounds)
		if share < 0.93 || share > 0.97 {
			t.Errorf("%d ratios, noise × %g: coverage is %.3f, want 0.93 to 0.97", c.ratios, c.noise, share)
		}
	}
}

// coverage is the share of intervals that hold the truth, and how many rounds a
// campaign had.
func coverage(campaigns, ratios int, noise float64) (share, mean float64) {
	const perStart, most = 2, 40
	random := rand.New(rand.NewPCG(4, 20200810))
	hits, rounds := 0, 0
	for range campaigns {
		f := &field{random: random, noise: noise, logs: make([][][]float64, ratios), shift: make([]float64, ratios)}
		for starts := 1; starts <= most; starts++ {
			f.start()
			for range perStart {
				f.round()
			}
			if f.known(starts) {
				break
			}
		}
		rounds += perStart * len(f.logs[0])
		for _, logs := range f.logs {
			if s, _ := stats.SummarizeStarts(logs); s.CI95.Contains(0) {
				hits++
			}
		}
	}
	return float64(hits) / float64(campaigns*ratios), float64(rounds) / float64(campaigns)
}

func (f *field) known(starts int) bool {
	for _, logs := range f.logs {
		s, _ := stats.SummarizeStarts(logs)
		if !stats.Known(s.CI95, starts, 0.03) {
			return false
		}
	}
	return true
}

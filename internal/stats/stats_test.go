package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

func TestSummarize(t *testing.T) {
	// {2, 4, 4, 4, 5, 5, 7, 9}: sum 40, mean 5; squared distances
	// 9+1+1+1+0+0+4+16 = 32, 32/7 = 4.571429, root 2.138090.
	// t(0.975, 7) = 2.364624; margin 2.364624 · 2.138090 / √8 = 1.787487.
	s := stats.Summarize([]float64{2, 4, 4, 4, 5, 5, 7, 9})
	if s.N != 8 {
		t.Errorf("N = %d, want 8", s.N)
	}
	near(t, "mean", s.Mean, 5, 1e-12)
	near(t, "stddev", *s.Stddev, 2.138090, 1e-6)
	near(t, "low", s.CI95.Low, 3.212513, 1e-5)
	near(t, "high", s.CI95.High, 6.787487, 1e-5)
}

func TestSummarizeOfTwo(t *testing.T) {
	// {1, 3}: mean 2, stddev √2; t(0.975, 1) = 12.706205; margin 12.706205 · √2/√2.
	s := stats.Summarize([]float64{1, 3})
	near(t, "stddev", *s.Stddev, math.Sqrt2, 1e-12)
	near(t, "low", s.CI95.Low, 2-12.706205, 1e-4)
	near(t, "high", s.CI95.High, 2+12.706205, 1e-4)
}

func TestSummarizeIsAbsentBelowTwo(t *testing.T) {
	if s := stats.Summarize(nil); s.N != 0 || s.Mean != 0 || s.Stddev != nil || s.CI95 != nil {
		t.Errorf("of nothing: %+v", s)
	}
	if s := stats.Summarize([]float64{7}); s.N != 1 || s.Mean != 7 || s.Stddev != nil || s.CI95 != nil {
		t.Errorf("of one: %+v", s)
	}
}

func TestMedian(t *testing.T) {
	values := []float64{9, 1, 5}
	near(t, "odd", stats.Median(values), 5, 0)
	near(t, "even", stats.Median([]float64{9, 1, 5, 6}), 5.5, 0)
	if values[0] != 9 {
		t.Error("the argument was sorted")
	}
	if !math.IsNaN(stats.Median(nil)) {
		t.Error("median of nothing is not NaN")
	}
}

func TestPairedRatio(t *testing.T) {
	// Ratios 2, 4, 8: logarithms 1, 2, 3 times ln 2. Mean 2 ln 2, so 4;
	// stddev ln 2; t(0.975, 2) = 4.302653; margin 4.302653/√3 · ln 2 = 2.484138 ln 2;
	// 4 / 2^2.484138 = 0.714928, 4 · 2^2.484138 = 22.379868.
	r, err := stats.PairedRatio([]float64{2, 8, 24}, []float64{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "n", float64(r.N), 3, 0)
	near(t, "estimate", r.Estimate, 4, 1e-12)
	near(t, "low", r.CI95.Low, 4/math.Pow(2, 2.484138), 1e-5)
	near(t, "high", r.CI95.High, 4*math.Pow(2, 2.484138), 1e-4)
}

func TestPairedRatioOfOnePairHasNoInterval(t *testing.T) {
	r, err := stats.PairedRatio([]float64{6}, []float64{3})
	if err != nil || r.N != 1 || r.CI95 != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	near(t, "estimate", r.Estimate, 2, 1e-12)
}

func TestPairedRatioUndefined(t *testing.T) {
	for name, pairs := range map[string][2][]float64{
		"nothing":  {},
		"unequal":  {{1, 2}, {1}},
		"zero":     {{1, 0}, {1, 1}},
		"divide":   {{1, 1}, {1, 0}},
		"negative": {{1, -1}, {1, -1}},
		"NaN":      {{1, math.NaN()}, {1, 1}},
	} {
		if _, err := stats.PairedRatio(pairs[0], pairs[1]); !errors.Is(err, stats.ErrUndefinedRatio) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// A machine that halves its speed in the middle must not touch the ratio.
func TestPairedRatioCancelsWhatBothSaw(t *testing.T) {
	var a, b []float64
	for i := range 10 {
		speed := 1.0
		if i >= 5 {
			speed = 0.5
		}
		a, b = append(a, 300*speed), append(b, 100*speed)
	}
	r, err := stats.PairedRatio(a, b)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "estimate", r.Estimate, 3, 1e-12)
	near(t, "width", r.CI95.High-r.CI95.Low, 0, 1e-9)
}

// Exchanging the sides must give the reciprocal, and a unit must not matter.
func TestPairedRatioSymmetry(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		a, b, scaled := make([]float64, 8), make([]float64, 8), make([]float64, 8)
		for i := range a {
			a[i], b[i] = math.Exp(random.NormFloat64()), math.Exp(random.NormFloat64())
			scaled[i] = 1000 * a[i]
		}
		ab, _ := stats.PairedRatio(a, b)
		ba, _ := stats.PairedRatio(b, a)
		sb, _ := stats.PairedRatio(scaled, b)
		near(t, "reciprocal", ab.Estimate*ba.Estimate, 1, 1e-12)
		near(t, "reciprocal end", ab.CI95.Low*ba.CI95.High, 1, 1e-12)
		near(t, "scaled", sb.Estimate/ab.Estimate, 1000, 1e-9)
	}
}

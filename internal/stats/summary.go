package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// confidence of all intervals.
const confidence = 0.95

// Interval holds the true value with 95 % confidence.
type Interval struct{ Low, High float64 }

// Contains reports whether x lies in the interval, its ends included.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// Summary describes a sample.
type Summary struct {
	N      int
	Mean   float64
	Stddev *float64  // of the sample (divided by n-1); nil below n = 2
	CI95   *Interval // of the mean; nil below n = 2
}

// Summarize describes values, none of which is NaN. The interval is Student's:
// mean ± t(0.975, n-1) · s/√n. It assumes independent values of one normal
// distribution; for means of ten rounds a moderate skew does little harm, but
// values that drift together (one start of a server, one busy hour) are less
// spread than reality, and then the interval speaks for that start only.
func Summarize(values []float64) Summary {
	s := Summary{N: len(values)}
	if s.N == 0 {
		return s
	}
	if s.N == 1 {
		s.Mean = values[0]
		return s
	}
	mean, stddev := stat.MeanStdDev(values, nil)
	s.Mean, s.Stddev = mean, &stddev
	margin := studentMargin(stddev, s.N)
	s.CI95 = &Interval{mean - margin, mean + margin}
	return s
}

// studentMargin is half the width of the interval of a mean of n ≥ 2 values.
func studentMargin(stddev float64, n int) float64 {
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}
	return t.Quantile((1+confidence)/2) * stddev / math.Sqrt(float64(n))
}

// Median is the middle value, or the mean of the two middle ones; NaN for no
// values. The argument is left as it is.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Equivalence is what two one-sided tests say about a ratio that ought to be 1.
type Equivalence string

// The verdicts. Agree and Differ are each wrong in at most 5 % of the cases.
const (
	Agree    Equivalence = "agree"     // the whole interval lies within the margin
	Differ   Equivalence = "differ"    // the whole interval lies outside of it
	TooNoisy Equivalence = "too noisy" // it lies on both sides, or there is none
)

// LogRatio is the estimate of a ratio from repeated logarithms of it.
type LogRatio struct {
	N        int
	Estimate float64
	CI90     *Interval // what the two one-sided tests at 5 % need; nil below n = 2
	CI95     *Interval
}

// SummarizeLogs describes ratios by their logarithms, by Student's t. It assumes
// what Summarize assumes of the logarithms.
func SummarizeLogs(logs []float64) LogRatio {
	s := Summarize(logs)
	r := LogRatio{N: s.N, Estimate: math.Exp(s.Mean)}
	if s.Stddev == nil {
		return r
	}
	r.CI95 = &Interval{math.Exp(s.CI95.Low), math.Exp(s.CI95.High)}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(s.N - 1)}
	margin := t.Quantile(0.95) * *s.Stddev / math.Sqrt(float64(s.N))
	r.CI90 = &Interval{math.Exp(s.Mean - margin), math.Exp(s.Mean + margin)}
	return r
}

// Test decides by two one-sided tests (Schuirmann 1987) whether the ratio lies
// within 1/(1+margin) to 1+margin. That no difference was found is not enough
// to agree: a noisy comparison finds none either.
func (r LogRatio) Test(margin float64) Equivalence {
	low, high := 1/(1+margin), 1+margin
	switch {
	case r.CI90 == nil:
		return TooNoisy
	case r.CI90.Low >= low && r.CI90.High <= high:
		return Agree
	case r.CI90.Low > high || r.CI90.High < low:
		return Differ
	}
	return TooNoisy
}

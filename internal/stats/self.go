package stats

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// SelfRatios compares a server with itself, as often as its values allow: every
// ratio is 1 in truth, so no more than 5 % of the intervals may exclude 1. The
// values come in groups, one a start, in the order of time. Each comparison
// takes pairs of neighbouring starts, as many as asked for and at least two;
// which start of a pair is which side, random decides: what drifts or comes
// and goes then favours neither. No value is in two comparisons, so they are as
// independent as their starts are.
func SelfRatios(starts [][]float64, pairs int, random *rand.Rand) []Ratio {
	var ratios []Ratio
	starts, pairs = filled(starts), max(2, pairs)
	for size := 2 * pairs; len(starts) >= size; starts = starts[size:] {
		as, bs := make([][]float64, pairs), make([][]float64, pairs)
		for i := range pairs {
			a, b := starts[2*i], starts[2*i+1]
			if random.IntN(2) == 1 {
				a, b = b, a
			}
			n := min(len(a), len(b)) // an incomplete start has fewer
			as[i], bs[i] = a[:n], b[:n]
		}
		if r, _, err := PairedRatioStarts(as, bs); err == nil && r.CI95 != nil {
			ratios = append(ratios, r)
		}
	}
	return ratios
}

// Excluding is how many of the intervals exclude 1. A ratio without an interval
// excludes nothing.
func Excluding(ratios []Ratio) int {
	n := 0
	for _, r := range ratios {
		if r.CI95 != nil && !r.CI95.Contains(1) {
			n++
		}
	}
	return n
}

// BinomialCI95 is the interval of a share of which k of n were seen: the exact
// one of Clopper and Pearson (1934). It covers at least 95 %, whatever the share.
func BinomialCI95(k, n int) Interval {
	i := Interval{0, 1}
	if k > 0 {
		i.Low = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile((1 - confidence) / 2)
	}
	if k < n {
		i.High = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile((1 + confidence) / 2)
	}
	return i
}

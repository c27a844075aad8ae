package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Components divides the spread of values that were measured in groups: several
// of each start of a server.
type Components struct {
	Starts  int
	Between *float64 // standard deviation from start to start; nil below two starts
	Within  *float64 // standard deviation inside a start; nil where no start has two values
}

// SummarizeStarts describes values in groups, one a start. The interval of the
// mean rests on the means of the starts, mean ± t(0.975, g-1) · s/√g: values of
// one start share what that start was like, so they are not independent, and an
// interval over all of them would be too narrow (Kalibera and Jones, "Rigorous
// benchmarking in reasonable time", 2013). For starts of equal size it covers 95 %
// whatever the two components are; where a start is incomplete it counts as
// much as the others.
//
// N is the number of values and Stddev the one of all values, as in Summarize.
// With fewer than two starts there is no interval.
func SummarizeStarts(starts [][]float64) (Summary, Components) {
	starts = filled(starts)
	var all, means []float64
	for _, s := range starts {
		all = append(all, s...)
		means = append(means, stat.Mean(s, nil))
	}
	s := Summarize(all)
	s.CI95 = nil
	if len(means) > 1 {
		m := Summarize(means)
		s.Mean, s.CI95 = m.Mean, m.CI95
	}
	return s, components(starts, means)
}

// components are those of a one-way analysis of variance. A component between
// the starts that is estimated as negative is none.
func components(starts [][]float64, means []float64) Components {
	c := Components{Starts: len(starts)}
	inside, free, sizes := 0.0, 0, 0.0
	for i, s := range starts {
		for _, v := range s {
			inside += (v - means[i]) * (v - means[i])
		}
		free += len(s) - 1
		sizes += 1 / float64(len(s))
	}
	if free > 0 {
		within := math.Sqrt(inside / float64(free))
		c.Within = &within
	}
	if len(starts) < 2 {
		return c
	}
	between := stat.Variance(means, nil)
	if c.Within != nil {
		between -= *c.Within * *c.Within * sizes / float64(len(starts)) // a mean of few values differs by itself
	}
	between = math.Sqrt(math.Max(0, between))
	c.Between = &between
	return c
}

// PairedRatioStarts is PairedRatio for pairs in groups, one a start: a[g][i] and
// b[g][i] under the same conditions. Its interval rests on the means of the
// starts, as that of SummarizeStarts. N is the number of pairs. The components
// are those of the logarithm of the ratio, so 0.01 is 1 %.
func PairedRatioStarts(a, b [][]float64) (Ratio, Components, error) {
	if len(a) != len(b) {
		return Ratio{}, Components{}, ErrUndefinedRatio
	}
	var logs [][]float64
	for g := range a {
		if len(a[g]) == 0 && len(b[g]) == 0 {
			continue
		}
		start, err := logRatios(a[g], b[g])
		if err != nil {
			return Ratio{}, Components{}, err
		}
		logs = append(logs, start)
	}
	if len(logs) == 0 {
		return Ratio{}, Components{}, ErrUndefinedRatio
	}
	s, c := SummarizeStarts(logs)
	return ratioOf(s), c, nil
}

// logRatios is ln(a/b) of each pair.
func logRatios(a, b []float64) ([]float64, error) {
	if len(a) != len(b) || len(a) == 0 {
		return nil, ErrUndefinedRatio
	}
	logs := make([]float64, len(a))
	for i := range a {
		if !(a[i] > 0 && b[i] > 0) {
			return nil, ErrUndefinedRatio
		}
		logs[i] = math.Log(a[i] / b[i])
	}
	return logs, nil
}

// ratioOf carries a summary of logarithms back.
func ratioOf(s Summary) Ratio {
	r := Ratio{N: s.N, Estimate: math.Exp(s.Mean)}
	if s.CI95 != nil {
		r.CI95 = &Interval{math.Exp(s.CI95.Low), math.Exp(s.CI95.High)}
	}
	return r
}

func filled(groups [][]float64) [][]float64 {
	var kept [][]float64
	for _, g := range groups {
		if len(g) > 0 {
			kept = append(kept, g)
		}
	}
	return kept
}

// MinStarts is how many starts an adaptive campaign has at the least. With fewer
// the spread itself is hardly known, and a campaign that may end as soon as it
// looks small would end too soon too often. Where a single ratio decides, whose
// starts spread by what is hardest for this rule, the intervals cover 92.8 % from
// six starts on and 93.4 % from eight; more would cost quiet machines more time
// than it gives (94.0 % from twelve). Factors on the width, or further starts
// after the end, cost more for less.
const MinStarts = 8

// Known reports whether the interval of the logarithm of a ratio is no wider
// than ± precision, a share, and rests on enough starts to be believed.
func Known(log *Interval, starts int, precision float64) bool {
	return log != nil && starts >= MinStarts && (log.High-log.Low)/2 <= math.Log1p(precision)
}

// LogCI95 is the interval of the logarithm of the ratio, nil where there is none.
func (r Ratio) LogCI95() *Interval {
	if r.CI95 == nil {
		return nil
	}
	return &Interval{math.Log(r.CI95.Low), math.Log(r.CI95.High)}
}

package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// The stretches that are compared around a change: what is farther away says
// less about it.
const (
	ShiftBefore = longestBaseline
	ShiftSince  = longestTail
)

// Shift is by how much a series lies on another level than before.
type Shift struct {
	Effect float64 // new level ÷ old level - 1
	CI95   Interval
}

// ShiftAt compares the values of one series since a campaign with those before.
// Each campaign has one value a series; NaN, and what is not above zero, means that
// there is none. It is not ok with fewer than four values before or two since.
//
// The campaign must have been found without these values: they are compared at this
// one place and looked through for no other, which is why an ordinary 95 % interval
// holds. What the other series have in common is taken out where at least four of
// them are known, by their median, so that up to half of them may move for
// themselves; otherwise the values are compared as they are, and the interval allows
// for the correlation of neighbours. Single values far off count as in a baseline of
// the Detector. It assumes that the values since scatter as those before; where they
// scatter by more, that counts.
func ShiftAt(campaigns [][]float64, series, onset int) (s Shift, ok bool) {
	values, alone := ownValues(campaigns, series, onset)
	before, since := present(values[:onset]), present(values[onset:])
	before = before[max(0, len(before)-ShiftBefore):]
	since = since[:min(len(since), ShiftSince)]
	if len(before) < fewestResumed || len(since) < shortestTail {
		return Shift{}, false
	}
	base := newLevel(before, spread{})
	newest := newLevel(since, base.spread)
	serial := 0.0
	if alone {
		serial = serialCorrelation(before, base.center)
	}
	noise := base.spread.sigma()
	later := max(noise, newest.spread.sigma())
	sigma := math.Sqrt(noise*noise*varianceOfMean(base.n, serial) + later*later*varianceOfMean(newest.n, serial))
	difference := newest.center - base.center
	margin := caution * sigma * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: base.spread.freedom}.Quantile((1+confidence)/2)
	return Shift{math.Expm1(difference), Interval{math.Expm1(difference - margin), math.Expm1(difference + margin)}}, true
}

// ownValues are those of a series in ln, by campaign, without what the others have in
// common. Alone means that there are too few others, and that nothing was taken out.
func ownValues(campaigns [][]float64, series, onset int) (values []float64, alone bool) {
	levels := levelsOfOthers(campaigns[:onset], series)
	alone = len(levels) < fewestField-1
	for _, c := range campaigns {
		v := logarithm(c[series])
		if !alone {
			v -= movementOf(levels, c)
		}
		values = append(values, v)
	}
	return values, alone
}

// levelsOfOthers are the medians, in ln, of the other series that have enough values.
func levelsOfOthers(campaigns [][]float64, series int) map[int]float64 {
	levels := map[int]float64{}
	if len(campaigns) == 0 {
		return levels
	}
	for i := range campaigns[0] {
		var values []float64
		for _, c := range campaigns {
			values = append(values, logarithm(c[i]))
		}
		if values = present(values); i != series && len(values) >= fewestResumed {
			levels[i] = Median(values)
		}
	}
	return levels
}

// movementOf is how far a campaign is from these levels, in the median of the series;
// NaN where too few of them have a value.
func movementOf(levels map[int]float64, campaign []float64) float64 {
	var moved []float64
	for i, level := range levels {
		moved = append(moved, logarithm(campaign[i])-level)
	}
	if moved = present(moved); len(moved) < fewestField-1 {
		return math.NaN()
	}
	return Median(moved)
}

func logarithm(v float64) float64 {
	if !usable(v) {
		return math.NaN()
	}
	return math.Log(v)
}

// present are the values that are not NaN.
func present(values []float64) []float64 {
	var known []float64
	for _, v := range values {
		if !math.IsNaN(v) {
			known = append(known, v)
		}
	}
	return known
}

package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	shortestReturn = 3   // campaigns; one or two good ones can be chance
	returned       = 3.3 // standard deviations beyond the half way: it is asked again with every campaign
	halfWay        = 0.5
	mostLeft       = 0.25    // of a change, in either direction: more is another level
	mostOfField    = 2.0 / 3 // of the series must be known, else their mean is that of another field
)

// Former is where a series, or the whole field, was before a change. It tells when
// that is so again. The Detector cannot: its baseline begins with the change, and
// when that was a disturbance of a few campaigns, the return is most of it.
type Former struct {
	series int
	levels map[int]float64 // ln, of the others; of all for WholeField
	base   level
	serial float64
}

// NewFormer takes the campaigns before a change, oldest first, as ShiftAt does. For
// WholeField it follows the mean of the series. It is not ok with fewer than four
// values.
func NewFormer(campaigns [][]float64, series int) (f Former, ok bool) {
	f = Former{series: series, levels: levelsOfOthers(campaigns, series)}
	values := f.places(campaigns)
	values = values[max(0, len(values)-ShiftBefore):]
	if len(values) < fewestResumed {
		return Former{}, false
	}
	f.base = newLevel(values, spread{})
	if series == WholeField || f.alone() {
		f.serial = serialCorrelation(values, f.base.center)
	}
	return f, true
}

// alone means that there are too few others to tell the host from the series.
func (f Former) alone() bool { return len(f.levels) < fewestField-1 }

// places are where the campaigns lie, in ln, without those that do not say.
func (f Former) places(campaigns [][]float64) []float64 {
	var places []float64
	for _, c := range campaigns {
		switch {
		case f.series == WholeField:
			places = append(places, meanMovement(f.levels, c))
		case f.alone():
			places = append(places, logarithm(c[f.series]))
		default:
			places = append(places, logarithm(c[f.series])-movementOf(f.levels, c))
		}
	}
	return present(places)
}

// meanMovement is how far a campaign is from these levels, in the mean of the series:
// a third of them that moves must show, which it does not in the median.
func meanMovement(levels map[int]float64, campaign []float64) float64 {
	var moved []float64
	for i, v := range campaign { // in their order, so that the sum is the same each time
		if level, ok := levels[i]; ok {
			moved = append(moved, logarithm(v)-level)
		}
	}
	if moved = present(moved); len(moved) == 0 || float64(len(moved)) < mostOfField*float64(len(levels)) {
		return math.NaN()
	}
	return Summarize(moved).Mean
}

// Back is how many of the newest campaigns, the fewest that tell, lie on the level
// from before again and not where the campaigns of the change lay; 0 if that cannot
// be said. Each of them, three at least, must be beyond the half way, and so must the
// interval of their mean. Of the change a quarter may be left, in either direction: what
// lies elsewhere is not back, and to take it for the old level would hide a loss.
func (f Former) Back(changed, newest [][]float64) int {
	moved := f.places(changed)
	if len(moved) == 0 {
		return 0
	}
	half := halfWay * (Median(moved) - f.base.center)
	since := f.places(newest)
	for n := shortestReturn; n <= min(len(since), longestTail); n++ {
		if f.isBack(since[len(since)-n:], half) {
			return n
		}
	}
	return 0
}

// isBack measures from the half way towards the old level.
func (f Former) isBack(values []float64, half float64) bool {
	towards := -math.Copysign(1, half)
	for _, v := range values {
		if (v-f.base.center-half)*towards <= 0 {
			return false
		}
	}
	newest := newLevel(values, f.base.spread)
	noise := f.base.spread.sigma()
	later := max(noise, newest.spread.sigma())
	sigma := math.Sqrt(noise*noise*varianceOfMean(f.base.n, f.serial) + later*later*varianceOfMean(newest.n, f.serial))
	distance := (newest.center - f.base.center - half) * towards
	t := -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: f.base.spread.freedom}.Quantile(distuv.UnitNormal.Survival(returned))
	return distance > caution*t*sigma && math.Abs(newest.center-f.base.center) <= mostLeft/halfWay*math.Abs(half)
}

// Renew lets a baseline begin with its newest campaigns, for WholeField that of the
// host. It is for who knows that what came before them was a disturbance.
func (d *Detector) Renew(series, campaigns int) {
	h := &d.host
	if series != WholeField {
		h = &d.series[series]
	}
	h.restart(spread{}, min(campaigns, len(h.points)))
}

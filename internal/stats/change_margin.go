package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// hostMargin is half the 95 % interval of how far one campaign lies from those before
// by the movement of the host alone, in ln: no other series can take it out of an
// event of all. It is infinite while nothing is known of it.
func (d *Detector) hostMargin() float64 {
	if d.field() && !d.few {
		return marginOfOne(newLevel(d.host.newest(longestBaseline), spread{}), d.host.carried)
	}
	sum, n := 0.0, 0.0 // the series may all move together: what each does, the mean does
	for i, l := range d.levels {
		if margin := marginOfOne(l, d.series[i].carried); !math.IsInf(margin, 1) {
			sum, n = sum+margin, n+1
		}
	}
	if n == 0 {
		return math.Inf(1)
	}
	return sum / n
}

// marginOfOne is half the 95 % interval of one campaign around a level.
func marginOfOne(l level, carried spread) float64 {
	scatter := carried.plus(l.spread)
	if l.n == 0 || scatter.freedom < 1 {
		return math.Inf(1)
	}
	return marginOf(scatter.sigma()*math.Sqrt(1+1/float64(l.n)), scatter.freedom)
}

// marginOf is half the 95 % interval of what scatters so much.
func marginOf(sigma, freedom float64) float64 {
	return caution * sigma * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile((1+confidence)/2)
}

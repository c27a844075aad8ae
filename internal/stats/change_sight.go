package stats

import "math"

const (
	learned    = 12   // campaigns on one level after which a series is known well enough
	likely     = 0.84 // standard normal quantile of 0.8: found in four of five cases
	detectable = 5.5  // standard deviations; what needs more runs into farthest
)

// Learning reports that a series has too few campaigns on its present level for
// small changes to be found. Large ones are reported from the eighth on.
func (d *Detector) Learning(series int) bool { return len(d.series[series].points) < learned }

// Detectable is the smallest slow-down, as a share, that would be reported within
// so many campaigns in four of five cases, at the present noise of the series. It
// is not ok while there is none: too few campaigns of history or of time.
func (d *Detector) Detectable(series, campaigns int) (share float64, ok bool) {
	h := &d.series[series]
	values := h.newest(longestBaseline)
	if len(values) < fewestBaseline {
		return 0, false
	}
	base := newLevel(values, d.prior)
	scatter := d.scatter(h, base)
	serial := 0.0
	if d.wanders(h) {
		serial = serialCorrelation(values, base.center)
	}
	smallest := math.Inf(1)
	for length := shortestTail; length <= min(campaigns, longestTail); length++ {
		newest, before := varianceOfMean(length, serial), varianceOfMean(base.n, serial)
		needed := d.needed(h, length, base.n).at(scatter.freedom) * math.Sqrt(newest+before)
		lost, wider := agreementCost(length)
		if needed += lost; needed <= detectable {
			smallest = min(smallest, needed+likely*math.Sqrt(wider*wider*newest+before))
		}
	}
	if math.IsInf(smallest, 1) {
		return 0, false
	}
	return max(-math.Expm1(-smallest*scatter.sigma()), d.config.SmallestShare), true
}

// agreementCost is what agreedMean takes off the mean of so many scores of a
// normal distribution, and how much wider it scatters; both by simulation
// (TestAgreementCost).
func agreementCost(length int) (lost, wider float64) {
	switch length {
	case 2:
		return 0.42, 1.16
	case 3:
		return 0.66, 1.29
	case 4:
		return 0.35, 1.12
	}
	return 0.20, 1.10
}

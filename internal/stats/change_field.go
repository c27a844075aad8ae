package stats

import "math"

const (
	surprising     = 4.0 // standard deviations from which one campaign is not chance
	fewestInEvent  = 3   // series that must move, and
	shareInEvent   = 3   // one in so many of the field
	bisquareReach  = 4.685
	hostIterations = 10
)

// measureLevels brings the levels, and what they say about the scatter of any
// series, up to the last campaign.
func (d *Detector) measureLevels() {
	var variances []float64
	for i := range d.series {
		h := &d.series[i]
		d.levels[i] = newLevel(h.newest(longestBaseline), d.prior)
		if s := h.carried.plus(d.levels[i].spread); s.freedom >= 1 {
			variances = append(variances, s.squares/s.freedom/medianOfVariance(s.freedom))
		}
	}
	d.few = d.haveLevels() < fewestField
	if !d.field() || len(variances) < fewestInEvent {
		d.prior = spread{}
		return
	}
	d.prior = spread{priorWeight * max(Median(variances), smallestSigma*smallestSigma), priorWeight}
}

// medianOfVariance is the median of a sample variance in units of the true one,
// by the approximation of Wilson and Hilferty; 0.47 at one degree of freedom.
func medianOfVariance(freedom float64) float64 {
	root := 1 - 2/(9*freedom)
	return root * root * root
}

// scatter is the moderated spread of a series: its own, what it had before its
// baseline started, and the prior.
func (d *Detector) scatter(h *history, l level) spread {
	return d.prior.plus(h.carried).plus(l.spread)
}

// deviation is how far a series is from its level in one campaign.
type deviation struct {
	series     int
	difference float64 // ln, the host not taken out
	sigma      float64 // of the difference; 0 when it is not known yet
	freedom    float64
}

// deviations of the series that have both a value and a level.
func (d *Detector) deviations(values []float64) []deviation {
	all := make([]deviation, 0, len(values))
	for i, v := range values {
		l := d.levels[i]
		if math.IsNaN(v) || l.n == 0 {
			continue
		}
		one := deviation{series: i, difference: v - l.center}
		if s := d.scatter(&d.series[i], l); s.freedom >= 1 {
			one.sigma, one.freedom = s.sigma()*math.Sqrt(1+1/float64(l.n)), s.freedom
		}
		all = append(all, one)
	}
	return all
}

// estimateHost is the common movement of the field in this campaign, in ln. It
// is not known when fewer than five series of a field that has levels were
// measured: such a campaign can be neither judged nor learnt from.
func (d *Detector) estimateHost(values []float64) (effect float64, known bool) {
	if !d.field() {
		return 0, true
	}
	all := d.deviations(values)
	if len(all) < fewestField {
		return 0, d.haveLevels() < fewestField
	}
	if following := d.following(all); len(following) >= fewestField {
		all = following
	}
	return commonMovement(all), true
}

// measuredLately is how many series were, in the stretch in which changes are looked
// for: who left long ago has no say.
func (d *Detector) measuredLately(campaign int) int {
	n := 0
	for i, l := range d.levels {
		points := d.series[i].points
		if l.n > 0 && len(points) > 0 && points[len(points)-1].campaign > campaign-longestTail {
			n++
		}
	}
	return n
}

func (d *Detector) haveLevels() int {
	n := 0
	for _, l := range d.levels {
		if l.n > 0 {
			n++
		}
	}
	return n
}

func (d *Detector) following(all []deviation) []deviation {
	var following []deviation
	for _, one := range all {
		if !d.series[one.series].still {
			following = append(following, one)
		}
	}
	return following
}

// commonMovement starts from the median and weighs the series by how steady they
// are and by how near to it they stay (Tukey's bisquare), so that a series that
// moves for itself has no say. The median alone is as robust, but lets its own
// noise into every series.
func commonMovement(all []deviation) float64 {
	differences := make([]float64, len(all))
	for i, one := range all {
		differences[i] = one.difference
	}
	center := Median(differences)
	for range hostIterations {
		sum, weights := 0.0, 0.0
		for _, one := range all {
			w := bisquare(one, center)
			sum += w * one.difference
			weights += w
		}
		if weights == 0 {
			return center
		}
		center = sum / weights
	}
	return center
}

func bisquare(one deviation, center float64) float64 {
	if one.sigma == 0 {
		return 0
	}
	distance := (one.difference - center) / (one.sigma * bisquareReach)
	if math.Abs(distance) >= 1 {
		return 0
	}
	near := 1 - distance*distance
	return near * near / (one.sigma * one.sigma)
}

// judgeCampaign notes which series are suspiciously bad in this campaign, and
// reports whether so many of the field moved at once, in whatever direction,
// that it is the environment that changed.
func (d *Detector) judgeCampaign(values []float64) (moved []deviation, together bool) {
	judged := d.judged(values)
	moved = d.surprising(judged, d.hostEffect, 0)
	for _, one := range moved {
		if one.difference < 0 {
			d.suspicious = append(d.suspicious, one.series)
		}
	}
	return moved, d.field() && len(moved) >= eventSize(len(judged))
}

// judged are the deviations of the series that are known well enough for one campaign
// to say something.
func (d *Detector) judged(values []float64) []deviation {
	var judged []deviation
	for _, one := range d.deviations(values) {
		if d.levels[one.series].n >= shortestTail && one.sigma > 0 {
			judged = append(judged, one)
		}
	}
	return judged
}

// surprising are those that are farther off than chance takes them, when the host did
// so much, give or take a standard deviation.
func (d *Detector) surprising(judged []deviation, host, sigma float64) []deviation {
	var moved []deviation
	for _, one := range judged {
		if !d.series[one.series].still {
			one.difference -= host
			one.sigma = math.Hypot(one.sigma, sigma)
		}
		if math.Abs(one.difference) > d.critical.surprise.at(one.freedom)*one.sigma {
			moved = append(moved, one)
		}
	}
	return moved
}

// eventSize is how many of the judged series must move together to be one event.
func eventSize(judged int) int {
	return max(fewestInEvent, (judged+shareInEvent-1)/shareInEvent)
}

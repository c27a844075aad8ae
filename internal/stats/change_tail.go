package stats

import (
	"math"
	"slices"
)

const (
	farthest   = 6.0 // standard deviations that one campaign counts at most
	agreeing   = 2.0 / 3
	reach      = 1.0 // standard deviations that one counts beyond where two thirds are,
	reachOfFew = 0.3 // or, in a tail of up to four, where all (three of four) are
	fewInTail  = 4
	hasty      = 1.2  // on top of the threshold, with two campaigns or a baseline of less than six
	wandering  = 1.3  // on top of the threshold, where nothing can be taken out
	caution    = 1.15 // on the width of intervals: noise has tails, and the host effect is estimated
	clear      = 4.0  // standard deviations from which one campaign tells the levels apart
	attributed = 4.0  // standard deviations of a tail that began with an event of the host
)

// tail is a stretch of the newest campaigns compared with the baseline before.
type tail struct {
	length     int
	onset      int     // campaign
	evidence   float64 // Student t ÷ its critical value, with the sign of t
	difference float64 // of the levels, ln
	noise      float64 // of one campaign, a standard deviation
	sigma      float64 // of the difference
	freedom    float64
	baseline   spread // own spread of the baseline
}

// wanders reports that nothing is taken out of a series: such a one may wander, and
// the more its values hang together the less they say.
func (d *Detector) wanders(h *history) bool {
	return !d.field() || d.few || h == &d.host || h.still
}

// findTail returns the tail with the strongest evidence for a change.
func (d *Detector) findTail(h *history) tail {
	values := h.newest(longestBaseline + longestTail)
	best := tail{}
	var base window
	for length := shortestTail; length <= longestTail && len(values)-length >= h.fewest(); length++ {
		base.slide(values, len(values)-length)
		if t := d.compare(h, values, &base); math.Abs(t.evidence) > math.Abs(best.evidence) {
			best = t
		}
	}
	return best
}

// compare tests the values after the baseline against it.
func (d *Detector) compare(h *history, values []float64, baseline *window) tail {
	length := len(values) - baseline.end
	before, newest := values[baseline.end-baseline.n:baseline.end], values[baseline.end:]
	prior := d.prior
	if h == &d.host {
		prior = spread{} // the host scatters like no series
	}
	base := baseline.level(prior)
	scatter := prior.plus(h.carried).plus(base.spread)
	if scatter.freedom < 1 {
		return tail{}
	}
	serial := 0.0
	if d.wanders(h) {
		serial = serialCorrelation(before, base.center)
	}
	sigma, uncertain := scatter.sigma(), varianceOfMean(base.n, serial)
	var buffer [longestTail]float64
	scores := buffer[:length]
	for i, v := range newest {
		scores[i] = (v - base.center) / sigma
	}
	t := agreedMean(scores) / math.Sqrt(varianceOfMean(length, serial)+uncertain)
	return tail{
		length: length, onset: h.points[len(h.points)-length].campaign,
		evidence:   t / d.needed(h, length, base.n).at(scatter.freedom),
		difference: smallMedian(newest) - base.center,
		noise:      sigma,
		sigma:      sigma * math.Sqrt(medianFactor(length)*varianceOfMean(length, serial)+uncertain),
		freedom:    scatter.freedom,
		baseline:   base.spread,
	}
}

// needed is how far a tail must be from its baseline. Two campaigns can be two
// disturbances, which are no rarer with each other than alone.
func (d *Detector) needed(h *history, length, baseline int) critical {
	switch {
	case d.wanders(h):
		return d.critical.wandering
	case length == shortestTail || baseline < fewestBaseline:
		return d.critical.hasty
	}
	return d.critical.change
}

// agreedMean is the mean of scores of which none counts for more than a step
// beyond what two thirds of them reach: a tail in which only some campaigns were
// bad says little, however bad they were. It sorts scores.
func agreedMean(scores []float64) float64 {
	sign, sum := 1.0, 0.0
	for _, s := range scores {
		sum += clamp(s, -farthest, farthest)
	}
	if sum < 0 {
		sign = -1
	}
	for i := range scores {
		scores[i] *= sign
	}
	most := clamp(reachedBy(scores)+reachOf(len(scores)), 0, farthest)
	sum = 0
	for _, s := range scores {
		sum += clamp(s, -farthest, most)
	}
	return sign * max(0, sum) / float64(len(scores))
}

func reachOf(length int) float64 {
	if length <= fewInTail {
		return reachOfFew
	}
	return reach
}

// reachedBy is the value that more than two thirds of the scores reach: both of
// two, all of three, three of four. It sorts scores.
func reachedBy(scores []float64) float64 {
	slices.Sort(scores)
	rank := int(agreeing*float64(len(scores))+1e-9) + 1
	return scores[len(scores)-rank]
}

// medianFactor is the variance of a median relative to that of the mean.
func medianFactor(n int) float64 {
	if n <= 2 {
		return 1
	}
	return math.Pi / 2
}

// findChanges judges the newest tails: of the host first, because a change of it
// explains what moved with it.
func (d *Detector) findChanges(campaign int) []Change {
	var changes []Change
	if change, ok := d.hostChange(campaign); ok {
		changes = append(changes, change)
	}
	found := map[int]tail{}
	var moved []deviation
	for i := range d.series {
		if t := d.findTail(&d.series[i]); d.reportable(t) {
			found[i] = d.series[i].refine(t)
			moved = append(moved, deviation{i, t.difference, t.sigma, t.freedom})
		}
	}
	for i, t := range found {
		d.series[i].restart(t.baseline, t.length)
	}
	if d.field() && len(found) >= eventSize(d.measuredLately(campaign)) {
		return append(changes, d.eventOfSome(Change{Onset: earliest(found), Reported: campaign, Relative: true}, moved))
	}
	for i := range d.series {
		if t, ok := found[i]; ok {
			changes = append(changes, d.seriesChange(i, campaign, t))
		}
	}
	return changes
}

func earliest(found map[int]tail) int {
	onset := math.MaxInt
	for _, t := range found {
		onset = min(onset, t.onset)
	}
	return onset
}

// reportable wants evidence, and a size worth a word; both must point the same way.
func (d *Detector) reportable(t tail) bool {
	return math.Abs(t.evidence) > 1 && t.evidence*t.difference > 0 &&
		math.Abs(math.Expm1(t.difference)) >= d.config.SmallestShare
}

func (d *Detector) seriesChange(series, campaign int, t tail) Change {
	kind := BecameFaster
	if t.difference < 0 {
		kind = BecameSlower
	}
	effect := d.share(t.difference)
	return Change{Series: series, Kind: kind, Onset: t.onset, Reported: campaign,
		Effect: &effect, CI95: d.interval(t.difference, t.margin())}
}

// hostChange reports a host that became lastingly slower or faster. The series
// whose place in the field shifted with it start anew from there: that is part
// of the event, not one of their own.
func (d *Detector) hostChange(campaign int) (Change, bool) {
	if !d.field() {
		return Change{}, false
	}
	t := d.findTail(&d.host)
	if math.Abs(t.evidence) <= 1 || math.Abs(math.Expm1(t.difference)) < d.config.SmallestHost {
		return Change{}, false
	}
	t = d.host.refine(t)
	d.host.restart(t.baseline, t.length)
	for i := range d.series {
		d.attribute(&d.series[i], t.onset)
	}
	effect := d.share(t.difference)
	return Change{Series: WholeField, Kind: NewEnvironment, Onset: t.onset, Reported: campaign,
		Effect: &effect, CI95: d.interval(t.difference, t.margin())}, true
}

func (d *Detector) attribute(h *history, onset int) {
	length := 0
	for length < len(h.points) && h.points[len(h.points)-1-length].campaign >= onset {
		length++
	}
	if length == 0 || length > longestTail || len(h.points)-length < h.fewest() {
		return
	}
	values := h.newest(longestBaseline + longestTail)
	var base window
	base.slide(values, len(values)-length)
	t := d.compare(h, values, &base)
	if math.Abs(t.evidence)*d.config.Threshold > attributed {
		h.restart(t.baseline, length)
	}
}

// margin of the difference, half its 95 % interval.
func (t tail) margin() float64 { return marginOf(t.sigma, t.freedom) }

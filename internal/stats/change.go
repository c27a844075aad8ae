package stats

import "math"

// ChangeKind says what became of a level.
type ChangeKind string

// The kinds of changes. BecameSlower is whatever is worse: fewer requests per second,
// or more seconds where lower is better.
const (
	BecameSlower   ChangeKind = "slower"
	BecameFaster   ChangeKind = "faster"
	NewEnvironment ChangeKind = "environment"
)

// WholeField is the Series of a change that is not one of a single series.
const WholeField = -1

// Campaign is what a Detector is told at a time.
type Campaign struct {
	// Values has one value a series, always in the same order. NaN, and what is
	// not above zero, means that there is no value.
	Values []float64
	// Environment names the machine, interpreter and engine; stable names, never
	// readings. When it differs from the one before, all baselines start anew.
	// Empty means not known, which is not a difference.
	Environment string
}

// Field reports whether so many series have a value that what they have in common can
// be told from what each does.
func (c Campaign) Field() bool {
	n := 0
	for _, v := range c.Values {
		if usable(v) {
			n++
		}
	}
	return n >= fewestField
}

func usable(v float64) bool { return v > 0 && !math.IsInf(v, 1) }

// Change is a lasting change of level. Campaigns are counted from 0.
type Change struct {
	Series   int // or WholeField
	Kind     ChangeKind
	Onset    int       // the first campaign on the new level
	Reported int       // the campaign with which it became known
	Effect   *float64  // new level ÷ old level - 1; nil if there was no old one
	CI95     *Interval // of Effect
	Relative bool      // of WholeField: only some series moved, and Effect is theirs, relative to the others
	Moved    []int     // of WholeField: the series whose Effect it is, where that is not the one of all
}

// Config says what a Detector watches. The numbers of the method itself are
// constants: they were fixed together, by the figures.
type Config struct {
	// Group means that the series were measured together on one host, so that
	// what all of them do is the host and not each of them. It needs at least
	// five series; fewer are judged one by one.
	Group         bool
	LowerIsBetter bool
	Threshold     float64 // of a change, in standard deviations of a normal distribution
	SmallestShare float64 // changes of a series by less are not reported
	SmallestHost  float64 // changes of the host by less are not reported
}

// DefaultConfig holds the thresholds with which the published figures were made.
func DefaultConfig() Config {
	return Config{Threshold: 4.2, SmallestShare: 0.02, SmallestHost: 0.10}
}

// Detector finds lasting changes in campaigns as they come. It never looks
// ahead: what Observe returns depends on what it was told so far, and on nothing
// else, so a history can be replayed. A Detector is not safe for concurrent use.
//
// The method is in docs/change-detection.md. In short: the common movement of the
// field is taken out; the newest 2 to 12 campaigns are compared with up to 30
// before them in a t test whose variance borrows from the other series; and the
// newest campaigns must agree, so that one bad campaign, however bad, is never a
// change. It assumes that the campaigns of a series scatter independently around
// a level; where nothing can be taken out, it allows for their correlation.
type Detector struct {
	config   Config
	critical thresholds

	series      []history
	levels      []level // of series, before the campaign at hand
	host        history // the host effect as a series of its own
	prior       spread  // what is expected of a series before it is known
	environment string
	campaigns   int
	hostEffect  float64 // ln
	suspicious  []int
	unjudged    int // newest campaigns with too few of the field
	held        *storm
	few         bool // series have a level: nothing can be taken out of them
	together    bool // once so many series were measured that they are a field
}

// NewDetector starts without any history. Thresholds that are zero get their
// default.
func NewDetector(series int, c Config) *Detector {
	d := DefaultConfig()
	if c.Threshold <= 0 {
		c.Threshold = d.Threshold
	}
	if c.SmallestShare <= 0 {
		c.SmallestShare = d.SmallestShare
	}
	if c.SmallestHost <= 0 {
		c.SmallestHost = d.SmallestHost
	}
	return &Detector{
		config: c, critical: newThresholds(c.Threshold),
		series: make([]history, series), levels: make([]level, series),
	}
}

// field reports whether the series are judged against each other: from the first campaign
// on in which there were enough of them. Those that come later change nothing of what was
// said before.
func (d *Detector) field() bool { return d.config.Group && d.together }

// Observe takes in one campaign and returns the changes that it makes known. It
// panics when the number of values is not the number of series.
func (d *Detector) Observe(c Campaign) []Change {
	if len(c.Values) != len(d.series) {
		panic("stats: a campaign must have one value a series")
	}
	campaign := d.campaigns
	d.campaigns++
	d.suspicious = d.suspicious[:0]
	d.together = d.together || c.Field()
	values := d.logarithms(c.Values)
	d.measureLevels()
	if d.isNewEnvironment(c.Environment) {
		margin := d.hostMargin() // of the history, which ends here
		return []Change{d.eventOfAll(campaign, d.startAnew(campaign, values), margin)}
	}
	effect, known := d.estimateHost(values)
	if !known {
		d.leaveOut(campaign, values)
		return nil
	}
	d.unjudged, d.hostEffect = 0, effect
	if events, held := d.eventOfSeveral(campaign, values); held || len(events) > 0 {
		return events
	}
	d.record(campaign, values)
	return d.findChanges(campaign)
}

// leaveOut leaves a campaign out. A field that stays so small is another one, and
// starts anew.
func (d *Detector) leaveOut(campaign int, values []float64) {
	d.unjudged++
	if d.unjudged >= longestTail {
		d.startAnew(campaign, values)
	}
}

// Judging reports that campaigns are judged; not when in the newest two of them fewer
// than five of a larger field were measured.
func (d *Detector) Judging() bool { return d.unjudged < shortestTail }

// Suspicious names the series whose last value was so much worse than their
// level that another campaign should be measured at once; one campaign alone is
// never a change. It is valid until the next Observe.
func (d *Detector) Suspicious() []int { return d.suspicious }

// logarithms turns values so that more is better, in ln, NaN where there is none.
func (d *Detector) logarithms(values []float64) []float64 {
	turned := make([]float64, len(values))
	for i, v := range values {
		switch {
		case !usable(v):
			turned[i] = math.NaN()
		case d.config.LowerIsBetter:
			turned[i] = -math.Log(v)
		default:
			turned[i] = math.Log(v)
		}
	}
	return turned
}

// share turns a difference of logarithms back into a change of the value.
func (d *Detector) share(difference float64) float64 {
	if d.config.LowerIsBetter {
		difference = -difference
	}
	return math.Expm1(difference)
}

func (d *Detector) interval(difference, margin float64) *Interval {
	a, b := d.share(difference-margin), d.share(difference+margin)
	return &Interval{min(a, b), max(a, b)}
}

// isNewEnvironment remembers the fingerprint and reports whether it is another
// one than before.
func (d *Detector) isNewEnvironment(fingerprint string) bool {
	if fingerprint == "" {
		return false
	}
	before := d.environment
	d.environment = fingerprint
	return before != "" && before != fingerprint
}

// startAnew makes this campaign the first of all baselines and returns how far it is
// from those before, as measured.
func (d *Detector) startAnew(campaign int, values []float64) (differences []float64) {
	for i := range d.series {
		h := &d.series[i]
		if before, ok := h.plainLevel(); ok && !math.IsNaN(values[i]) {
			differences = append(differences, values[i]-before)
		}
		h.restart(d.levels[i].spread, 0)
	}
	d.host.restart(newLevel(d.host.newest(longestBaseline), spread{}).spread, 0)
	d.unjudged, d.hostEffect, d.held = 0, 0, nil
	d.record(campaign, values)
	if d.field() && len(present(values)) < fewestField { // from now on the host stays in, and with it its noise
		for i := range d.series {
			d.series[i].carried = spread{}
		}
	}
	return differences
}

// record appends a campaign to the histories.
func (d *Detector) record(campaign int, values []float64) {
	for i, v := range values {
		if !math.IsNaN(v) {
			d.series[i].add(point{campaign, v, d.hostEffect})
			if d.field() {
				d.series[i].chooseFollowing()
			}
		}
	}
	if d.field() {
		d.host.add(point{campaign: campaign, value: d.hostEffect})
	}
}

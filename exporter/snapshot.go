package exporter

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// snapshot is all that is shown. It is never changed once it has been
// published: whoever changes a copy replaces what it points to.
type snapshot struct {
	protocol bench.Protocol // the configured one
	targets  []target       // the configured ones, in their order
	machine  bench.Machine
	shown    *outcome          // behind the result gauges; nil when there is none
	live     *live             // the campaign under way; nil when none is
	ended    *live             // the one before, as it ended; nil when this process has seen none
	bases    map[string]string // the newest base of each edition
	earlier  []report.Rates    // of the finished campaigns of this protocol, oldest first

	lastStart, lastSuccess time.Time     // of campaigns that feed the results; zero when unknown
	lastTook               time.Duration // how long the last success took
	skipped                tally[string]
	upgrades               []report.Upgrade // the newest of each target

	changes Changes

	reloadErr error // of the newest reload; nil at the start
	reloaded  time.Time

	collected []prometheus.Metric // all of the above for a scrape
}

// target is one configured target with what has happened to it.
type target struct {
	name   bench.Target
	labels []string // values of targetLabels

	tried   bool      // it is known whether it is up
	up      bool      // its newest attempt did not fail
	success time.Time // end of its newest valid measurement; zero when there is none
	newest  float64   // requests per second of that measurement
	started time.Time // of that measurement

	responses uint64
	errors    tally[bench.ErrorKind]
	failures  tally[bench.Stage]
	invalid   tally[string]
	latency   *latency
}

// outcome is the result that is shown, with what the report does not hold.
type outcome struct {
	result       report.Result
	participants []bench.Participant
	conditions   conditions
	index        *float64 // of the host; nil while it has too short a history
}

// conditions are means over the measurements of a campaign.
type conditions struct {
	known           bool
	steal, pressure float64
}

// live is how the campaign under way goes on.
type live struct {
	campaign  bench.Campaign
	phase     bench.Phase
	round     int           // from 1; 0 before the first
	target    *bench.Target // what is being worked on; nil between targets
	detail    string
	out       map[bench.Target]bool // take no part: failed outside the rounds
	done      map[bench.Target]bool // had their turn in this round
	turns     int                   // that were taken, over all rounds
	measuring time.Time             // when the first turn could begin
	turned    time.Time             // when the newest turn ended
	failures  []report.FailureRow
}

// targetLabels are the labels of every result.
func targetLabels() []string {
	return []string{"framework", "edition", "serving", "workload", "protocol"}
}

func newTarget(name bench.Target, protocol string, now time.Time) target {
	return target{
		name:     name,
		labels:   clean(name.Framework, name.Edition, name.Serving, name.Workload, protocol),
		errors:   newTally(bench.ErrorKinds()),
		failures: newTally(bench.Stages()),
		invalid:  newTally(bench.InvalidReasons()),
		latency:  newLatency(now),
	}
}

// newTargets keeps the state of those that stay. Twice the same target would
// make every scrape fail, so it is taken once.
func newTargets(names []bench.Target, protocol string, now time.Time, old []target) []target {
	var targets []target
	for _, name := range names {
		if find(targets, name) >= 0 {
			continue
		}
		if i := find(old, name); i >= 0 {
			targets = append(targets, old[i])
			continue
		}
		targets = append(targets, newTarget(name, protocol, now))
	}
	return targets
}

func find(targets []target, name bench.Target) int {
	return slices.IndexFunc(targets, func(t target) bool { return t.name == name })
}

// with returns a snapshot in which change has been applied to the named target,
// or s itself when it is not configured.
func (s snapshot) with(name bench.Target, change func(*target)) snapshot {
	i := find(s.targets, name)
	if i < 0 {
		return s
	}
	s.targets = slices.Clone(s.targets)
	change(&s.targets[i])
	return s
}

// clean makes label values that no encoder refuses.
func clean(values ...string) []string {
	for i, v := range values {
		values[i] = strings.ToValidUTF8(v, "�")
	}
	return values
}

// scheduled reports whether a campaign runs by itself; only those feed results.
func scheduled(c bench.Campaign) bool {
	return c.Kind == bench.KindScheduled || c.Kind == bench.KindConfirm
}

// feeds reports whether a campaign's numbers may be shown under the configured
// protocol: never together with those of other parameters.
func (s snapshot) feeds(c bench.Campaign) bool {
	return scheduled(c) && c.Protocol.Hash() == s.protocol.Hash()
}

// next is what l becomes with e; l may be nil or of another campaign.
func (l *live) next(e bench.Event) *live {
	var n live
	if l != nil && l.campaign.ID == e.Campaign.ID {
		n = *l
	}
	if e.Round > 0 && e.Round != n.round {
		n.round, n.done = e.Round, nil
	}
	if n.measuring.IsZero() && e.Phase == bench.PhaseMeasuring {
		n.measuring = e.Time
	}
	n.campaign, n.phase, n.detail = e.Campaign, e.Phase, e.Detail
	n.target = e.Target
	if e.Measurement != nil {
		n.target = nil
		n.took(*e.Measurement, e.Time)
	}
	return &n
}

func (l *live) took(m bench.Measurement, at time.Time) {
	l.failed(m)
	switch {
	case m.Round == 0:
		l.out = with(l.out, m.Target)
	case !l.done[m.Target]:
		l.done = with(l.done, m.Target)
		l.turns++
	}
	l.turned = at
}

func with(set map[bench.Target]bool, t bench.Target) map[bench.Target]bool {
	larger := map[bench.Target]bool{t: true}
	maps.Copy(larger, set)
	return larger
}

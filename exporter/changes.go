package exporter

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"restbench/internal/bench"
	"restbench/internal/change"
)

// Changes is what is known of lasting changes, as it is shown.
type Changes struct {
	History change.History
	Known   bool // the history has been judged; before that nothing is said
}

// SetChanges replaces what is shown of changes: after each campaign, when
// somebody accepted one, and when time has ended one.
func (e *Exporter) SetChanges(c Changes) {
	e.update(func(s snapshot) snapshot {
		s.changes = c
		return s
	})
}

// place is what a series of a change is about: one of each kind is shown, so
// that their number is bounded by the configuration.
type place struct {
	target    bench.Target
	host      bool // of whatever edition
	direction string
}

func placeOf(c change.Change) place {
	p := place{target: c.Target, direction: c.Way()}
	if c.Scope == change.ScopeHost {
		p.host, p.target = true, bench.Target{}
	}
	return p
}

// shownChanges are those that have metrics: of configured targets and fields, no
// older than a change may be active, and of several about the same the one that
// matters most.
func (s snapshot) shownChanges(now time.Time) []change.Change {
	newest := map[place]change.Change{}
	var order []place
	for _, c := range s.changes.History.Changes {
		if c.Effect == nil || !s.concerns(c) || now.Sub(c.Reported.At) >= change.Longest {
			continue
		}
		at := placeOf(c)
		before, ok := newest[at]
		if !ok {
			order = append(order, at)
		}
		if !ok || compareChanges(c, before, now) >= 0 {
			newest[at] = c
		}
	}
	shown := make([]change.Change, len(order))
	for i, at := range order {
		shown[i] = newest[at]
	}
	return shown
}

// compareChanges puts active changes above others, then newer, then larger ones.
func compareChanges(a, b change.Change, now time.Time) int {
	return cmp.Or(
		cmp.Compare(truth(a.Active(now)), truth(b.Active(now))),
		a.Reported.At.Compare(b.Reported.At),
		cmp.Compare(math.Abs(*a.Effect), math.Abs(*b.Effect)))
}

// concerns reports whether a change is about something that is configured.
func (s snapshot) concerns(c change.Change) bool {
	if !c.Whole() {
		return find(s.targets, c.Target) >= 0
	}
	return slices.ContainsFunc(s.targets, func(t target) bool {
		name := t.name
		name.Framework = ""
		return name == c.Target
	})
}

func (m *metrics) describeChanges() {
	labels := append(targetLabels(), "signal", "direction", "scope")
	ofWhole := " A change of the whole machine has no target."
	m.changeActive = m.add("change_active", "1 while a lasting change holds, 0 when it has ended; of several about the same target the newest that holds."+ofWhole, labels...)
	m.changeEffect = m.add("change_effect_ratio", "How much the signal changed: new level by old level, less 1."+ofWhole, labels...)
	m.changeLow = m.add("change_effect_ci95_low", "Lower end of the 95 % interval of change_effect_ratio.", labels...)
	m.changeHigh = m.add("change_effect_ci95_high", "Upper end of the 95 % interval of change_effect_ratio.", labels...)
	m.changeOnset = m.add("change_onset_timestamp_seconds", "When the first campaign on the new level finished, in seconds since 1970.", labels...)
	m.changeAccepted = m.add("change_accepted_timestamp_seconds", "When a change was accepted that held until then, in seconds since 1970; absent for others."+ofWhole, labels...)
	m.changeInfo = m.add("change_info", "Always 1; by label the name of the change, the versions before and since, whether the second signal confirms it, and why it was accepted.",
		append(labels, "id", "before", "after", "confirmation", "note")...)
	m.learning = m.add("change_learning", "1 while a target has too few campaigns on its level for small changes to be found, too little of its field is measured to judge it, or the newest two campaigns have no value of it.", targetLabels()...)
	m.detectable = m.add("detectable_change_ratio", "Smallest slow-down that would be reported within so many campaigns in four of five cases; absent where none can be promised.",
		append(targetLabels(), "campaigns")...)
}

func (c *collection) changes(now time.Time) {
	if !c.now.changes.Known {
		return
	}
	for _, one := range c.now.shownChanges(now) {
		c.change(one, now)
	}
	protocol := c.now.protocol.Label()
	for _, t := range c.now.targets {
		sight := c.now.sight(t.name)
		labels := changeLabels(t.name, protocol)
		c.gauge(c.learning, truth(sight.Learning), labels...)
		for _, campaigns := range change.Horizons() {
			if share, ok := sight.Detectable[campaigns]; ok {
				c.gauge(c.detectable, share, also(labels, strconv.Itoa(campaigns))...)
			}
		}
	}
}

// sight of a target that was never measured is that it is still learning.
func (s snapshot) sight(t bench.Target) change.Sight {
	all := s.changes.History.Targets
	if i := slices.IndexFunc(all, func(s change.Sight) bool { return s.Target == t }); i >= 0 {
		return all[i]
	}
	return change.Sight{Target: t, Learning: true}
}

func (c *collection) change(one change.Change, now time.Time) {
	labels := changeLabels(bench.Target{}, "")
	if one.Scope != change.ScopeHost {
		labels = changeLabels(one.Target, c.now.protocol.Label())
	}
	labels = also(labels, string(one.Signal), one.Way(), string(one.Scope))
	c.gauge(c.changeActive, truth(one.Active(now)), labels...)
	c.gauge(c.changeEffect, *one.Effect, labels...)
	if one.CI95 != nil {
		c.gauge(c.changeLow, one.CI95.Low, labels...)
		c.gauge(c.changeHigh, one.CI95.High, labels...)
	}
	c.timestamp(c.changeOnset, one.Onset.At, labels...)
	note := ""
	if at, reason, ok := one.WasAccepted(now); ok {
		c.timestamp(c.changeAccepted, at, labels...)
		note = shortened(reason)
	}
	before, after := one.VersionsText()
	c.gauge(c.changeInfo, 1, also(labels, clean(one.ID, before, after, string(one.Confirmation), note)...)...)
}

// longestNote is how much of what somebody wrote goes into a label, in characters.
const longestNote = 200

func shortened(note string) string {
	if runes := []rune(note); len(runes) > longestNote {
		return string(runes[:longestNote-1]) + "…"
	}
	return note
}

func changeLabels(t bench.Target, protocol string) []string {
	return clean(t.Framework, t.Edition, t.Serving, t.Workload, protocol)
}

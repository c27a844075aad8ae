package change

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// undone is the share of a change that must be gone for it to have returned.
const undone = 0.5

// History is what a replay has to say at its end.
type History struct {
	Changes    []Change       // oldest first
	Targets    []Sight        // in the order of their names
	Suspicious []bench.Target // in the newest campaign
	Doubts     []Doubt        // of each campaign, oldest first
}

// Doubt is who looked much worse in a campaign than before.
type Doubt struct {
	Moment
	Kind       bench.Kind
	Suspicious []bench.Target
}

// Replay judges campaigns, oldest first, one after another, as if each came now.
func Replay(campaigns []Campaign, accepted []Acceptance) History {
	var h History
	groups := map[group]bool{}
	for _, c := range campaigns {
		h.Doubts = append(h.Doubts, Doubt{Moment: Moment{c.ID, c.At}, Kind: c.Kind})
		for target := range c.Rates {
			if !target.Control() { // they tell the scope, and are judged by nobody
				groups[groupOf(target)] = true
			}
		}
	}
	for _, g := range slices.SortedFunc(maps.Keys(groups), compareGroups) {
		h.judge(watches(g, campaigns), campaigns)
	}
	if n := len(h.Doubts); n > 0 {
		h.Suspicious = h.Doubts[n-1].Suspicious
	}
	slices.SortStableFunc(h.Changes, func(a, b Change) int { return a.Reported.At.Compare(b.Reported.At) })
	slices.SortFunc(h.Targets, func(a, b Sight) int {
		return cmp.Or(compareGroups(groupOf(a.Target), groupOf(b.Target)), strings.Compare(a.Target.Framework, b.Target.Framework))
	})
	h.accept(accepted)
	return h
}

// judge adds what the watches of a group see, campaign by campaign: each knows what the
// others have told by then.
func (h *History) judge(watches []*watch, campaigns []Campaign) {
	for i, c := range campaigns {
		for _, w := range watches {
			h.Doubts[i].Suspicious = append(h.Doubts[i].Suspicious, w.observe(c)...)
		}
	}
	for _, w := range watches {
		w.confirm()
		h.Changes = append(h.Changes, w.told()...)
		h.Targets = append(h.Targets, w.sights(campaigns)...)
	}
}

// watch follows one group in one signal. It sees all targets, because what they have in
// common is the host, and tells of those whose signal it is. Of the whole field that tells
// which finds it first: one movement of a machine shows in both.
type watch struct {
	group       group
	signal      bench.Signal
	targets     []bench.Target
	own         map[bench.Target]bool
	events      *events // of the group, in whatever signal
	detector    *stats.Detector
	seen        []Campaign     // those in which the group was measured
	found       []stats.Change // with those that only took a change back
	changes     []Change
	places      []int                   // of changes, by index: where they stand in found
	silent      map[int]bool            // of changes, by index: what was told already is only followed to its end
	pythons     map[bench.Target]string // newest known
	interpreter int                     // how often it changed
	renewed     map[int]bool            // campaigns in which it did
	left        map[int]float64         // of open changes, by index: what of the effect remains, ln
	formers     map[int]stats.Former    // of open changes, by index: where it was before
	last        string                  // environment
}

// watches are one for the requests, and one for each other signal of a target.
func watches(g group, campaigns []Campaign) []*watch {
	signals := signalsOf(g, campaigns)
	known := &events{}
	all := []*watch{newWatch(g, bench.SignalRequests, signals, known)}
	for _, other := range bench.Signals() {
		if other != bench.SignalRequests && slices.Contains(slices.Collect(maps.Values(signals)), other) {
			all = append(all, newWatch(g, other, signals, known))
		}
	}
	return all
}

// signalsOf are those of the targets of a group, the newest where they differ: a target
// is judged by one signal for the whole of its history.
func signalsOf(g group, campaigns []Campaign) map[bench.Target]bench.Signal {
	signals := map[bench.Target]bench.Signal{}
	for _, c := range campaigns {
		for t := range c.Rates {
			if groupOf(t) == g {
				signals[t] = c.Signals[t].OrDefault()
			}
		}
	}
	return signals
}

func newWatch(g group, signal bench.Signal, signals map[bench.Target]bench.Signal, known *events) *watch {
	w := &watch{group: g, signal: signal, events: known, silent: map[int]bool{}, own: map[bench.Target]bool{}, left: map[int]float64{}, formers: map[int]stats.Former{}, renewed: map[int]bool{}, pythons: map[bench.Target]string{}}
	w.targets = slices.SortedFunc(maps.Keys(signals), func(a, b bench.Target) int { return strings.Compare(a.Framework, b.Framework) })
	for t, its := range signals {
		w.own[t] = its == signal
	}
	w.detector = stats.NewDetector(len(w.targets), stats.Config{Group: true, LowerIsBetter: signal.LowerIsBetter()})
	return w
}

func (w *watch) observe(c Campaign) (suspicious []bench.Target) {
	if !slices.ContainsFunc(w.targets, func(t bench.Target) bool { return c.Rates[t] > 0 }) {
		return nil // the same campaigns in each signal
	}
	w.seen = append(w.seen, c)
	w.forget(c)
	w.endUpgraded(c)
	environment := w.environment(c)
	if environment != w.last {
		clear(w.formers) // where it was elsewhere says nothing
	}
	w.last = environment
	for _, found := range w.detector.Observe(stats.Campaign{Values: valuesOf(w.targets, c.values(w.signal)), Environment: environment}) {
		w.take(found)
	}
	w.endReturned(c)
	for _, i := range w.detector.Suspicious() {
		if t := w.targets[i]; w.own[t] {
			suspicious = append(suspicious, t)
		}
	}
	return suspicious
}

// environment names what the group ran on. A new interpreter of half of those that are
// measured is an event of all, not of each; that of one is a version of its own.
func (w *watch) environment(c Campaign) string {
	changed, here := 0, 0
	for _, t := range w.targets {
		python := c.Versions[t].Python
		if python == "" {
			continue
		}
		here++
		if before := w.pythons[t]; before != "" && before != python {
			changed++
		}
		w.pythons[t] = python
	}
	if changed > 0 && 2*changed >= here {
		w.interpreter++
		w.renewed[len(w.seen)-1] = true
	}
	return fmt.Sprintf("%s, %s, interpreter %d", c.Machine, c.Protocol, w.interpreter)
}

// take adds what the detector found, unless it is the end of what it found before.
func (w *watch) take(found stats.Change) {
	found.Onset = w.onset(found)
	w.found = append(w.found, found)
	whole := found.Series == stats.WholeField
	if !whole && !w.own[w.targets[found.Series]] {
		return
	}
	c := Change{Signal: w.signal, Direction: found.Kind, Effect: found.Effect, CI95: found.CI95,
		Onset: w.moment(found.Onset), Reported: w.moment(found.Reported),
		Target: bench.Target{Edition: w.group.edition, Serving: w.group.serving, Workload: w.group.workload}}
	if whole {
		c.Scope = w.scopeOfAll(found)
		c.Part, c.Relative = w.part(found), found.Relative
	} else {
		c.Target = w.targets[found.Series]
		c.Before, c.After = w.versionsAround(found)
		c.Scope = scopeOfOne(c.Before, c.After)
	}
	if c.Effect != nil && w.undo(c) {
		return
	}
	c.ID = identity(c)
	w.changes, w.places = append(w.changes, c), append(w.places, len(w.found)-1)
	if whole {
		w.events.tell(event{found, w, len(w.changes) - 1})
	}
	if c.Effect != nil {
		w.left[len(w.changes)-1] = math.Log1p(*c.Effect)
		w.remember(len(w.changes) - 1)
	}
}

// uncertain is by how many campaigns an onset may be off: nine of ten are off by less
// or as many.
const uncertain = 2

// onset of a change of one target is where it was upgraded, if that was so near to
// the estimate that nothing tells the two apart. One campaign before the report there
// must be: a level takes two.
func (w *watch) onset(found stats.Change) int {
	if found.Series == stats.WholeField {
		return found.Onset
	}
	for distance := range uncertain + 1 {
		for _, campaign := range []int{found.Onset + distance, found.Onset - distance} {
			if campaign < found.Reported && w.upgraded(campaign, w.targets[found.Series]) {
				return campaign
			}
		}
	}
	return found.Onset
}

// upgraded reports whether a target ran other versions than before for the first time.
func (w *watch) upgraded(campaign int, t bench.Target) bool {
	before := w.versions(campaign-1, t)
	return known(before) && !sameVersions(before, w.versions(campaign, t))
}

// versionsAround a change of one target differ only where it began with an upgrade: of
// a later one it is no work.
func (w *watch) versionsAround(found stats.Change) (before, after bench.Versions) {
	t := w.targets[found.Series]
	after = w.versions(found.Reported, t)
	if w.upgraded(found.Onset, t) {
		return w.versions(found.Onset-1, t), after
	}
	return after, after
}

func (w *watch) moment(campaign int) Moment {
	c := w.seen[campaign]
	return Moment{c.ID, c.At}
}

// versions of the target in the newest campaign up to this one that knows them.
func (w *watch) versions(campaign int, t bench.Target) bench.Versions {
	for ; campaign >= 0; campaign-- {
		if v, ok := w.seen[campaign].Versions[t]; ok {
			return v
		}
	}
	return bench.Versions{}
}

// undo reports whether a change takes back an open one of the same target, and
// keeps count of what remains of the open ones.
func (w *watch) undo(c Change) (returned bool) {
	for i, left := range w.left {
		open := &w.changes[i]
		if open.Target != c.Target || open.Whole() && open.Scope != c.Scope {
			continue
		}
		w.left[i] = left + math.Log1p(*c.Effect)
		remains := w.left[i] / math.Log1p(*open.Effect)
		if remains > undone {
			continue
		}
		open.end(End{Reason: Returned, At: c.Reported.At})
		delete(w.left, i)
		w.unsettle(i)
		returned = returned || remains >= -undone // farther is a change of its own
	}
	return returned
}

// endUpgraded ends the changes of targets that run other packages than when the
// change began.
func (w *watch) endUpgraded(c Campaign) {
	for i := range w.left {
		open := &w.changes[i]
		if v, ok := c.Versions[open.Target]; ok && !sameVersions(v, open.After) {
			open.end(End{Reason: Upgraded, At: c.At})
			delete(w.left, i)
		}
	}
}

func sameVersions(a, b bench.Versions) bool {
	return a.Framework == b.Framework && a.Server == b.Server && a.Python == b.Python && maps.Equal(a.Packages, b.Packages)
}

// Current are the changes that hold at that time.
func (h History) Current(now time.Time) (active []Change) {
	for _, c := range h.Changes {
		if c.Active(now) {
			active = append(active, c)
		}
	}
	return active
}

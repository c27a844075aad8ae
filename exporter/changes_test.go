package exporter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/change"
)

// field is all targets of edition current.
func field() bench.Target { return targetOf("", "current") }

// changed was reported an hour before noon, of a target or of a whole field.
func changed(t bench.Target, share float64, scope change.Scope) change.Change {
	c := change.Change{
		ID: fmt.Sprintf("7-%s%+g", t, share), Signal: bench.SignalRequests, Scope: scope, Target: t, Effect: &share,
		Onset:    change.Moment{Campaign: 6, At: noon().Add(-4 * time.Hour)},
		Reported: change.Moment{Campaign: 7, At: noon().Add(-time.Hour)},
		Before:   bench.Versions{Framework: "1.0"}, After: bench.Versions{Framework: "1.1"},
	}
	c.CI95 = allocated(c.CI95)
	c.CI95.Low, c.CI95.High = share-0.02, share+0.02
	if !c.Whole() {
		c.Confirmation, c.Second = change.Confirmed, allocated(c.Second)
		c.Second.Effect, c.Second.CI95.Low, c.Second.CI95.High = -share, -share-0.01, -share+0.01
	}
	return c
}

// allocated makes a value of a type that this package does not know by name.
func allocated[T any](*T) *T { return new(T) }

func sighted(t bench.Target) change.Sight {
	return change.Sight{Target: t, Detectable: map[int]float64{2: 0.08, 3: 0.06, 10: 0.03}}
}

// accepted was accepted half an hour before noon.
func accepted(c change.Change) change.Change {
	c.End = &change.End{Reason: change.Accepted, At: noon().Add(-30 * time.Minute), Note: "TLS is worth it"}
	return c
}

// sampleChanges has one of everything.
func sampleChanges() Changes {
	return Changes{Known: true, History: change.History{
		Changes: []change.Change{
			changed(flask(), -0.1, change.ScopeFramework), changed(sanic(), 0.05, change.ScopeInterpreter),
			changed(field(), -0.2, change.ScopeHost),
			accepted(changed(sanic(), -0.07, change.ScopeServer)), accepted(changed(field(), 0.15, change.ScopeHost)),
		},
		Targets: []change.Sight{sighted(sanic()), sighted(flask())},
	}}
}

// allChanges is the worst that can be: every target and every field became both
// faster and slower, and so did the machine, on which something stayed the same; and
// all of it was accepted.
func allChanges(targets []bench.Target) Changes {
	all := Changes{Known: true}
	for _, share := range []float64{-0.1, 0.1} {
		for _, t := range targets {
			whole := targetOf("", t.Edition)
			all.History.Changes = append(all.History.Changes, changed(t, share, change.ScopeFramework), changed(t, 2*share, change.ScopeServer),
				changed(whole, share, change.ScopeInterpreter), changed(whole, share, change.ScopeHost))
		}
	}
	for _, t := range targets {
		whole := targetOf("", t.Edition)
		all.History.Changes = append(all.History.Changes, changed(whole, 0.01, change.ScopeInterpreter), changed(whole, 0.01, change.ScopeHost))
		all.History.Targets = append(all.History.Targets, sighted(t))
	}
	for i, c := range all.History.Changes {
		all.History.Changes[i] = accepted(c)
	}
	return all
}

func TestChangesAreShown(t *testing.T) {
	e := newExporter(t, options())
	wantNone(t, e, "restbench_change_learning", "framework", "flask")
	sample := sampleChanges()
	sample.History.Targets = sample.History.Targets[1:]
	delete(sample.History.Targets[0].Detectable, 10)
	e.SetChanges(sample)
	slowerFlask := []string{"framework", "flask", "edition", "current", "protocol", "short", "signal", "requests_per_second", "direction", "slower", "scope", "framework"}
	wantValue(t, e, 1, "restbench_change_active", slowerFlask...)
	share := -0.1
	wantValue(t, e, share, "restbench_change_effect_ratio", slowerFlask...)
	wantValue(t, e, share-0.02, "restbench_change_effect_ci95_low", slowerFlask...)
	wantValue(t, e, share+0.02, "restbench_change_effect_ci95_high", slowerFlask...)
	wantValue(t, e, float64(noon().Add(-4*time.Hour).Unix()), "restbench_change_onset_timestamp_seconds", slowerFlask...)
	wantValue(t, e, 1, "restbench_change_info", also(slowerFlask, "id", "7-flask@current-0.1", "before", "1.0", "after", "1.1", "confirmation", "confirmed")...)
	wantNone(t, e, "restbench_change_info", "framework", "flask", "note", "TLS is worth it")
	wantNone(t, e, "restbench_change_info", "direction", "slower", "scope", "host", "confirmation", "confirmed")
	wantValue(t, e, 1, "restbench_change_active", "framework", "sanic", "direction", "faster", "scope", "interpreter")
	wantValue(t, e, -0.2, "restbench_change_effect_ratio", "direction", "slower", "scope", "host")
	wantNone(t, e, "restbench_change_effect_ratio", "edition", "current", "scope", "host")
	wantValue(t, e, 0, "restbench_change_learning", "framework", "flask")
	wantValue(t, e, 1, "restbench_change_learning", "framework", "sanic") // never measured
	wantValue(t, e, 0.06, "restbench_detectable_change_ratio", "framework", "flask", "campaigns", "3")
	wantNone(t, e, "restbench_detectable_change_ratio", "framework", "flask", "campaigns", "10")
	wantNone(t, e, "restbench_detectable_change_ratio", "framework", "sanic", "campaigns", "3")
	wantText(t, e, "7-flask@current-0.1", "-10.0 % (95 % interval -12.0 % to -8.0 %) CPU/req +10.0 % (95 % interval +9.0 % to +11.0 %), confirmed", "1.0 → 1.1 holds",
		"the machine (all of edition current)", "flask@current 8.0 % 6.0 % – watched", "sanic@current – – – learning")
	e.SetTargets(short(), []bench.Target{sanic()})
	wantNone(t, e, "restbench_change_active", "framework", "flask")
}

// What has ended says so for as long as it could have held, and is gone then.
func TestEndedChanges(t *testing.T) {
	now := noon()
	o := options()
	o.Now = func() time.Time { return now }
	e := newExporter(t, o)
	sample := sampleChanges()
	sample.History.Changes[0].End = &change.End{Reason: change.Accepted, At: noon(), Note: "TLS is worth it"}
	now = noon().Add(-time.Minute)
	e.SetChanges(sample)
	wantValue(t, e, 1, "restbench_change_active", "framework", "flask")
	now = noon()
	e.SetChanges(sample)
	wantValue(t, e, 0, "restbench_change_active", "framework", "flask")
	wantText(t, e, "accepted 2026-11-20 12:00 UTC: TLS is worth it")
	now = noon().Add(change.Longest)
	e.SetChanges(sample)
	wantNone(t, e, "restbench_change_active", "framework", "flask")
}

// A scrape with two series of the same labels fails as a whole.
func TestOfSeveralChangesTheNewestThatHoldsIsShown(t *testing.T) {
	e := newExporter(t, options())
	old, ended, other := changed(flask(), -0.3, change.ScopeFramework), changed(flask(), -0.4, change.ScopeServer), changed(flask(), 0.1, change.ScopeFramework)
	old.Reported.At = noon().Add(-30 * time.Hour)
	ended.End = &change.End{Reason: change.Returned, At: noon().Add(-time.Minute)}
	nothing := changed(field(), 0, change.ScopeHost)
	nothing.Effect = nil
	e.SetChanges(Changes{Known: true, History: change.History{Changes: []change.Change{
		old, ended, other, nothing, changed(targetOf("falcon", "current"), -0.1, change.ScopeFramework), changed(targetOf("", "2020"), -0.1, change.ScopeHost),
	}}})
	wantValue(t, e, -0.3, "restbench_change_effect_ratio", "framework", "flask", "direction", "slower")
	wantValue(t, e, 0.1, "restbench_change_effect_ratio", "framework", "flask", "direction", "faster")
	wantNone(t, e, "restbench_change_effect_ratio", "scope", "host")
	wantNone(t, e, "restbench_change_effect_ratio", "framework", "falcon")
}

func TestChangesAreEscaped(t *testing.T) {
	const evil = `"><script>alert(1)</script>`
	e := newExporter(t, options())
	c := changed(flask(), -0.1, change.ScopeFramework)
	c.ID, c.After = evil, bench.Versions{Framework: "1\xff" + evil}
	c.End = &change.End{Reason: change.Accepted, At: noon(), Note: evil}
	e.SetChanges(Changes{Known: true, History: change.History{Changes: []change.Change{c}}})
	if page := pageOf(e); strings.Contains(page, "<script") || strings.Count(text(page), "alert(1)") != 3 {
		t.Errorf("the page is\n%s", text(page))
	}
	if _, err := e.options.Registry.Gather(); err != nil {
		t.Error(err)
	}
}

func TestPageSaysThatNothingChanged(t *testing.T) {
	e := newExporter(t, options())
	e.SetChanges(Changes{Known: true})
	wantText(t, e, "What would be noticed", "No lasting change holds at the moment.")
	if strings.Contains(text(pageOf(e)), "restbench accept") {
		t.Error("an empty table of changes is shown")
	}
}

// An acceptance has a time and a reason, so that a dashboard can mark it; both are
// there only when it is what ended the change.
func TestAcceptancesAreShown(t *testing.T) {
	e := newExporter(t, options())
	sample := sampleChanges()
	sample.History.Changes[0].End = &change.End{Reason: change.Returned, At: noon().Add(-time.Minute)}
	sample.History.Changes[1].End = &change.End{Reason: change.Accepted, At: noon().Add(time.Minute), Note: "not yet"}
	e.SetChanges(sample)
	const name = "restbench_change_accepted_timestamp_seconds"
	at := float64(noon().Add(-30 * time.Minute).Unix())
	wantValue(t, e, at, name, "framework", "sanic", "direction", "slower", "scope", "server", "signal", "requests_per_second", "protocol", "short")
	wantValue(t, e, at, name, "direction", "faster", "scope", "host")
	wantNone(t, e, name, "framework", "flask")
	wantNone(t, e, name, "framework", "sanic", "direction", "faster")
	wantNone(t, e, name, "direction", "slower", "scope", "host")
	wantValue(t, e, 1, "restbench_change_info", "framework", "sanic", "direction", "slower", "note", "TLS is worth it")
	wantNone(t, e, "restbench_change_info", "note", "not yet")
}

// A label has a bounded length, whatever was written.
func TestLongReasonsAreShortened(t *testing.T) {
	e := newExporter(t, options())
	c := accepted(changed(flask(), -0.1, change.ScopeFramework))
	c.End.Note = strings.Repeat("ä", longestNote+1)
	e.SetChanges(Changes{Known: true, History: change.History{Changes: []change.Change{c}}})
	wantValue(t, e, 1, "restbench_change_info", "note", strings.Repeat("ä", longestNote-1)+"…")
	c.End.Note = strings.Repeat("ä", longestNote)
	e.SetChanges(Changes{Known: true, History: change.History{Changes: []change.Change{c}}})
	wantValue(t, e, 1, "restbench_change_info", "note", strings.Repeat("ä", longestNote))
}

// What does not confirm a change is said in the words of people.
func TestWhatConfirmsAChangeIsShown(t *testing.T) {
	e := newExporter(t, options())
	waits, unknown := changed(flask(), -0.1, change.ScopeFramework), changed(sanic(), -0.1, change.ScopeFramework)
	waits.Confirmation = change.NotInCPU
	unknown.Confirmation, unknown.Second = change.Unconfirmed, nil
	e.SetChanges(Changes{Known: true, History: change.History{Changes: []change.Change{waits, unknown}}})
	wantValue(t, e, 1, "restbench_change_info", "framework", "flask", "confirmation", "not_in_cpu")
	wantValue(t, e, 1, "restbench_change_info", "framework", "sanic", "confirmation", "unknown")
	wantText(t, e, "CPU/req +10.0 % (95 % interval +9.0 % to +11.0 %), not in CPU", "-8.0 %) unknown")
}

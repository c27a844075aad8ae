//go:build linux && (amd64 || arm64)

package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/store"
)

// pastOf reads "S C:a S:ab": scheduled and confirming campaigns, and who was
// suspicious in them.
func pastOf(text string) (past []change.Doubt) {
	for campaign := range strings.FieldsSeq(text) {
		kind, suspicious, _ := strings.Cut(campaign, ":")
		d := change.Doubt{Kind: bench.KindScheduled}
		if kind == "C" {
			d.Kind = bench.KindConfirm
		}
		for _, name := range suspicious {
			d.Suspicious = append(d.Suspicious, bench.Target{Framework: string(name)})
		}
		past = append(past, d)
	}
	return past
}

// What waits at a start, and whether a suspicion of a in the campaign that comes next
// would be a new one.
func TestDoubtsOutliveAStart(t *testing.T) {
	for past, want := range map[string]struct {
		waiting string
		fresh   bool
	}{
		"":                    {"", true},
		"S S":                 {"", true},
		"S S:a":               {"a", false},
		"S:a S:ab":            {"ab", false}, // nothing has followed the first
		"S:a S":               {"", true},
		"S:a C:a":             {"", false},
		"S:a C":               {"", true},
		"S:a C:a S:a":         {"", false}, // it goes on
		"S:a C:a S:a S:a":     {"", false},
		"S:a C:a S:ab":        {"ab", false},
		"S:a C:a S:a S":       {"", true},
		"S:a C S:a":           {"a", false},
		"S:a S:b C:b":         {"", true},
		"S:a C:a S:ab S:b":    {"b", true},
		"S:a C:a S:ab C:b":    {"", true},
		"C:a":                 {"", true}, // looked bad in a confirming campaign only
		"S:a C:a S S:a C:a S": {"", true},
	} {
		doubts, waiting := doubtsOf(pastOf(past), true)
		names := ""
		for _, target := range waiting {
			names += target.Framework
		}
		if names != want.waiting {
			t.Errorf("%q: %q waits, want %q", past, names, want.waiting)
		}
		if fresh := doubts.Confirm([]bench.Target{{Framework: "a"}}); fresh != want.fresh {
			t.Errorf("%q: a suspicion of a is a new one: %t", past, fresh)
		}
	}
	// What is too old to be confirmed may be suspicious again.
	for past, fresh := range map[string]bool{"S:a": true, "S:a C:a S:a": false, "S:a C:a S:ab": true, "S:a S:a": true} {
		doubts, waiting := doubtsOf(pastOf(past), false)
		if got := doubts.Confirm([]bench.Target{{Framework: "a"}}); got != fresh || len(waiting) != 0 {
			t.Errorf("%q, too old: %v waits, a suspicion of a is a new one: %t", past, waiting, got)
		}
	}
}

func TestWhatCanBeConfirmedAtAStart(t *testing.T) {
	past := pastOf("S S:a")
	past[0].At, past[1].At = time.Unix(0, 0), time.Unix(0, 0).Add(time.Hour)
	for i, test := range []struct {
		past []change.Doubt
		due  bool
		late time.Duration
		want bool
	}{{past, false, confirmWithin - 1, true}, {past, false, confirmWithin, false}, {past, true, 0, false}, {nil, false, 0, false}} {
		if got := confirmable(test.past, test.due, past[1].At.Add(test.late)); got != test.want {
			t.Errorf("%d: %t", i, got)
		}
	}
}

// suspected makes a history whose newest campaign, so long ago, is the first in which
// delta was much slower, and returns a configuration for which no other is due.
func suspected(t *testing.T, state string, ago time.Duration) (file string) {
	t.Helper()
	file = unhurried(t)
	s := ownSeeding(t, file, 20)
	s.last = time.Now().UTC().Add(-ago)
	s.disturb = func(campaign, participant int) float64 {
		if campaign == s.n-1 && greek()[participant] == "delta" {
			return 0.7
		}
		return 1
	}
	history := openState(t, state)
	defer history.Close()
	s.into(t, history, 0, s.n)
	measuredAsConfigured(t, state, file)
	return file
}

// kindsSince are the kinds of the campaigns that finished after those that were made up.
func kindsSince(t *testing.T, state string, seeded int64) (kinds []bench.Kind) {
	t.Helper()
	history, err := store.OpenReadOnly(t.Context(), filepath.Join(state, historyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer history.Close()
	found, err := history.Campaigns(t.Context(), store.Filter{After: seeded, States: []bench.State{bench.StateFinished}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range found {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

// A daemon that ended between a suspicious campaign and the one that confirms it makes
// up for that at its next start, and not once more at the one after.
func TestARestartConfirmsASuspicion(t *testing.T) {
	state := isolated(t)
	file := suspected(t, state, time.Hour)
	first := startDaemon(t, state, file)
	eventually(t, time.Minute, "a campaign has finished", func() bool { return len(kindsSince(t, state, 20)) > 0 })
	eventually(t, time.Minute, "no campaign runs", func() bool { return first.metric("restbench_campaign_running") == "0" })
	if said := first.stop().err; strings.Count(said, "measured once more") != 1 || !strings.Contains(said, "delta@own") {
		t.Errorf("the daemon said\n%s", said)
	}
	second := startDaemon(t, state, file)
	second.awaitNext()
	if said := second.stop().err; strings.Contains(said, "measured once more") {
		t.Errorf("after another start the daemon said\n%s", said)
	}
	if kinds := kindsSince(t, state, 20); !slices.Equal(kinds, []bench.Kind{bench.KindConfirm}) {
		t.Errorf("campaigns since: %v", kinds)
	}
}

// What was suspicious longer ago says nothing about now.
func TestARestartConfirmsNothingOld(t *testing.T) {
	state := isolated(t)
	d := startDaemon(t, state, suspected(t, state, confirmWithin+time.Hour))
	d.awaitNext()
	if said := d.stop().err; strings.Contains(said, "measured once more") {
		t.Errorf("the daemon said\n%s", said)
	}
}

// awaitNext waits until the loop of campaigns has planned its next slot: before that
// it has decided what comes first.
func (d *runningDaemon) awaitNext() {
	d.t.Helper()
	eventually(d.t, time.Minute, "the next campaign is planned", func() bool {
		return d.metric("restbench_campaign_next_start_timestamp_seconds") != ""
	})
}

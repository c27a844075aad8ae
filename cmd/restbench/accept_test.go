//go:build linux && (amd64 || arm64)

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/config"
	"restbench/internal/store"
)

func greek() []string { return []string{"alpha", "beta", "gamma", "delta", "epsilon", "zeta"} }

// unhurried is a configuration of which a campaign is due every 100 hours.
func unhurried(t *testing.T) (file string) {
	t.Helper()
	file = ownTargets(t, greek()...)
	text := strings.Replace(read(t, file), "rounds: 2", "rounds: 5", 1)
	rewrite(t, file, "schedule: \"@every 100h\"\n"+strings.Replace(text, "controls: [go]", "controls: []", 1))
	return file
}

// seeded makes a history of 40 campaigns in which delta became slower by a tenth
// with the 31st, and returns a configuration for which no other is due.
func seeded(t *testing.T, state string) (file string) {
	t.Helper()
	file = unhurried(t)
	s := ownSeeding(t, file, 40)
	s.disturb = func(campaign, participant int) float64 {
		if campaign >= 30 && greek()[participant] == "delta" {
			return 0.9
		}
		return 1
	}
	history := openState(t, state)
	defer history.Close()
	s.into(t, history, 0, s.n)
	measuredAsConfigured(t, state, file)
	return file
}

// measuredAsConfigured lets a state folder say that own targets were measured as the file
// has them: without that, a start measures them at once.
func measuredAsConfigured(t *testing.T, state, file string) {
	t.Helper()
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	(&daemon{kit: &kit{state: state}}).rememberOwn(choice{own: cfg.Targets})
}

// openState opens the history of a state folder for writing.
func openState(t *testing.T, state string) *store.Store {
	t.Helper()
	if err := os.MkdirAll(state, 0o750); err != nil {
		t.Fatal(err)
	}
	history, err := store.Open(t.Context(), filepath.Join(state, historyFile))
	if err != nil {
		t.Fatal(err)
	}
	return history
}

// deltaSlower is the labels of the series about delta, in the order of a scrape.
const deltaSlower = `{direction="slower",edition="own",framework="delta",protocol="short",scope="framework",serving="documented",signal="requests_per_second",workload="hello"}`

// A change that is accepted beside a daemon ends in its metrics; its reason is kept.
func TestAcceptEndsAChange(t *testing.T) {
	state := isolated(t)
	file := seeded(t, state)
	d := startDaemon(t, state, file)
	eventually(t, time.Minute, "the change is shown", func() bool { return d.metric("restbench_change_active"+deltaSlower) == "1" })
	accept := func(args ...string) outcome {
		return restbench(t.Context(), t, append([]string{"accept", "--storage.path=" + state}, args...)...)
	}
	listed := accept()
	id := ""
	for field := range strings.FieldsSeq(listed.out) {
		if strings.HasSuffix(field, "-delta@own") {
			id = field
		}
	}
	if listed.code != exitDone || id == "" || !strings.Contains(listed.out, "holds") || !strings.Contains(listed.out, "%), confirmed") {
		t.Fatalf("accept: %+v", listed)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no reason":    {[]string{id}, exitUsage, "--reason is missing"},
		"empty reason": {[]string{id, "--reason= "}, exitUsage, "--reason is missing"},
		"no change":    {[]string{"--reason=x"}, exitUsage, "belongs to a change"},
		"unknown":      {[]string{"7-nobody@own", "--reason=x"}, exitFailed, "these hold: " + id},
	} {
		if got := accept(test.args...); got.code != test.code || !strings.Contains(got.err, test.says) || got.out != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if v := d.metric("restbench_change_active" + deltaSlower); v != "1" {
		t.Errorf("nobody has accepted it yet, but change_active is %q", v)
	}
	if got := accept(id, "--reason=TLS is worth it"); got.code != exitDone || !strings.Contains(got.out, "accepted: "+id+", delta@own -") {
		t.Fatalf("accept: %+v", got)
	}
	eventually(t, time.Minute, "the daemon has noticed", func() bool { return d.metric("restbench_change_active"+deltaSlower) == "0" })
	if _, page := d.get("/"); !strings.Contains(page, "TLS is worth it") {
		t.Error("the page does not give the reason")
	}
	if got := accept(id, "--reason=again"); got.code != exitFailed || !strings.Contains(got.err, "does not hold any more: accepted") {
		t.Errorf("accepted twice: %+v", got)
	}
	if got := accept("7-nobody@own", "--reason=x"); got.code != exitFailed || !strings.Contains(got.err, "none holds") {
		t.Errorf("unknown: %+v", got)
	}
}

// A machine that became slower did so for each edition: one word of a person ends it.
func TestAcceptEndsWhatHappenedToTheMachineInAllEditions(t *testing.T) {
	state := isolated(t)
	s := ownSeeding(t, unhurried(t), 40)
	for i, own := range s.campaign.Participants[1:] {
		own.Target.Edition = "2020"
		s.campaign.Participants, s.levels = append(s.campaign.Participants, own), append(s.levels, s.levels[i+1]/2)
	}
	s.disturb = func(campaign, _ int) float64 {
		if campaign >= 30 {
			return 0.5
		}
		return 1
	}
	history := openState(t, state)
	s.into(t, history, 0, s.n)
	found, err := changesOf(t.Context(), history)
	history.Close()
	if err != nil || len(found.Changes) != 2 {
		t.Fatalf("%v, %+v", err, found.Changes)
	}
	first, second := found.Changes[0].ID, found.Changes[1].ID
	accept := func(id string) outcome {
		return restbench(t.Context(), t, "accept", "--storage.path="+state, id, "--reason=a smaller machine")
	}
	if got := accept(first); got.code != exitDone || !strings.Contains(got.out, "and with it the same in other editions: "+second+"\n") {
		t.Errorf("%+v", got)
	}
	if got := accept(second); got.code != exitFailed || !strings.Contains(got.err, "does not hold any more: accepted") {
		t.Errorf("%+v", got)
	}
}

// A daemon that can find no change says so once, when it starts.
func TestServeSaysThatChangesAreNotLookedFor(t *testing.T) {
	const says = "lasting changes are not looked for: that takes 5 rounds, the protocol has 2"
	for file, want := range map[string]int{ownTargets(t, "alpha"): 1, unhurried(t): 0} {
		state := isolated(t)
		left := startDaemon(t, state, file).stop()
		if got := strings.Count(left.err, says); got != want {
			t.Errorf("said %d times, want %d:\n%s", got, want, left.err)
		}
	}
}

func TestAcceptWithoutAHistory(t *testing.T) {
	state := isolated(t)
	if got := restbench(t.Context(), t, "accept", "--storage.path="+state); got.code != exitFailed || !strings.Contains(got.err, "there is no history") {
		t.Errorf("%+v", got)
	}
	openState(t, state).Close()
	if got := restbench(t.Context(), t, "accept", "--storage.path="+state); got.code != exitDone || !strings.Contains(got.out, "no lasting change") {
		t.Errorf("%+v", got)
	}
}

// What a daemon knows after each campaign is what another process finds in the
// whole history.
func TestReadingOnIsReadingAnew(t *testing.T) {
	state := isolated(t)
	file := seeded(t, state)
	other := state + "-other"
	s := ownSeeding(t, file, 40)
	s.disturb = func(campaign, participant int) float64 {
		if campaign >= 20 && participant == 1 {
			return 1.1
		}
		return 1
	}
	history := openState(t, other)
	defer history.Close()
	s.into(t, history, 0, 20)
	on, err := newReplayer(t.Context(), history)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(on.replay(nil).Changes); n != 0 {
		t.Errorf("%d changes before there is one", n)
	}
	for n := 20; n < s.n; n++ {
		s.into(t, history, n, n+1)
		if err := on.readOn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	anew, err := changesOf(t.Context(), history)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(anew, on.replay(nil)); diff != "" || len(anew.Changes) != 1 {
		t.Errorf("%d changes (-anew +on):\n%s", len(anew.Changes), diff)
	}
}

func TestCheckSaysWhatWouldBeNoticed(t *testing.T) {
	state := isolated(t)
	file := seeded(t, state)
	check := func(file string) string {
		got := restbench(t.Context(), t, "check", "--storage.path="+state, "--config.file="+file)
		var said []string
		for line := range strings.Lines(got.out) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[1] == sightName {
				said = append(said, strings.Join(fields, " "))
			}
		}
		return strings.Join(said, "\n")
	}
	said := check(file)
	if n := strings.Count(said, "% in 3 campaigns ("); n != len(greek()) || !strings.Contains(said, "ok changes alpha@own, here: ") {
		t.Errorf("check says\n%s", said)
	}
	short := ownTargets(t, "alpha", "omega")
	if said := check(short); !strings.Contains(said, "warn changes not looked for: that takes 5 rounds, the protocol has 2") ||
		!strings.Contains(said, "omega@own, here: not known yet") {
		t.Errorf("check says\n%s", said)
	}
	state += "-empty"
	if said := check(file); !strings.Contains(said, "no history yet") {
		t.Errorf("check says\n%s", said)
	}
}

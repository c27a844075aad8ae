//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"restbench/frameworks"
	"restbench/internal/bench"
)

// A release of which a single start does not work, in the midst of its campaign, has
// not taken the place of the one before: it is told, tried again, and shown when it
// went well. What a reload then changes of its verdict is shown at once, while the next
// release is measured.
func TestAStartThatFailsOnceLeavesTheOldReleases(t *testing.T) {
	state := isolated(t)
	catalogue, releases := delayedFramework(t, state)
	file := latestFile(t, "@yearly")
	d := startDaemon(t, state, file, "--frameworks.dir="+catalogue, "--web.enable-lifecycle")
	d.awaitCampaign()
	starts := filepath.Join(t.TempDir(), "starts")
	offer(t, releases, "tiny", "2.0", delayed(30)+fmt.Sprintf(`
with open(%q, "a+") as starts:
    starts.write("x")
    starts.seek(0)
    if len(starts.read()) == 3:
        raise SystemExit("a flaky release")
`, starts))
	d.awaitLog(2*time.Minute, "the new releases did not start every time: tiny@latest: ")
	if !hasLocked(state, "tiny==1.0 ") || d.upgradeRatio() != "" {
		t.Errorf("after a start that failed the ratio is %q, and measured is %s", d.upgradeRatio(), read(t, filepath.Join(state, "latest", "tiny", "lock.txt")))
	}
	eventually(t, 2*time.Minute, "the release is kept", func() bool { return hasLocked(state, "tiny==2.0 ") })
	eventually(t, 20*time.Second, "its upgrade is shown", func() bool { return d.upgradeRatio() != "" })
	if log := d.log.String(); !strings.Contains(log, "a flaky release") {
		t.Errorf("the cause is not told:\n%s", log)
	}
	checkAReloadWhileMeasuring(t, d, file, releases)
}

// checkAReloadWhileMeasuring offers a release whose campaign lasts for a minute.
func checkAReloadWhileMeasuring(t *testing.T, d *runningDaemon, file, releases string) {
	t.Helper()
	long := strings.Replace(read(t, file), "precision: 0.3", "precision: 0.0001", 1)
	d.rereads(t, file, long)
	offer(t, releases, "tiny", "3.0", delayed(10))
	offered := strings.Count(d.log.String(), "offers other releases")
	eventually(t, time.Minute, "the next release is measured", func() bool {
		return strings.Count(d.log.String(), "offers other releases") > offered
	})
	if slower := d.metric(upgradeIsSlower); slower != "1" {
		t.Errorf("the verdict slower is %q", slower)
	}
	d.rereads(t, file, strings.Replace(long, "min_age: 0s", "min_age: 0s, threshold: 0.9", 1))
	eventually(t, 10*time.Second, "another verdict", func() bool { return d.metric(upgradeIsSlower) == "0" })
}

// A renewal that finds the edition switched off or changed goes on with what is
// configured now, and does nothing more of what was.
func TestAReloadEndsWhatWasBegun(t *testing.T) {
	o, log := frameworks.Other{}, &syncBuffer{}
	o.Target.Framework = "tiny"
	before := &plan{choice: choice{latest: latest{dir: t.TempDir(), targets: []frameworks.Other{o}}}}
	if err := before.choice.latest.keep(o, []byte("damaged\n"), nil); err != nil { // would be told
		t.Fatal(err)
	}
	u := &upgrader{daemon: &daemon{kit: &kit{log: zerolog.New(log)}, turn: make(chan struct{}, 1)}, said: map[string]string{}}
	u.current.Store(before)
	u.turn <- struct{}{} // a scheduled campaign is under way
	ended := make(chan error)
	go func() { ended <- u.renew(t.Context()) }()
	asked := func() int { return strings.Count(log.String(), "asking the package index") }
	eventually(t, time.Minute, "the renewal has begun", func() bool { return asked() == 1 })
	u.current.Store(&plan{})
	<-u.turn
	if err := <-ended; err != nil || asked() != 2 || strings.Contains(log.String(), "tiny") {
		t.Errorf("%v; told:\n%s", err, log)
	}
	if _, err := os.Stat(filepath.Join(before.choice.latest.dir, askedFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the index is said to have answered: %v", err)
	}
}

// A reload of a file that nobody has changed ends nothing: what failed before in this
// renewal is not measured again.
func TestAReloadThatChangesNothingEndsNothing(t *testing.T) {
	state, file := isolated(t), latestFile(t, "@yearly")
	rewrite(t, file, strings.Replace(read(t, file), "[tiny]", "[flask, sanic]", 1))
	replan := func() *plan {
		s := &session{storagePath: state, configFile: file}
		p, err := s.plan()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, again := replan(), replan()
	rewrite(t, file, strings.Replace(read(t, file), "min_age: 0s", "min_age: 1h", 1))
	if !first.same(again) || first.same(replan()) {
		t.Errorf("the same: %t, changed: %t", first.same(again), !first.same(replan()))
	}
	u := &upgrader{daemon: &daemon{kit: &kit{log: zerolog.Nop()}, turn: make(chan struct{}, 1)}}
	u.current.Store(again)
	if err := u.inTurn(t.Context(), first, func() error { return nil }); err != nil {
		t.Error(err)
	}
}

// What failed everywhere was no answer of the index.
func TestAnIndexThatAnsweredNobodyWasNotAsked(t *testing.T) {
	o := frameworks.Other{}
	o.Target.Framework = "tiny"
	p := &plan{choice: choice{latest: latest{dir: t.TempDir(), targets: []frameworks.Other{o}}}}
	if err := p.choice.latest.keep(o, []byte("damaged\n"), nil); err != nil {
		t.Fatal(err)
	}
	u := &upgrader{daemon: &daemon{kit: &kit{log: zerolog.Nop()}, turn: make(chan struct{}, 1)}, said: map[string]string{}}
	u.current.Store(p)
	if err := u.renew(t.Context()); err != nil || u.said["tiny"] == "" || !p.choice.latest.asked().IsZero() {
		t.Errorf("%v, told %q, asked %s", err, u.said, p.choice.latest.asked())
	}
}

// Only what would be the same again is not measured again.
func TestWhatIsSettled(t *testing.T) {
	a, b := bench.Target{Framework: "tiny", Edition: bench.EditionBefore}, bench.Target{Framework: "tiny", Edition: bench.EditionBetween}
	for name, test := range map[string]struct {
		state bench.State
		of    bench.Target
		stage bench.Stage
		want  bool
	}{
		"finished":                     {bench.StateFinished, b, bench.StageLoad, true},
		"interrupted":                  {bench.StateStopped, b, bench.StageLoad, false},
		"does not start":               {bench.StateStopped, b, bench.StageStart, true},
		"gives no answer":              {bench.StateStopped, b, bench.StageReady, true},
		"could not be installed":       {bench.StateStopped, b, bench.StageInstall, false},
		"the old one does not start":   {bench.StateStopped, a, bench.StageStart, false},
		"the old one is not installed": {bench.StateStopped, a, bench.StageInstall, false},
	} {
		c := bench.Campaign{State: test.state, Participants: []bench.Participant{{Target: a}, {Target: b}}}
		if got := settled(c, []bench.Measurement{{Target: test.of, Failure: &bench.Failure{Stage: test.stage}}}); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// A full disk during the search for the responsible package ends the search for now;
// it goes on, and finds it, at a later time.
func TestASearchThatCannotInstallGoesOnLater(t *testing.T) {
	state := isolated(t)
	catalogue, releases := delayedFramework(t, state, "helper")
	full := fullDiskForMixedSets(t, state)
	file := latestFile(t, "@yearly")
	d := startDaemon(t, state, file, "--frameworks.dir="+catalogue)
	d.awaitCampaign()
	eventually(t, time.Minute, "the index was asked", func() bool {
		_, err := os.Stat(filepath.Join(state, "latest", "asked"))
		return err == nil
	})
	d.stop() // so that both are offered at once
	offer(t, releases, "tiny", "2.0", delayed(10))
	offer(t, releases, "helper", "2.0", delayed(40))
	d = startDaemon(t, state, file, "--frameworks.dir="+catalogue)
	d.awaitLog(3*time.Minute, "look for the package that makes the difference: tiny@latest (between): install: ")
	if log := d.log.String(); !strings.Contains(log, "No space left on device") || strings.Contains(log, "a set between old and new: ") {
		t.Errorf("what could not be installed was judged:\n%s", log)
	}
	if _, page := d.get("/"); strings.Contains(page, "responsible together") {
		t.Error("what could not be installed is said to be responsible together")
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	d.awaitLog(3*time.Minute, "; responsible: helper")
	if log := d.log.String(); strings.Contains(log, "responsible together") {
		t.Errorf("told before:\n%s", log)
	}
}

// fullDiskForMixedSets puts a uv in front of the real one that cannot install a set of
// releases 1.0 and 2.0 while a file is there.
func fullDiskForMixedSets(t *testing.T, state string) (file string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(state, "uv", "*", "uv")) // where it is not on PATH
	if path, missing := exec.LookPath("uv"); missing == nil {
		found = []string{path}
	}
	if err != nil || len(found) == 0 {
		t.Fatalf("no uv, though something was installed: %v", err)
	}
	dir := t.TempDir()
	file = writeFile(t, "full", "")
	text := fmt.Sprintf(`#!/bin/sh
old= new= list=
for word; do case $word in */requirements.txt) list=$word;; esac; done
case " $* " in *" pip sync "*)
	while read -r line; do
		case $line in *==1.0*) old=1;; *==2.0*) new=1;; esac
	done < "$list"
esac
if [ -e %q ] && [ "$old$new" = 11 ]; then
	echo 'error: No space left on device (os error 28)' >&2
	exit 2
fi
exec %q "$@"
`, file, found[0])
	if err := os.WriteFile(filepath.Join(dir, "uv"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return file
}

//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
)

// How old the last success is outlives a restart, also after campaigns in which
// nothing was measured; the schedule says when another one is due.
func TestTheLastSuccessOutlivesARestart(t *testing.T) {
	state, config := isolated(t), yearly(t)
	history := openState(t, state)
	s := ownSeeding(t, config, 1)
	s.into(t, history, 0, 1)
	fruitless := s.campaign
	fruitless.Kind, fruitless.State, fruitless.Rounds = bench.KindScheduled, bench.StateFinished, 2
	fruitless.Started, fruitless.Finished = s.last.Add(30*time.Minute), s.last.Add(40*time.Minute)
	id, err := history.Begin(t.Context(), fruitless)
	if err != nil {
		t.Fatal(err)
	}
	broken := bench.Measurement{Campaign: id, Target: s.campaign.Participants[0].Target, Started: fruitless.Started,
		Failure: &bench.Failure{Stage: bench.StageReady, Cause: "it ended"}}
	if err := history.Record(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	fruitless.ID = id
	if err := history.Update(t.Context(), fruitless); err != nil {
		t.Fatal(err)
	}
	if err := history.Close(); err != nil {
		t.Fatal(err)
	}

	d := startDaemon(t, state, config)
	succeeded := s.last.Add(10 * time.Minute)
	d.wantTime(lastSuccess, succeeded)
	d.wantTime("restbench_campaign_success_due_timestamp_seconds", time.Date(succeeded.Year()+2, 1, 1, 0, 10, 0, 0, time.UTC))
}

// yearly is a configuration of a server that ends at once, with two slots in two
// years.
func yearly(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, ownTargets(t, "alpha"))
	return writeFile(t, "restbench.yml", "schedule: '@yearly'\n"+strings.Replace(text, fmt.Sprintf("%q", self), "/bin/false", 1))
}

func (d *runningDaemon) wantTime(name string, want time.Time) {
	d.t.Helper()
	got, err := strconv.ParseFloat(d.metric(name), 64)
	if err != nil || time.UnixMilli(int64(got*1000)).Sub(want).Abs() > time.Second {
		d.t.Errorf("%s is %v (%v), want %s, which is %d", name, got, err, want, want.Unix())
	}
}

//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
	"restbench/internal/store"
)

// seededHistory holds one finished campaign for each set of rates, an hour apart.
func seededHistory(t *testing.T, campaigns ...map[string]float64) (*store.Store, []bench.Campaign) {
	t.Helper()
	history, err := store.Open(t.Context(), filepath.Join(t.TempDir(), historyFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = history.Close() })
	var stored []bench.Campaign
	for i, rates := range campaigns {
		stored = append(stored, seed(t, history, time.Date(2026, 11, 23, i, 0, 0, 0, time.UTC), rates))
	}
	return history, stored
}

// seed stores a campaign of two rounds; a rate of 0 is a target without a number.
func seed(t *testing.T, history *store.Store, at time.Time, rates map[string]float64) bench.Campaign {
	t.Helper()
	c := bench.Campaign{
		Kind: bench.KindManual, State: bench.StateFinished, Protocol: bench.Protocol{Name: "two", Rounds: 2, Duration: time.Second, Threads: 1, Connections: 1},
		Rounds: 2, Started: at, Finished: at.Add(time.Minute),
	}
	for name := range rates {
		c.Participants = append(c.Participants, bench.Participant{Target: seededTarget(name)})
	}
	id, err := history.Begin(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.ID = id
	for name, rate := range rates {
		for round := 1; round <= 2 && rate > 0; round++ {
			record(t.Context(), t, history, bench.Measurement{
				Campaign: id, Round: round, Target: seededTarget(name), Started: at,
				Load: bench.Load{Engine: "native 1", Requests: int64(rate), Duration: time.Second},
			})
		}
	}
	return c
}

func record(ctx context.Context, t *testing.T, history *store.Store, m bench.Measurement) {
	t.Helper()
	if err := history.Record(ctx, m); err != nil {
		t.Fatal(err)
	}
}

func seededTarget(name string) bench.Target {
	return bench.Target{Framework: name, Edition: "current", Serving: bench.ServingDocumented, Workload: bench.WorkloadHello}
}

func relativeOf(t *testing.T, r report.Result, name string) *float64 {
	t.Helper()
	for _, row := range r.Results {
		if row.Framework == name {
			return row.Relative
		}
	}
	t.Fatalf("%s has no result", name)
	return nil
}

// When the base fails, another framework does not silently become 1.
func TestRelativeIsAbsentWhenTheBaseOfEarlierFailed(t *testing.T) {
	history, stored := seededHistory(t,
		map[string]float64{"fast": 1000, "middle": 500, "slow": 100},
		map[string]float64{"fast": 1000, "middle": 500}, // of some targets only: its base tells nothing of all
		map[string]float64{"fast": 1000, "middle": 500, "slow": 0})
	result, err := resultOf(t.Context(), history, stored[2])
	if err != nil {
		t.Fatal(err)
	}
	if r := relativeOf(t, result, "middle"); r != nil {
		t.Errorf("middle is %v although the base, slow, has failed", *r)
	}
	whole, err := resultOf(t.Context(), history, stored[0])
	if err != nil {
		t.Fatal(err)
	}
	if r := relativeOf(t, whole, "middle"); r == nil || *r != 5 {
		t.Errorf("middle is %v in a whole campaign, want 5", r)
	}
}

// A block that reaches into what Prometheus still has in memory makes it forget that.
func TestOnlyWhatIsLongOverGoesIntoBlocks(t *testing.T) {
	end := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var all []bench.Campaign
	for id, finished := range []time.Time{{}, end.Add(time.Second), end, end.Add(-time.Second), end.Add(-time.Hour)} {
		all = append(all, bench.Campaign{ID: int64(id), Finished: finished})
	}
	written := writtenBefore(all, end)
	if len(written) != 2 || written[0].ID != 3 || written[1].ID != 4 {
		t.Errorf("%+v", written)
	}
}

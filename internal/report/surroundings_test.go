package report_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// conditions are those of the first result as a program reads them.
func conditions(t *testing.T, c bench.Campaign, ms []bench.Measurement) map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteJSON(&out, report.New(c, ms)); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Results []struct{ Conditions map[string]any }
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil || len(doc.Results) == 0 {
		t.Fatalf("%v: %s", err, out.String())
	}
	return doc.Results[0].Conditions
}

// Means, maxima and sums are over the rounds that count: neither an invalid one
// nor one that was repeated is among them.
func TestConditionsTravelWithTheNumber(t *testing.T) {
	c, one := campaign(), target("sanic", "current")
	c.Rounds = 3
	var ms []bench.Measurement
	for round := 1; round <= 3; round++ {
		m, x := measured(one, round, 1000), float64(round)
		m.Server = bench.Usage{CPU: time.Duration(round) * 5 * time.Second, RunQueue: time.Duration(round) * time.Second}
		m.Load.ClientCPU = time.Duration(round) * time.Second
		m.Conditions = bench.Conditions{
			Steal: x / 100, Pressure: x / 10, Load1: x, MHz: 2000 + 100*x, TCPRetransmits: int64(round), ListenOverflows: 10 * int64(round),
			TimeWaitBefore: 100 * int64(round), TimeWaitAfter: 1000 * int64(round),
		}
		ms = append(ms, m)
	}
	ms[2].Marks = []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonErrors}}
	noisy := ms[1]
	noisy.Conditions.Steal, noisy.Conditions.TCPRetransmits = 0.9, 1_000_000
	ms[1].Attempt = 1
	spread := func(mean, most float64) map[string]any { return map[string]any{"mean": mean, "max": most} }
	want := map[string]any{
		"steal": spread(0.015, 0.02), "pressure": spread(0.15, 0.2), "load1": spread(1.5, 2), "mhz": 2150.0,
		"tcp_retransmits": 3.0, "listen_overflows": 30.0, "time_wait_before": 200.0, "time_wait_after": 2000.0,
		"server_cpu_use": 0.75, "client_cpu_use": 0.15, "server_run_queue": 0.15,
	}
	got := conditions(t, c, append(ms, noisy))
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
}

// What was not read is null, and no 0 that looks like a reading.
func TestConditionsThatAreNotKnownAreNull(t *testing.T) {
	c, m := campaign(), measured(target("shop", "own"), 1, 1000)
	m.Server, m.Load.ClientCPU = bench.Usage{}, 0
	got := conditions(t, c, []bench.Measurement{m})
	for _, name := range []string{"mhz", "server_cpu_use", "client_cpu_use", "server_run_queue"} {
		if value, there := got[name]; !there || value != nil {
			t.Errorf("%s is %v", name, value)
		}
	}
	if got["tcp_retransmits"] != 0.0 {
		t.Errorf("%v", got)
	}
}

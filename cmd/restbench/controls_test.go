//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"restbench/internal/need"
)

// controlled is what these tests read of a result.
type controlled struct {
	Results  []struct{ Framework, Base string }
	Controls []struct {
		Target            string
		Rounds            int
		Relative          *float64
		RequestsPerSecond struct{ Mean float64 } `json:"requests_per_second"`
	}
}

func TestTheConstantControlIsMeasuredAndNotRanked(t *testing.T) {
	got := restbench(t.Context(), t, "run", "--storage.path="+isolated(t), "--config.file="+ownTargets(t, "alpha"), "--format=json", "--output="+t.TempDir())
	var result controlled
	if err := json.Unmarshal([]byte(got.out), &result); err != nil {
		t.Fatalf("run: %v %+v", err, got)
	}
	if len(result.Results) != 1 || len(result.Controls) != 1 {
		t.Fatalf("%+v", result)
	}
	c := result.Controls[0]
	if c.Target != "go@control" || c.Rounds != 2 || c.Relative != nil || c.RequestsPerSecond.Mean <= 0 {
		t.Errorf("%+v", c)
	}
}

func TestControlsOfTheDaemon(t *testing.T) {
	d := startDaemon(t, isolated(t), ownTargets(t, "alpha"))
	d.awaitCampaign()
	if v := d.metric(`restbench_control_requests_per_second{control="go"}`); v == "" {
		t.Error("the control has no metric")
	}
	if _, metrics := d.get("/metrics"); strings.Contains(metrics, `framework="go"`) {
		t.Error("the control has metrics of a framework")
	}
}

func TestNoControls(t *testing.T) {
	config := writeFile(t, "restbench.yml", strings.Replace(read(t, ownTargets(t, "alpha")), "controls: [go]", "controls: []", 1))
	got := restbench(t.Context(), t, "run", "--storage.path="+isolated(t), "--config.file="+config, "--format=json", "--output="+t.TempDir())
	var result controlled
	if err := json.Unmarshal([]byte(got.out), &result); err != nil {
		t.Fatalf("run: %v %+v", err, got)
	}
	if len(result.Results) != 1 || len(result.Controls) != 0 {
		t.Errorf("%+v", result)
	}
}

func TestLockTakesTheControlsByTheirName(t *testing.T) {
	for name, want := range map[string]struct {
		code int
		text string
	}{"control": {exitFailed, "not restbench's source tree"}, "controls": {exitUsage, `"controls"`}} {
		got := restbench(t.Context(), t, "lock", name, "--tree="+t.TempDir(), "--storage.path="+isolated(t))
		if got.code != want.code || !strings.Contains(got.err, want.text) {
			t.Errorf("lock %s: %+v", name, got)
		}
	}
}

// Short measurements, so that the end by precision or by time is what ends it.
func TestAdaptiveCampaignEndsBeforeItsRounds(t *testing.T) {
	text := strings.Replace(read(t, ownTargets(t, "alpha", "beta")), "rounds: 2,", "rounds: 500, restart: 1, precision: 0.5, limit: 20s,", 1)
	got := restbench(t.Context(), t, "run", "--storage.path="+isolated(t), "--config.file="+writeFile(t, "restbench.yml", text), "--format=json", "--output="+t.TempDir())
	var result struct {
		Campaign struct {
			State  string
			Rounds int
		}
		Results []struct {
			Starts int
			Rounds int
		}
	}
	if err := json.Unmarshal([]byte(got.out), &result); err != nil || got.code != exitDone {
		t.Fatalf("run: %v %+v", err, got)
	}
	if c := result.Campaign; c.State != "finished" || c.Rounds < 2 || c.Rounds >= 500 {
		t.Errorf("%+v, want a finished campaign of some rounds", c)
	}
	for _, r := range result.Results {
		if r.Starts != r.Rounds {
			t.Errorf("%d rounds on %d starts, want a start each", r.Rounds, r.Starts)
		}
	}
}

func TestCheckComparesTheEngines(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute for each of two servers")
	}
	need.Program(t, "wrk", "wrk")
	got := restbench(t.Context(), t, "check", "--engines", "--time=1s", "--storage.path="+isolated(t), "--config.file="+ownTargets(t, "alpha"), "--format=json")
	var result struct {
		Engines []struct {
			Target, Verdict string
			Blocks          int
			Ratio           *float64
			RatioCI90       *[2]float64 `json:"ratio_ci90"`
			CPURatio        *float64    `json:"cpu_ratio"`
		}
	}
	if err := json.Unmarshal([]byte(got.out), &result); err != nil {
		t.Fatalf("check: %v %+v", err, got)
	}
	if len(result.Engines) != 2 {
		t.Fatalf("%+v", result)
	}
	for _, e := range result.Engines {
		if e.Blocks < 2 || e.Ratio == nil || e.RatioCI90 == nil || e.CPURatio == nil || e.Verdict == "" {
			t.Errorf("%+v", e)
		}
	}
}

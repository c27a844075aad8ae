//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
)

func TestRunPrintsTablesAndDrawsFigures(t *testing.T) {
	state, figures := isolated(t), t.TempDir()
	got := restbench(t.Context(), t, "run", "--storage.path="+state, "--config.file="+ownTargets(t, "alpha", "beta"), "--output="+figures)
	if got.code != exitDone {
		t.Fatalf("run: %+v", got)
	}
	for _, want := range []string{"Requests per second: edition own", "Relative performance: edition own", "alpha", "beta", "2 of 2 rounds complete"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not on stdout:\n%s", want, got.out)
		}
	}
	for _, want := range []string{"preparing 2 environments", "starting servers", "round 1 of 2 done", "left"} {
		if !strings.Contains(got.err, want) {
			t.Errorf("%q is not on stderr:\n%s", want, got.err)
		}
	}
	for _, name := range []string{"requests.svg", "requests.png", "relative.svg", "relative.png"} {
		if info, err := os.Stat(filepath.Join(figures, name)); err != nil || info.Size() == 0 {
			t.Errorf("figure %s: %v", name, err)
		}
	}
}

func TestMachineOutputIsAloneOnStdout(t *testing.T) {
	state, config := isolated(t), ownTargets(t, "alpha")
	got := restbench(t.Context(), t, "run", "--storage.path="+state, "--config.file="+config, "--format=json", "--output="+t.TempDir())
	var result struct {
		Campaign struct {
			Kind     string
			Protocol struct {
				Name, Hash string
			}
		}
		Results []struct{ Target string }
	}
	if err := json.Unmarshal([]byte(got.out), &result); err != nil {
		t.Fatalf("stdout is not JSON: %v\n%s", err, got.out)
	}
	if result.Campaign.Kind != "manual" || result.Campaign.Protocol.Name != "short" || result.Campaign.Protocol.Hash == "" ||
		len(result.Results) != 1 || result.Results[0].Target != "alpha@own" {
		t.Errorf("result is %+v", result)
	}
	for _, format := range []string{"table", "markdown", "json", "csv", "html", "svg", "png"} {
		report := restbench(t.Context(), t, "report", "--storage.path="+state, "--format="+format)
		if report.code != exitDone || len(report.out) == 0 || report.err != "" {
			t.Errorf("report --format=%s: exit %d, %d bytes, stderr %q", format, report.code, len(report.out), report.err)
		}
	}
	if list := restbench(t.Context(), t, "report", "--storage.path="+state, "--list"); !strings.Contains(list.out, "manual  finished  short") {
		t.Errorf("report --list:\n%s", list.out)
	}
}

// A campaign that is interrupted shows what it has and leaves with success:
// ending it is what was asked for.
func TestInterruptedRunPrintsWhatThereIs(t *testing.T) {
	state := isolated(t)
	config := ownTargets(t, "alpha")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	progress := &syncBuffer{}
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, []string{"run", "--storage.path=" + state, "--config.file=" + config, "--rounds=1000", "--output=" + t.TempDir()},
			streams{strings.NewReader(""), &out, progress})
	}()
	eventually(t, time.Minute, "a round is done", func() bool { return strings.Contains(progress.String(), "round 1 of 1000 done") })
	cancel()
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d, want %d", code, exitDone)
	}
	if !strings.Contains(out.String(), "alpha") || !strings.Contains(out.String(), "stopped") {
		t.Errorf("stdout does not hold the result of a stopped campaign:\n%s", out.String())
	}
}

func TestProgressForgetsTargetsThatCannotBeStarted(t *testing.T) {
	p := newProgress(&bytes.Buffer{}, bench.Protocol{Rounds: 10, Duration: time.Second}, 2)
	target := bench.Target{Framework: "a", Edition: "2020"}
	failure := &bench.Failure{Stage: bench.StageInstall, Cause: "no interpreter"}
	p.Observe(bench.Event{Target: &target, Measurement: &bench.Measurement{Target: target, Failure: failure}})
	if p.left() != 10*time.Second { // one target, ten rounds of a second
		t.Errorf("time left is %s, want 10s", p.left())
	}
}

func TestTheSameFailureIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, bench.Protocol{Rounds: 10}, 3)
	for _, name := range []string{"a", "b", "c"} {
		target := bench.Target{Framework: name, Edition: "2020"}
		p.Observe(bench.Event{Target: &target, Measurement: &bench.Measurement{
			Target: target, Failure: &bench.Failure{Stage: bench.StageInstall, Cause: "no interpreter"},
		}})
	}
	p.Observe(bench.Event{Phase: bench.PhaseStarting})
	want := "  a@2020: install: no interpreter\n  the same with 2 more targets\nstarting servers\n"
	if out.String() != want {
		t.Errorf("progress is\n%swant\n%s", out.String(), want)
	}
}

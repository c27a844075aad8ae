package report_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
	"restbench/internal/stats"
)

func engineLoad(rate float64, cpu, start time.Duration) bench.Load {
	return bench.Load{Requests: int64(rate * 2), Duration: 2 * time.Second, ClientCPU: cpu + start, ClientStartCPU: start}
}

// engineBlocks is n blocks on a machine that gets slower all the time; inside a
// block its drift does the same to both.
func engineBlocks(n int, ratio float64) []bench.EngineBlock {
	var blocks []bench.EngineBlock
	for i := range n {
		at := func(run int) float64 { return 10000 * (1 - 0.01*float64(4*i+run)/float64(n)) }
		cpu := 100 * time.Millisecond
		blocks = append(blocks, bench.EngineBlock{
			Native: [2]bench.Load{engineLoad(ratio*at(0), cpu*9/10, 5*time.Millisecond), engineLoad(ratio*at(3), cpu*9/10, 5*time.Millisecond)},
			Wrk:    [2]bench.Load{engineLoad(at(1), cpu, 0), engineLoad(at(2), cpu, 0)},
		})
	}
	return blocks
}

func TestEnginesAreCompared(t *testing.T) {
	for ratio, want := range map[float64]stats.Equivalence{1: stats.Agree, 1.01: stats.Agree, 0.95: stats.Differ, 1.05: stats.Differ} {
		row := report.NewEngineRow("a@current", engineBlocks(8, ratio), 2, nil)
		if row.Verdict != want || *row.Ratio < ratio-0.001 || *row.Ratio > ratio+0.001 {
			t.Errorf("ratio %g: %s with %g, want %s", ratio, row.Verdict, *row.Ratio, want)
		}
		if cpu := 0.9 / ratio; *row.CPURatio < cpu-0.001 || *row.CPURatio > cpu+0.001 || row.Dearer() {
			t.Errorf("ratio %g: CPU ratio %g, want %g: the start is apart", ratio, *row.CPURatio, cpu)
		}
	}
}

// A target without a ratio has no say in the mean.
func TestEnginesShowTheMeanOfTheCost(t *testing.T) {
	rows := []report.EngineRow{
		report.NewEngineRow("a@current", engineBlocks(8, 1), 2, nil),
		report.NewEngineRow("b@current", engineBlocks(8, 0.9), 2, nil),
		report.NewEngineRow("c@current", nil, 2, errors.New("it hung")),
	}
	notes := strings.Join(report.EngineTable(rows).Notes, "; ")
	if want := "CPU ratio, geometric mean of 2 targets: 0.949"; !strings.Contains(notes, want) { // √(0.9 × 1)
		t.Errorf("notes %q, want %q", notes, want)
	}
}

// One run without an answer takes its block out, and no other.
func TestEnginesLeaveSilentBlocksOut(t *testing.T) {
	blocks := engineBlocks(8, 1)
	blocks[1].Wrk[0].Requests, blocks[1].Wrk[0].Errors = 0, map[bench.ErrorKind]int64{bench.ErrorRead: 7}
	blocks[4].Native[0].Requests, blocks[4].Wrk[1].Requests = 0, 0
	row := report.NewEngineRow("a@current", blocks, 2, nil)
	if row.Verdict != stats.Agree || row.Blocks != 6 || row.CPURatio == nil || row.Errors != 7 {
		t.Errorf("%+v", row)
	}
	if want := "2 blocks left out: not one right answer in 1 run of native and 2 of wrk"; row.Cause != want {
		t.Errorf("cause %q, want %q", row.Cause, want)
	}
}

func TestEnginesWithoutANumber(t *testing.T) {
	blocks := engineBlocks(1, 1)
	blocks[0].Wrk[0].Requests = 0
	row := report.NewEngineRow("a@current", blocks, 2, errors.New("it hung"))
	if row.Verdict != stats.TooNoisy || row.Ratio != nil || row.CPURatio != nil {
		t.Errorf("%+v", row)
	}
	var text bytes.Buffer
	if err := report.WriteEngines(&text, []report.EngineRow{row, report.NewEngineRow("b@current", nil, 2, nil)}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "too noisy") || !strings.Contains(text.String(), "; it hung") {
		t.Errorf("%s", &text)
	}
}

// Whose engines are busy all the time is no server's number.
func TestEnginesSayThatTheClientIsTheLimit(t *testing.T) {
	blocks := engineBlocks(8, 1.1)
	for i := range blocks {
		for run := range 2 {
			blocks[i].Native[run].ClientCPU, blocks[i].Wrk[run].ClientCPU = 1640*time.Millisecond, 1980*time.Millisecond
		}
	}
	want := "a@own: native used 82 % and wrk 99 % of the processors they may use: the client is the limit, and the cheaper engine gets more answers"
	for loops, told := range map[int]bool{1: true, 2: false} {
		notes := report.EngineTable([]report.EngineRow{report.NewEngineRow("a@own", blocks, loops, nil)}).Notes
		if slices.Contains(notes, want) != told {
			t.Errorf("%d processors: %q", loops, notes)
		}
	}
}

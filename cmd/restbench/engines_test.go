//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/host"
	"restbench/internal/load"
)

// pace is an engine that finds what it is told to, one rate after the other.
type pace struct {
	rates []int64
	runs  int
	err   error
}

func (p *pace) Run(context.Context, bench.Plan) (bench.Load, error) {
	p.runs++
	return bench.Load{Requests: p.rates[p.runs%len(p.rates)], Duration: time.Second}, p.err
}

func contestOf(native, wrk *pace) contest {
	return contest{trial: load.Trial{Native: native, Wrk: wrk, Settle: func(context.Context) error { return nil }}}
}

// Blocks without a ratio do not make a comparison sure.
func TestSilentBlocksAreNotCounted(t *testing.T) {
	c := contestOf(&pace{rates: []int64{1000}}, &pace{rates: []int64{1000}})
	for n := range sureBlocks {
		block, err := c.trial.Block(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			block.Wrk[1].Requests = 0
		}
		c.blocks = append(c.blocks, block)
	}
	if c.narrow() {
		t.Errorf("sure after %d blocks", c.row().Blocks)
	}
	c.blocks = append(c.blocks, c.blocks[1])
	if !c.narrow() {
		t.Errorf("not sure after %d blocks", c.row().Blocks)
	}
}

// What is known well enough leaves its time to the others, whatever its verdict is;
// what is noisy goes on.
func TestNarrowIntervalsEndTheComparison(t *testing.T) {
	steady, other, noisy := &pace{rates: []int64{1000}}, &pace{rates: []int64{1300}}, &pace{rates: []int64{700, 1000, 1430}}
	e := engineCheck{among: &among{figureCheck: figureCheck{checkCommand: &checkCommand{session: &session{streams: streams{err: io.Discard}}}}}, contests: []contest{
		contestOf(steady, steady), contestOf(steady, other), contestOf(noisy, steady),
		contestOf(&pace{rates: []int64{1}, err: errors.New("broken")}, steady),
	}}
	for n, want := range []int{4, 3, 3, 3, 3, 3, 3, 3, 1, 1} {
		if part := e.round(t.Context(), n); part != want {
			t.Errorf("%d took part in round %d, want %d", part, n+1, want)
		}
	}
	var verdicts []string
	for _, row := range e.rows() {
		verdicts = append(verdicts, string(row.Verdict))
	}
	if got := verdicts; got[0] != "agree" || got[1] != "differ" || got[2] != "too noisy" {
		t.Errorf("verdicts %q", got)
	}
	if cause := e.rows()[3].Cause; cause == "" {
		t.Error("no cause for an engine that failed")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	e.contests[2].trial.Settle = func(ctx context.Context) error { return ctx.Err() }
	if part := e.round(cancelled, 10); part != 0 || e.rows()[2].Cause != "" {
		t.Errorf("after an interruption %d took part, and the cause is %q", part, e.rows()[2].Cause)
	}
}

// An engine has no more loops than threads, and no more processors than it was left.
func TestProcessorsOfAnEngine(t *testing.T) {
	for _, test := range []struct {
		cpus          []int
		threads, want int
	}{{[]int{1}, 5, 1}, {[]int{1, 2}, 1, 1}, {nil, 1, 1}, {nil, 1000, len(host.AllowedCPUs())}} {
		c := contest{trial: load.Trial{Plan: bench.Plan{CPUs: test.cpus, Threads: test.threads}}}
		if got := c.processors(); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}

// What compared nothing has not shown that the engines agree.
func TestNothingComparedIsAnError(t *testing.T) {
	silent := &pace{rates: []int64{0}}
	var out bytes.Buffer
	e := engineCheck{among: &among{figureCheck: figureCheck{checkCommand: &checkCommand{session: &session{streams: streams{out: &out, err: io.Discard}}}}}, contests: []contest{
		contestOf(&pace{rates: []int64{1000}}, silent), contestOf(&pace{rates: []int64{1000}}, &pace{rates: []int64{1}, err: errors.New("broken")}),
	}}
	if err := e.show(e.rows()); !errors.Is(err, errNothingCompared) {
		t.Errorf("interrupted in the first block: %v", err)
	}
	for n := range fewBlocks {
		e.round(t.Context(), n)
	}
	out.Reset()
	if err := e.show(e.rows()); !errors.Is(err, errNothingCompared) || !strings.Contains(out.String(), "broken") {
		t.Errorf("%v\n%s", err, &out)
	}
	e.contests = append(e.contests, contestOf(&pace{rates: []int64{1000}}, &pace{rates: []int64{1000}}))
	for n := range fewBlocks {
		e.round(t.Context(), n)
	}
	if err := e.show(e.rows()); err != nil {
		t.Errorf("one of three was compared: %v", err)
	}
}

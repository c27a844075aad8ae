//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"restbench/internal/bench"
	"restbench/internal/host"
	"restbench/internal/load"
	"restbench/internal/report"
	"restbench/internal/stats"
)

// Shape of the comparison of engines. wrk measures whole seconds only, and loses a
// part of the last tenth of one: its threads end up to that far apart, and the rate is
// over the whole: the longer a run, the less that is.
const (
	engineRun    = 5 * time.Second
	engineSettle = 15 * time.Second // at the most, for the connections of the run before
	enginesTime  = 30 * time.Minute // unless --time says otherwise
	fewBlocks    = 2                // of each target, however short the time: below nothing can be said
	sureBlocks   = 8                // below this the noise is hardly known
	mostBlocks   = 1000
)

// engineCheck compares the engines on the servers of all targets, round after
// round. A target whose interval is narrow leaves its time to the others: the
// width ends its part, never the verdict.
type engineCheck struct {
	*among
	contests []contest
}

// contest is the comparison on one server.
type contest struct {
	served
	trial  load.Trial
	blocks []bench.EngineBlock
	err    error // ended it
}

func (c *checkCommand) compareEngines(ctx context.Context, p *plan) error {
	if _, err := load.FindWrk(); err != nil {
		return err
	}
	g := figureCheck{checkCommand: c, plan: p, time: c.length(enginesTime)}
	return g.serving(ctx, "--engines", func(a *among) error {
		e, err := newEngineCheck(a)
		if err != nil {
			return err
		}
		e.compare(ctx)
		return e.show(e.rows())
	})
}

func newEngineCheck(a *among) (*engineCheck, error) {
	wrk, err := a.kit.engine(bench.EngineWrk)
	if err != nil {
		return nil, err
	}
	e, protocol := engineCheck{among: a}, a.plan.config.Protocol
	for _, s := range a.all {
		e.contests = append(e.contests, contest{served: s, trial: load.Trial{
			Native: a.engine, Wrk: wrk, Settle: func(ctx context.Context) error { return settle(ctx, s.server.Address()) },
			Plan: bench.Plan{
				Address: s.server.Address(), Workload: s.workload, Duration: engineRun, Timeout: bench.DefaultTimeout,
				Threads: protocol.Threads, Connections: protocol.Connections, CPUs: a.plan.pinning.Client,
			},
		}})
	}
	return &e, nil
}

// settle waits until nothing is left of the load before.
func settle(ctx context.Context, address string) error {
	return host.Settle(ctx, address, engineSettle)
}

// compare makes whole rounds until the time is over, two at the least.
func (e *engineCheck) compare(ctx context.Context) {
	end := time.Now().Add(e.time)
	var last time.Duration // no round is longer than the one before: targets only leave
	for n := 0; n < mostBlocks && (n < fewBlocks || time.Now().Add(last).Before(end)); n++ {
		begun := time.Now()
		part := e.round(ctx, n)
		if part == 0 {
			return
		}
		last = time.Since(begun)
		fmt.Fprintf(e.err, "round %d of %d targets done, %s left\n", n+1, part, max(0, time.Until(end)).Round(time.Second))
	}
}

// round is one block on each server that still takes part; it says how many did.
func (e *engineCheck) round(ctx context.Context, n int) (part int) {
	for i := range e.contests {
		c := &e.contests[i]
		if c.err != nil || c.narrow() {
			continue
		}
		part++
		block, err := c.trial.Block(ctx, n)
		switch {
		case err == nil:
			c.blocks = append(c.blocks, block)
		case ctx.Err() != nil:
			return 0 // interrupted: the whole blocks are shown
		default:
			c.err = err
		}
	}
	return part
}

func (c *contest) row() report.EngineRow {
	return report.NewEngineRow(c.target.String(), c.blocks, c.processors(), c.err)
}

// processors is how many an engine can use: its threads share those it may run on.
func (c *contest) processors() int {
	may := len(c.trial.Plan.CPUs)
	if may == 0 {
		may = len(host.AllowedCPUs())
	}
	return min(may, c.trial.Plan.Threads)
}

// narrow tells whether the interval is no wider than half of the margins.
func (c *contest) narrow() bool {
	row := c.row()
	interval := row.RatioCI90
	return row.Blocks >= sureBlocks && interval != nil && interval.High() <= interval.Low()*(1+report.EngineMargin)
}

// rows are those of all targets, whether they took part or not.
func (e *engineCheck) rows() []report.EngineRow {
	var rows []report.EngineRow
	for i := range e.contests {
		rows = append(rows, e.contests[i].row())
	}
	for _, a := range e.absent {
		rows = append(rows, report.NewEngineRow(a.target.String(), nil, 0, a.cause))
	}
	return rows
}

var errNothingCompared = errors.New("nothing was compared: no target has the two blocks with answers that an interval needs")

// show prints the comparison. It is an error when the engines differ, when the native
// one may be too dear, or when there is none; not when the machine is too noisy to tell.
func (e *engineCheck) show(rows []report.EngineRow) error {
	write := report.WriteEngines
	if e.format == "json" {
		write = report.WriteEnginesJSON
	}
	if err := write(e.out, rows); err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, func(r report.EngineRow) bool { return r.RatioCI90 != nil }) {
		return errNothingCompared
	}
	differ, dear := 0, 0
	for _, r := range rows {
		if r.Verdict == stats.Differ {
			differ++
		}
		if r.Dearer() {
			dear++
		}
	}
	if differ+dear > 0 {
		return fmt.Errorf("of %d targets the engines differ on %d, and native may cost more than %g times wrk on %d",
			len(rows), differ, report.CPUMargin, dear)
	}
	return nil
}

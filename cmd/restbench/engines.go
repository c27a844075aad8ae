//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"restbench/internal/bench"
	"restbench/internal/load"
	"restbench/internal/report"
	"restbench/internal/stats"
	"restbench/scheduler"
)

// Times of the comparison of engines. wrk measures whole seconds only.
const (
	engineRun   = 2 * time.Second
	enginePause = 500 * time.Millisecond
	enginesTime = 30 * time.Minute // unless --time says otherwise
	leastTime   = 30 * time.Second // for a target: two blocks, and the start of its server
)

// engineCheck compares the engines on each target that the configuration names,
// controls included, one after another.
type engineCheck struct {
	*checkCommand
	*kit
	plan *plan
}

func (c *checkCommand) compareEngines(ctx context.Context, p *plan) error {
	if _, err := load.FindWrk(); err != nil {
		return err
	}
	return c.exclusively(ctx, "--engines", func(k *kit) error {
		e := engineCheck{checkCommand: c, kit: k, plan: p}
		return e.show(e.all(ctx))
	})
}

// exclusively does what loads servers while no campaign runs on this machine.
func (c *checkCommand) exclusively(ctx context.Context, flag string, do func(*kit) error) error {
	k, err := c.newKit()
	if err != nil {
		return err
	}
	k.sweep()
	lock, err := k.takeLock(ctx, runnerOptions{command: "restbench check " + flag}, func(holder string) {
		fmt.Fprintln(c.err, "waiting for", holder)
	})
	if err != nil {
		return err
	}
	defer func() {
		if err := lock.Unlock(); err != nil {
			k.log.Warn().Err(err).Msg("free the campaign lock")
		}
	}()
	return do(k)
}

// steps tells each step of a preparation.
func (c *checkCommand) steps(name, step string) { fmt.Fprintf(c.err, "%s: %s\n", name, step) }

// all shares the time between the targets; what one does not use the others get.
func (e engineCheck) all(ctx context.Context) []report.EngineRow {
	m := e.environments(e.kit, e.plan.config.Pythons, e.steps)
	entrants := e.plan.choice.entrants(m)
	prepared, failures := prepareAll(ctx, entrants)
	end := time.Now().Add(e.length(enginesTime))
	var rows []report.EngineRow
	for i, entrant := range entrants {
		if ctx.Err() != nil {
			break
		}
		share := max(leastTime, time.Until(end)/time.Duration(len(entrants)-i))
		var blocks []bench.EngineBlock
		err := failures[i]
		if err == nil {
			fmt.Fprintf(e.err, "%s: comparing for %s\n", entrant.Target, share.Round(time.Second))
			blocks, err = e.one(ctx, entrant, prepared[i], time.Now().Add(share))
		}
		rows = append(rows, report.NewEngineRow(entrant.Target.String(), blocks, err))
	}
	return rows
}

// prepareAll installs before the time counts.
func prepareAll(ctx context.Context, entrants []scheduler.Entrant) ([]scheduler.Prepared, []error) {
	prepared, failures := make([]scheduler.Prepared, len(entrants)), make([]error, len(entrants))
	_ = together(len(entrants), func(i int) error { // each error is told with its target
		prepared[i], failures[i] = entrants[i].Prepare(ctx)
		return nil
	})
	return prepared, failures
}

// one starts the server of one target, lets the engines take turns on it, and
// stops it.
func (e engineCheck) one(ctx context.Context, entrant scheduler.Entrant, p scheduler.Prepared, until time.Time) (blocks []bench.EngineBlock, err error) {
	command := p.Command
	command.CPUs = e.plan.pinning.Server
	server, err := e.supervisor.Start(ctx, command, func(ctx context.Context, address string) error {
		return load.Verify(ctx, address, entrant.Workload)
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
		defer cancel()
		err = errors.Join(err, server.Stop(limited))
	}()
	native, err := e.engine(bench.EngineNative)
	if err != nil {
		return nil, err
	}
	wrk, err := e.engine(bench.EngineWrk)
	if err != nil {
		return nil, err
	}
	protocol := e.plan.config.Protocol
	trial := load.Trial{Native: native, Wrk: wrk, Pause: enginePause, Plan: bench.Plan{
		Address: server.Address(), Workload: entrant.Workload, Duration: engineRun, Timeout: bench.DefaultTimeout,
		Threads: protocol.Threads, Connections: protocol.Connections, CPUs: e.plan.pinning.Client,
	}}
	return trial.Run(ctx, until)
}

// stopPatience bounds the stopping of a server.
const stopPatience = 30 * time.Second

// show prints the comparison. It is an error when the engines differ, or when
// the native one may be too dear; not when the machine is too noisy to tell.
func (e engineCheck) show(rows []report.EngineRow) error {
	write := report.WriteEngines
	if e.format == "json" {
		write = report.WriteEnginesJSON
	}
	if err := write(e.out, rows); err != nil {
		return err
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

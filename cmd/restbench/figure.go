//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"restbench/internal/bench"
	"restbench/internal/load"
	"restbench/internal/process"
	"restbench/scheduler"
)

// figure is a line about the numbers themselves, for the table of
// docs/methodology.md.
type figure struct {
	name   string
	length time.Duration // how long it measures unless --time says otherwise; 0: it only reads the history
	line   func(figureCheck, context.Context) (string, error)
}

func figures() []figure {
	return []figure{
		{"client-tax", 10 * time.Minute, figureCheck.clientTax},
		{"idle-states", 10 * time.Minute, figureCheck.idleStates},
		{"neighbours", 10 * time.Minute, figureCheck.neighbours},
		{"stall", time.Minute, figureCheck.stall},
		{"self", 40 * time.Minute, figureCheck.self},
		{"self-replayed", 0, figureCheck.selfReplayed},
		{"precision", 0, figureCheck.precision},
	}
}

func figureNames() []string {
	var names []string
	for _, f := range figures() {
		names = append(names, f.name)
	}
	return names
}

// figureHelp lists them with the time that they take.
func figureHelp() string {
	var texts []string
	for _, f := range figures() {
		how := "from the history"
		if f.length > 0 {
			how = strings.TrimSuffix(f.length.String(), "0s")
		}
		texts = append(texts, fmt.Sprintf("%s (%s)", f.name, how))
	}
	return strings.Join(texts, ", ")
}

// figureCheck prints one figure.
type figureCheck struct {
	*checkCommand
	plan *plan
	time time.Duration
}

// printFigure prints the line also where its rule does not hold, or where it is not of
// all that it should be of.
func (c *checkCommand) printFigure(ctx context.Context, p *plan) error {
	for _, f := range figures() {
		if f.name != c.figure {
			continue
		}
		line, err := f.line(figureCheck{c, p, c.length(f.length)}, ctx)
		if line != "" {
			err = errors.Join(err, c.writeFigure(line))
		}
		return err
	}
	return nil
}

// failures are parts of a figure that it does without.
type failures []error

// add returns the text for those who watch.
func (f *failures) add(err error) string {
	*f = append(*f, err)
	return err.Error()
}

// of is nil where all parts are there. The first is named: the others may follow from it.
func (f failures) of(parts int, interrupted error) error {
	if interrupted != nil || len(f) == 0 {
		return interrupted
	}
	return fmt.Errorf("%d of %d are left out: %w", len(f), parts, f[0])
}

func (c *checkCommand) writeFigure(line string) error {
	if c.format == "json" {
		return json.NewEncoder(c.out).Encode(map[string]string{"figure": c.figure, "line": line})
	}
	_, err := fmt.Fprintln(c.out, line)
	return err
}

// served is a target whose server runs.
type served struct {
	target   bench.Target
	workload bench.Workload
	server   *process.Server
}

// among is what a figure is measured with: all servers run at once, as in a
// campaign.
type among struct {
	figureCheck
	*kit
	engine scheduler.Engine
	all    []served
	absent []absence
}

// absence is a target that could not be started.
type absence struct {
	target bench.Target
	cause  error
}

// stopPatience bounds the stopping of a server.
const stopPatience = 30 * time.Second

// withServers is for a figure what serving is for everybody.
func (g figureCheck) withServers(ctx context.Context, do func(*among) (string, error)) (line string, err error) {
	err = g.serving(ctx, "--figure="+g.figure, func(a *among) (err error) {
		line, err = do(a)
		return err
	})
	return line, err
}

// serving starts the servers of all targets, controls included, while no campaign
// runs on this machine. What cannot be started is told and left out.
func (g figureCheck) serving(ctx context.Context, flag string, do func(*among) error) error {
	o := runnerOptions{command: "restbench check " + flag, idle: g.plan.config.IdleStates}
	return g.exclusively(ctx, o, func(k *kit) (err error) {
		a := among{figureCheck: g, kit: k}
		if a.engine, err = k.engine(bench.EngineNative); err != nil {
			return err
		}
		entrants := g.plan.choice.entrants(g.environments(k, g.plan.config.Pythons, g.steps))
		defer func() { err = errors.Join(err, a.stop(ctx)) }()
		if a.start(ctx, entrants); len(a.all) == 0 {
			return errors.Join(errors.New("no server could be started"), ctx.Err())
		}
		fmt.Fprintf(g.err, "%d servers run, measuring for about %s\n", len(a.all), g.time)
		return do(&a)
	})
}

// exclusively does what loads servers while no campaign runs on this machine.
func (c *checkCommand) exclusively(ctx context.Context, o runnerOptions, do func(*kit) error) error {
	k, err := c.newKit()
	if err != nil {
		return err
	}
	k.sweep()
	release, err := k.takeMachine(ctx, o, func(holder string) {
		fmt.Fprintln(c.err, "waiting for", holder)
	})
	if err != nil {
		return err
	}
	defer release()
	return do(k)
}

// steps tells each step of a preparation.
func (c *checkCommand) steps(name, step string) { fmt.Fprintf(c.err, "%s: %s\n", name, step) }

// prepareAll installs before the time counts.
func prepareAll(ctx context.Context, entrants []scheduler.Entrant) ([]scheduler.Prepared, []error) {
	prepared, failures := make([]scheduler.Prepared, len(entrants)), make([]error, len(entrants))
	_ = together(len(entrants), func(i int) error { // each error is told with its target
		prepared[i], failures[i] = entrants[i].Prepare(ctx)
		return nil
	})
	return prepared, failures
}

func (a *among) start(ctx context.Context, entrants []scheduler.Entrant) {
	prepared, failures := prepareAll(ctx, entrants)
	all := make([]served, len(entrants))
	_ = together(len(entrants), func(i int) error { // each error is told with its target
		if failures[i] == nil {
			all[i], failures[i] = a.startOne(ctx, entrants[i], prepared[i].Command)
		}
		return nil
	})
	for i, s := range all {
		if failures[i] != nil {
			fmt.Fprintf(a.err, "%s takes no part: %s\n", entrants[i].Target, failures[i])
			a.absent = append(a.absent, absence{entrants[i].Target, failures[i]})
			continue
		}
		a.all = append(a.all, s)
	}
}

func (a *among) startOne(ctx context.Context, e scheduler.Entrant, command bench.Command) (served, error) {
	command.CPUs = a.plan.pinning.Server
	server, err := a.supervisor.Start(ctx, command, func(ctx context.Context, address string) error {
		if e.Learn == nil {
			return load.Verify(ctx, address, e.Workload)
		}
		learned, err := e.Learn(ctx, address)
		e.Workload = learned.Workload
		return err
	})
	return served{e.Target, e.Workload, server}, err
}

func (a *among) stop(ctx context.Context) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	return together(len(a.all), func(i int) error { return a.all[i].server.Stop(limited) })
}

// measure puts load on one server for a length of time and reads what it cost.
// The client runs on the processors that are named, or on all.
func (a *among) measure(ctx context.Context, s served, length time.Duration, cpus []int) (bench.Measurement, error) {
	protocol, m := a.plan.config.Protocol, bench.Measurement{Target: s.target}
	before, err := s.server.Usage()
	if err != nil {
		return m, err
	}
	m.Load, err = a.engine.Run(ctx, bench.Plan{
		Engine: bench.EngineNative, Address: s.server.Address(), Workload: s.workload, Duration: length,
		Threads: protocol.Threads, Connections: protocol.Connections, Timeout: bench.DefaultTimeout, CPUs: cpus,
		RampUp: bench.RampUp,
	})
	if err != nil {
		return m, err
	}
	after, err := s.server.Usage()
	m.Server.CPU = after.CPU - before.CPU
	return m, err
}

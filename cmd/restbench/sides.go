//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/environment"
	"restbench/internal/load"
	"restbench/internal/release"
	"restbench/scheduler"
)

// field is where two sides are compared, and what turned up meanwhile.
type field struct {
	*kit
	manager *environment.Manager
	running map[string]string // servers of others, by their command's name

	mu      sync.Mutex
	learned []bench.Expect // answers of servers of which nothing else is known
}

// side makes a target ready to take part, as soon as there is where.
type side func(*field) scheduler.Entrant

// sides finds both targets. Nothing is installed or started yet, so that a
// mistake in the second is told before the first has cost anything.
func (c *compareCommand) sides(cfg config.Config) ([2]side, error) {
	var both [2]side
	catalogue, err := c.catalogue()
	if err != nil {
		return both, err
	}
	for i, text := range c.texts {
		t, err := release.Parse(text)
		if err == nil {
			both[i], err = c.side(catalogue, cfg, t)
		}
		if err != nil {
			return both, err
		}
	}
	return both, nil
}

func (c *compareCommand) side(catalogue *frameworks.Catalogue, cfg config.Config, t release.Target) (side, error) {
	switch t.Form {
	case release.FormCommand:
		return c.command(t)
	case release.FormURL:
		return c.url(t)
	case release.FormEdition:
		if own, ok := ownOf(cfg, t); ok {
			return func(f *field) scheduler.Entrant { return f.own(own) }, nil
		}
		if c.editionOf(t) == bench.EditionLatest {
			return c.latestSide(catalogue, cfg, t.Name)
		}
		entry, err := catalogue.One(t.Name + "@" + c.editionOf(t))
		return func(f *field) scheduler.Entrant { return entrants(f.manager, []frameworks.Entry{entry}, nil)[0] }, err
	default:
		return c.release(catalogue, t)
	}
}

// latestSide is a framework on the releases that the edition latest has now.
func (c *compareCommand) latestSide(catalogue *frameworks.Catalogue, cfg config.Config, name string) (side, error) {
	l, err := c.latest(catalogue, []string{name}, cfg.Latest)
	return func(f *field) scheduler.Entrant { return l.entrants(f.manager)[0] }, err
}

func (c *compareCommand) editionOf(t release.Target) string {
	if t.Edition != "" {
		return t.Edition
	}
	return c.edition
}

// ownOf finds a target of the user's own, from the configuration file.
func ownOf(cfg config.Config, t release.Target) (config.Target, bool) {
	for _, own := range cfg.Targets {
		if own.Name == t.Name && (t.Edition == "" || t.Edition == bench.EditionOwn) {
			return own, true
		}
	}
	return config.Target{}, false
}

// release is a framework of the catalogue with another release of its package.
func (c *compareCommand) release(catalogue *frameworks.Catalogue, t release.Target) (side, error) {
	framework, err := catalogue.FrameworkOrPackage(t.Name)
	if err != nil {
		return nil, err
	}
	name := t.Extras + t.Version + t.Source
	other, err := catalogue.Other(framework.Name+"@"+c.edition, name, t.Requirement(framework.Package))
	if err != nil {
		return nil, err
	}
	return func(f *field) scheduler.Entrant {
		return scheduler.Entrant{Target: other.Target, Signal: other.Serving.Signal, Workload: other.Workload, Prepare: func(ctx context.Context) (scheduler.Prepared, error) {
			entry := other.Entry
			found, err := f.manager.Resolve(ctx, environment.ResolveRequest{
				Name: other.Recipe.Name, Requirements: slices.Concat(other.Requirements, c.with), Python: other.Recipe.Python,
				Prefer: other.Recipe.Lock, ExcludeNewer: string(c.newest),
			})
			if err != nil {
				return scheduler.Prepared{}, err
			}
			entry.Recipe.Lock, entry.Recipe.Direct = found.Lock, found.Direct
			return preparer(f.manager, entry)(ctx)
		}}
	}, nil
}

// command is a server that is started for the comparison.
func (c *compareCommand) command(t release.Target) (side, error) {
	target := bench.Target{Framework: t.Text, Edition: bench.EditionOwn, Serving: bench.ServingDocumented, Workload: bench.WorkloadHello}
	prepared := scheduler.Prepared{
		Command:  bench.Command{Name: target.String(), Argv: t.Argv},
		Versions: bench.Versions{Server: filepath.Base(t.Argv[0])},
	}
	request := bench.Request{Method: "GET", Path: c.path}
	if err := request.Validate(); err != nil {
		return nil, fmt.Errorf("--path: %w", err)
	}
	return func(f *field) scheduler.Entrant {
		return scheduler.Entrant{Target: target, Prepare: func(ctx context.Context) (scheduler.Prepared, error) {
			p := prepared
			w, err := c.workload(f, request, func(learn scheduler.Ready) error { return f.ask(ctx, p.Command, learn) })
			p.Workload = w
			return p, err
		}}
	}, nil
}

// ask starts a server for one question and stops it.
func (f *field) ask(ctx context.Context, command bench.Command, question scheduler.Ready) error {
	server, err := f.supervisor.Start(ctx, command, question)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	return server.Stop(limited)
}

// url is a server that somebody else has started.
func (c *compareCommand) url(t release.Target) (side, error) {
	address, request, err := load.ParseURL(t.Text)
	if err != nil {
		return nil, err
	}
	target := bench.Target{Framework: t.Text, Edition: bench.EditionOwn, Serving: bench.ServingDocumented, Workload: bench.WorkloadHello}
	return func(f *field) scheduler.Entrant {
		p := scheduler.Prepared{Command: bench.Command{Name: target.String()}}
		f.serves(p.Command.Name, address)
		return scheduler.Entrant{Target: target, Prepare: func(ctx context.Context) (scheduler.Prepared, error) {
			w, err := c.workload(f, request, func(learn scheduler.Ready) error { return learn(ctx, address) })
			if err != nil {
				err = &bench.Failure{Stage: bench.StageReady, Cause: err.Error()}
			}
			p.Workload = w
			return p, err
		}}
	}, nil
}

func (f *field) serves(name, address string) {
	if f.running == nil {
		f.running = map[string]string{}
	}
	f.running[name] = address
}

// workload says what a server must answer: what the user expects, else what it
// answers when it is asked.
func (c *compareCommand) workload(f *field, request bench.Request, ask func(scheduler.Ready) error) (*bench.Workload, error) {
	if c.expect.set {
		return &bench.Workload{Request: request, Expect: bench.Expect{Status: 200, Body: c.expect.value}}, nil
	}
	w := &bench.Workload{Request: request}
	err := ask(func(ctx context.Context, address string) (err error) {
		w.Expect, err = load.Learn(ctx, address, request)
		return err
	})
	if err != nil {
		return nil, err
	}
	f.answers(w.Expect)
	return w, nil
}

// own is a target of the configuration file; what it is found to answer in the campaign
// is kept.
func (f *field) own(t config.Target) scheduler.Entrant {
	e := ownEntrant(t)
	learn := e.Learn
	if learn == nil {
		return e
	}
	e.Learn = func(ctx context.Context, address string) (scheduler.Learned, error) {
		learned, err := learn(ctx, address)
		if err == nil {
			f.answers(learned.Workload.Expect)
		}
		return learned, err
	}
	return e
}

func (f *field) answers(e bench.Expect) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.learned = append(f.learned, e)
}

// differ tells of two servers that were asked and answered differently: their
// speeds may be those of different work.
func (f *field) differ(w io.Writer) {
	if len(f.learned) == 2 && f.learned[0] != f.learned[1] {
		fmt.Fprintf(w, "note: the two answer differently: %s and %s\n", answerText(f.learned[0]), answerText(f.learned[1]))
	}
}

// shownAnswer is how much of an answer a line has room for.
const shownAnswer = 40

func answerText(e bench.Expect) string {
	switch {
	case e.Status == 0:
		return "not twice the same (only the status is checked)"
	case len(e.Body) > shownAnswer:
		return fmt.Sprintf("status %d, %q…", e.Status, e.Body[:shownAnswer])
	}
	return fmt.Sprintf("status %d, %q", e.Status, e.Body)
}

//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"runtime"
	"slices"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/control"
	"restbench/scheduler"
)

// controls are restbench's own servers that take part in a campaign.
type controls struct {
	constant bool               // the one in Go, which needs no environment
	entries  []frameworks.Entry // the others
}

func (c controls) size() int { return len(c.targets()) }

func (c controls) targets() []bench.Target {
	var all []bench.Target
	if c.constant {
		all = append(all, bench.ControlTarget(bench.ControlGo))
	}
	for _, e := range c.entries {
		all = append(all, e.Target)
	}
	return all
}

// chooseControls takes those that the configuration names; their order is fixed.
func chooseControls(catalogue *frameworks.Catalogue, names []string) (controls, error) {
	chosen := controls{constant: slices.Contains(names, bench.ControlGo)}
	all, err := catalogue.Controls()
	if err != nil {
		return chosen, err
	}
	for _, e := range all {
		if slices.Contains(names, e.Target.Framework) {
			chosen.entries = append(chosen.entries, e)
		}
	}
	return chosen, nil
}

// constantEntrant is this very program.
func constantEntrant() scheduler.Entrant {
	target := bench.ControlTarget(bench.ControlGo)
	prepared := scheduler.Prepared{
		Command:  bench.Command{Name: target.String(), Argv: []string{itself, control.Command, "{port}"}},
		Versions: bench.Versions{Framework: "1", Server: "restbench, " + runtime.Version()},
	}
	return scheduler.Entrant{
		Target: target, Workload: frameworks.ControlWorkload(),
		Prepare: func(context.Context) (scheduler.Prepared, error) { return prepared, nil },
	}
}

// marked repeats what was marked as noisy or invalid; a mere note is no reason.
type marked struct{}

func (marked) Repeat(m bench.Measurement) bool {
	return slices.ContainsFunc(m.Marks, func(mark bench.Mark) bool { return mark.Kind != bench.MarkNote })
}

// environments is how many of a campaign's participants need one: the control in
// Go does not.
func environments(c bench.Campaign) int {
	n := 0
	for _, p := range c.Participants {
		if p.Target != bench.ControlTarget(bench.ControlGo) {
			n++
		}
	}
	return n
}

// ranked is how many of a campaign's participants are no controls.
func ranked(c bench.Campaign) int {
	n := 0
	for _, p := range c.Participants {
		if !p.Target.Control() {
			n++
		}
	}
	return n
}

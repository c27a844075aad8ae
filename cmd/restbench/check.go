//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"restbench/internal/host"
	"restbench/internal/load"
)

type checkCommand struct {
	*session
	format  string
	engines bool
	figure  string
	time    given[time.Duration] // for engines and figure
}

func registerCheck(app *kingpin.Application, s *session) (string, action) {
	c := &checkCommand{session: s}
	cmd := app.Command("check", "Check the configuration and the machine: what is missing, what disturbs.")
	cmd.Flag("format", "What to print: table or json.").Default("table").EnumVar(&c.format, "table", "json")
	cmd.Flag("engines", "Compare the native engine with wrk on every target, interleaved.").BoolVar(&c.engines)
	cmd.Flag("figure", "Print a figure of docs/methodology.md for this machine: "+figureHelp()+".").PlaceHolder("NAME").EnumVar(&c.figure, figureNames()...)
	cmd.Flag("time", "How long --engines (30m) or --figure may take.").PlaceHolder("30m").IsSetByUser(&c.time.set).DurationVar(&c.time.value)
	return cmd.FullCommand(), c.run
}

func (c *checkCommand) run(ctx context.Context) error {
	p, err := c.plan()
	if err != nil {
		return err
	}
	switch {
	case c.time.set && c.time.value <= 0:
		return &usageError{fmt.Errorf("--time=%s must be more than nothing", c.time.value)}
	case c.engines:
		return c.compareEngines(ctx, p)
	case c.figure != "":
		return c.printFigure(ctx, p)
	}
	if err := os.MkdirAll(c.storagePath, 0o750); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	pythons, err := c.pythonFindings(ctx, p)
	if err != nil {
		return err
	}
	findings := slices.Concat(c.configuration(p), pythons, host.Preflight(ctx, c.storagePath), c.sight(ctx, p))
	if c.format == "json" {
		encoder := json.NewEncoder(c.out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(findings)
	} else {
		_, err = io.WriteString(c.out, findingsText(findings))
	}
	if n := count(findings, host.LevelFail); err == nil && n > 0 {
		return fmt.Errorf("%d of %d checks failed", n, len(findings))
	}
	return err
}

// length is what --time says, or otherwise.
func (c *checkCommand) length(otherwise time.Duration) time.Duration {
	c.time.over(&otherwise)
	return otherwise
}

// configuration says what the daemon would do, and what it lacks for it.
func (c *checkCommand) configuration(p *plan) []host.Finding {
	shown := c.configFile
	if shown == "" {
		shown = "defaults, without a file"
	}
	protocol := p.config.Protocol
	findings := []host.Finding{
		{Name: "configuration", Level: host.LevelOK, Detail: shown},
		{Name: "campaign", Level: host.LevelOK, Detail: fmt.Sprintf("%d targets, protocol %s: %s of load; %d campaigns a day, next at %s",
			p.choice.size(), protocol.Name, p.load().Round(time.Second), p.campaignsPerDay(), p.nextSlot().Format("2006-01-02 15:04 MST"))},
	}
	if load, interval := p.load(), p.shortestInterval(); load > interval {
		findings = append(findings, host.Finding{Name: "schedule", Level: host.LevelWarn,
			Detail: fmt.Sprintf("one campaign loads for %s but slots are %s apart: slots will be missed", load, interval)})
	}
	if l := p.choice.latest; l.on() {
		findings = append(findings, host.Finding{Name: "edition latest", Level: host.LevelOK,
			Detail: fmt.Sprintf("%d targets; the package index is asked at %s, releases wait for %s",
				len(l.targets), p.renewal.Next(time.Now().UTC()).Format("2006-01-02 15:04 MST"), l.rules.MinAge)})
	}
	wrk := host.Finding{Name: "wrk", Level: host.LevelOK, Detail: "installed; --engine=wrk can be used"}
	if _, err := load.FindWrk(); err != nil {
		wrk.Detail = "not installed; only --engine=wrk needs it"
	}
	return append(findings, wrk)
}

// pythonFindings say which interpreter each edition would get without a download.
func (c *checkCommand) pythonFindings(ctx context.Context, p *plan) ([]host.Finding, error) {
	k, err := c.newKit()
	if err != nil {
		return nil, err
	}
	m := c.environments(k, p.config.Pythons, func(string, string) {})
	var findings []host.Finding
	seen := map[string]bool{}
	for _, e := range p.choice.installed() {
		if seen[e.Target.Edition] {
			continue
		}
		seen[e.Target.Edition] = true
		found, err := m.Look(ctx, e.Recipe.Python)
		if err != nil {
			return nil, err
		}
		findings = append(findings, pythonFinding(e.Target.Edition, e.Recipe.Python.Version, found))
	}
	return findings, nil
}

func pythonFinding(edition, wanted, found string) host.Finding {
	f := host.Finding{Name: "python, " + edition, Level: host.LevelOK, Detail: found}
	switch {
	case found == "":
		f.Level, f.Detail = host.LevelWarn, fmt.Sprintf("no Python %s is here; uv will try to fetch one", wanted)
	case found != wanted && !strings.HasPrefix(found, wanted+"."):
		f.Level, f.Detail = host.LevelWarn, fmt.Sprintf("%s is here, %s is wanted; uv will try to fetch that", found, wanted)
	}
	return f
}

func findingsText(findings []host.Finding) string {
	var out strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&out, "%-5s %-18s %s\n", f.Level, f.Name, f.Detail)
	}
	return out.String()
}

func count(findings []host.Finding, level host.Level) int {
	n := 0
	for _, f := range findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/alecthomas/kingpin/v2"

	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/report"
	"restbench/scheduler"
)

// selection is which targets a command is about.
type selection struct {
	targets  []string
	editions []string
}

func (f *selection) register(c *kingpin.CmdClause) {
	c.Arg("target", "Targets to take: frameworks, as sanic or sanic@2020, and servers of your own by their names; all when none is named.").StringsVar(&f.targets)
	c.Flag("edition", "Edition to take: 2020, current, latest; repeatable.").PlaceHolder("NAME").StringsVar(&f.editions)
}

// over gives the configuration with what the command line says about targets.
// Naming some leaves all others out, the user's own targets, too.
func (f *selection) over(c config.Config) config.Config {
	if len(f.editions) > 0 {
		c.Editions = f.editions
	}
	if len(f.targets) == 0 {
		return c
	}
	c.Frameworks, c.Targets = ownFirst(f.targets, c.Targets)
	if len(c.Frameworks) == 0 {
		c.Editions = nil // own targets alone
	}
	return c
}

type runCommand struct {
	*session
	selection
	protocol protocolFlags
	format   string
	output   string
	noWait   bool
	seed     given[uint64]
}

func registerRun(app *kingpin.Application, s *session) (string, action) {
	c := &runCommand{session: s}
	cmd := app.Command("run", "Run one campaign now: progress, then the tables and the figures.")
	c.selection.register(cmd)
	c.protocol.register(cmd)
	cmd.Flag("seed", "Seed of the order, when shuffled.").PlaceHolder("N").IsSetByUser(&c.seed.set).Uint64Var(&c.seed.value)
	cmd.Flag("format", "What to print: table, markdown, json or csv.").Default("table").EnumVar(&c.format, "table", "markdown", "json", "csv")
	cmd.Flag("output", "Folder for the figures (SVG and PNG).").PlaceHolder("DIR").StringVar(&c.output)
	cmd.Flag("no-wait", "Fail at once when another campaign runs on this machine.").BoolVar(&c.noWait)
	return cmd.FullCommand(), c.run
}

func (c *runCommand) run(ctx context.Context) error {
	cfg, err := config.Load(c.configFile)
	if err != nil {
		return err
	}
	protocol, err := c.protocol.apply(cfg)
	if err != nil {
		return err
	}
	cfg = c.selection.over(cfg)
	plan, err := c.choose(cfg)
	if err != nil {
		return &usageError{err}
	}
	if err := checkEngine(protocol.Engine); err != nil {
		return err
	}
	if err := c.checkPythons(cfg); err != nil {
		return err
	}
	tell := newProgress(c.err, protocol, plan.measured())
	k, err := c.newKit()
	if err != nil {
		return err
	}
	m := c.environments(k, cfg.Pythons, tell.Detail)
	return c.campaign(ctx, k, tell, campaignPlan{cfg, protocol, plan.entrants(m)})
}

// campaignPlan is all that is known before a campaign begins.
type campaignPlan struct {
	config   config.Config
	protocol bench.Protocol
	entrants []scheduler.Entrant
}

func (c *runCommand) campaign(ctx context.Context, k *kit, tell *progress, p campaignPlan) error {
	seed := newSeed()
	c.seed.over(&seed)
	return k.single(ctx, single{
		runnerOptions: runnerOptions{command: "restbench run", noWait: c.noWait, observe: tell.Observe, idle: p.config.IdleStates},
		pinning:       p.config.Pinning,
		request:       scheduler.Request{Kind: bench.KindManual, Protocol: p.protocol, Seed: seed, Entrants: p.entrants},
	}, func(m measured) error {
		result, wrong := derive(context.WithoutCancel(ctx), m.history, m.campaign, m.measurements)
		return errors.Join(c.show(result), wrong, m.err)
	})
}

// show prints what the campaign brought, also when it was interrupted.
func (c *runCommand) show(result report.Result) error {
	if err := write(c.out, c.format, result); err != nil {
		return err
	}
	if len(result.Results) == 0 {
		return nil
	}
	return c.figures(result)
}

func (c *runCommand) figures(result report.Result) error {
	dir := c.output
	if dir == "" {
		dir = filepath.Join(c.storagePath, "campaigns", strconv.FormatInt(result.Campaign.ID, 10))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder for figures: %w", err)
	}
	files, err := writeFigures(dir, result)
	for _, file := range files {
		fmt.Fprintln(c.err, "figure:", file)
	}
	return err
}

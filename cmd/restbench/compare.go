//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/report"
	"restbench/internal/stats"
	"restbench/scheduler"
)

type compareCommand struct {
	*session
	texts     [2]string
	edition   string
	with      []string
	newest    day
	path      string
	expect    given[string]
	length    time.Duration
	protocol  protocolFlags
	threshold share
	fail      failIfSlower
	format    string
	noWait    bool
	seed      given[uint64]
}

func registerCompare(app *kingpin.Application, s *session) (string, action) {
	c := &compareCommand{session: s, threshold: report.CompareThreshold}
	cmd := app.Command("compare", "Compare two targets, interleaved, with a verdict: is B faster or slower than A?")
	cmd.Arg("a", "What to compare with: sanic@2020, sanic==21.12.0, sanic@../sanic, sanic@git+https://..., a command with {port} in quotes, or a URL on loopback.").Required().StringVar(&c.texts[0])
	cmd.Arg("b", "What to compare, in the same forms.").Required().StringVar(&c.texts[1])
	cmd.Flag("edition", "Edition that a name alone means, and that gives a release its interpreter, its example and the releases of other packages.").Default(bench.EditionCurrent).StringVar(&c.edition)
	cmd.Flag("with", "Further requirement of releases, folders and repositories: --with='websockets<11'; repeatable.").PlaceHolder("REQUIREMENT").StringsVar(&c.with)
	cmd.Flag("exclude-newer", "Resolve releases, folders and repositories with the package index as it stood at the end of this day (2006-01-02, UTC).").PlaceHolder("DAY").SetValue(&c.newest)
	cmd.Flag("path", "Path that is asked of a command.").Default("/").StringVar(&c.path)
	cmd.Flag("expect", "Body that a command or a URL must answer with status 200; without it the first answer is expected again.").PlaceHolder("BODY").IsSetByUser(&c.expect.set).StringVar(&c.expect.value)
	cmd.Flag("time", "How long to measure, at the most.").Default("5m").DurationVar(&c.length)
	cmd.Flag("threshold", "Difference that is none: the verdict is faster or slower only where the whole interval lies beyond it, and same only where all of it lies within.").PlaceHolder("2%").SetValue(&c.threshold)
	cmd.Flag("fail-if-slower", "Exit with 1 when B is slower; with a share (--fail-if-slower=5%), by more than that.").PlaceHolder("SHARE").SetValue(&c.fail)
	c.protocol.registerShape(cmd)
	cmd.Flag("seed", "Seed of the order.").PlaceHolder("N").IsSetByUser(&c.seed.set).Uint64Var(&c.seed.value)
	cmd.Flag("format", "What to print: table, markdown, json or csv.").Default("table").EnumVar(&c.format, comparisonFormats()...)
	cmd.Flag("no-wait", "Fail at once when another campaign runs on this machine.").BoolVar(&c.noWait)
	return cmd.FullCommand(), c.run
}

func (c *compareCommand) run(ctx context.Context) error {
	cfg, err := config.Load(c.configFile)
	if err != nil {
		return err
	}
	protocol, err := c.parameters()
	if err != nil {
		return &usageError{err}
	}
	if err := checkEngine(protocol.Engine); err != nil {
		return err
	}
	sides, err := c.sides(cfg)
	if err != nil {
		return &usageError{err}
	}
	k, err := c.newKit()
	if err != nil {
		return err
	}
	tell := newProgress(c.err, protocol, len(sides))
	f := &field{kit: k, manager: c.environments(k, cfg.Pythons, tell.Detail)}
	entrants := []scheduler.Entrant{sides[0](f), sides[1](f)}
	return c.campaign(ctx, f, tell, comparePlan{cfg.Pinning, cfg.IdleStates, protocol, distinct(entrants)})
}

// comparePlan is all that is known before a comparison begins.
type comparePlan struct {
	pinning  string
	idle     string
	protocol bench.Protocol
	entrants []scheduler.Entrant
}

// parameters are the protocol of the comparison. With other parameters than its
// length it has another name.
func (c *compareCommand) parameters() (bench.Protocol, error) {
	if c.fail.share > 0 {
		c.threshold = c.fail.share
	}
	if c.length <= 0 {
		return bench.Protocol{}, fmt.Errorf("--time=%s must be more than nothing", c.length)
	}
	p := bench.Compare(c.length, float64(c.threshold))
	before := p
	c.protocol.override(&p)
	c.protocol.engine.over(&p.Engine)
	if p != before {
		p.Name = bench.ProtocolCustom
	}
	if err := p.Filling(0, len(c.texts)).Validate(); err != nil {
		return p, err
	}
	p = p.Filling(c.length, len(c.texts))
	if err := p.Validate(); err != nil { // it is the length
		return p, fmt.Errorf("--time=%s is too long for measurements of %s, a longer --duration has room for it: %w", c.length, p.Duration, err)
	}
	return p, nil
}

// distinct gives B another name where both are the same: something compared with
// itself.
func distinct(entrants []scheduler.Entrant) []scheduler.Entrant {
	if entrants[0].Target == entrants[1].Target {
		entrants[1].Target.Edition += " (B)"
	}
	return entrants
}

// enoughToCompare ends a comparison when more rounds would not change it.
type enoughToCompare struct{}

func (enoughToCompare) Enough(c bench.Campaign, ms []bench.Measurement) bool {
	return report.EnoughToCompare(c, ms)
}

// watch ends a comparison in which one of the two cannot take part, and keeps why.
type watch struct {
	tell  *progress
	end   context.CancelFunc
	cause error
}

func (w *watch) observe(e bench.Event) {
	m := e.Measurement
	if m == nil || m.Failure == nil || !slices.Contains([]bench.Stage{bench.StageInstall, bench.StageStart, bench.StageReady}, m.Failure.Stage) {
		w.tell.Observe(e)
		return
	}
	first, _, _ := strings.Cut(m.Failure.Error(), "\n") // the history has all of it
	if cause := fmt.Errorf("%s: %s", m.Target, first); w.cause == nil {
		w.cause = cause
	}
	w.end()
}

func (c *compareCommand) campaign(ctx context.Context, f *field, tell *progress, p comparePlan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &watch{tell: tell, end: cancel}
	seed := newSeed()
	c.seed.over(&seed)
	return f.single(ctx, single{
		runnerOptions: runnerOptions{
			command: "restbench compare", noWait: c.noWait, observe: w.observe, idle: p.idle,
			enough: enoughToCompare{}, running: f.running,
		},
		pinning: p.pinning,
		request: scheduler.Request{Kind: bench.KindCompare, Protocol: p.protocol, Seed: seed, Entrants: p.entrants},
	}, func(m measured) error {
		f.differ(c.err)
		return c.show(m, w.cause)
	})
}

// show prints what is known, also when the comparison was interrupted, and turns
// the verdict into an exit code.
func (c *compareCommand) show(m measured, cause error) error {
	r := report.NewComparison(m.campaign, m.measurements, float64(c.threshold))
	if r.A != nil || r.B != nil || c.format == "json" {
		if err := writeComparison(c.out, c.format, r); err != nil {
			return err
		}
	}
	if err := m.err; err != nil && !errors.Is(err, scheduler.ErrNothingMeasured) {
		cause = errors.Join(cause, err)
	}
	switch {
	case cause != nil:
		return cause
	case r.Speed.Estimate == nil:
		return withoutRatio(r, m.measurements)
	case r.Verdict == stats.Unknown:
		return exit(exitUnknown)
	case r.Verdict == stats.Slower && c.fail.set:
		return fmt.Errorf("%s is slower than %s by more than %s", c.texts[1], c.texts[0], c.threshold)
	}
	return nil
}

// withoutRatio says in one line why there is no number to compare.
func withoutRatio(r report.Comparison, ms []bench.Measurement) error {
	for _, m := range r.Missing {
		if len(m.Reasons) == 0 {
			continue
		}
		reasons := strings.Join(m.Reasons, "; ")
		if silent(ms, m.Key) {
			reasons += fmt.Sprintf("; no answer comes within %s: a longer --duration waits for it", r.Campaign.Protocol.Duration)
		}
		return fmt.Errorf("no verdict: %s has no result: %s", m.Target, reasons)
	}
	return errors.New("no verdict: there is no round in which both have a result")
}

// silent reports whether a target was measured and gave no answer, right or wrong.
func silent(ms []bench.Measurement, t bench.Target) bool {
	measured := false
	for _, m := range ms {
		if m.Target != t || m.Failure != nil {
			continue
		}
		if m.Load.Requests > 0 || m.Load.ErrorCount() > 0 {
			return false
		}
		measured = true
	}
	return measured
}

func comparisonFormats() []string { return []string{"table", "markdown", "json", "csv"} }

func writeComparison(w io.Writer, format string, r report.Comparison) error {
	switch format {
	case "markdown":
		return report.WriteComparisonMarkdown(w, r)
	case "json":
		return report.WriteComparisonJSON(w, r)
	case "csv":
		return report.WriteComparisonCSV(w, r)
	default:
		return report.WriteComparison(w, r)
	}
}

//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/host"
	"restbench/internal/report"
	"restbench/internal/store"
)

type reportCommand struct {
	*session
	campaign string
	list     bool
	labels   map[string]string
	format   string
}

func registerReport(app *kingpin.Application, s *session) (string, action) {
	c := &reportCommand{session: s, labels: map[string]string{}}
	cmd := app.Command("report", "Tables and figures from history.")
	cmd.Flag("campaign", "Number of the campaign, or last: the newest that is no upgrade.").Default("last").StringVar(&c.campaign)
	cmd.Flag("list", "List the campaigns instead.").BoolVar(&c.list)
	cmd.Flag("label", "Label for openmetrics, as a scrape would add it: job=restbench; repeatable.").PlaceHolder("NAME=VALUE").StringMapVar(&c.labels)
	cmd.Flag("format", "What to print: table, markdown, json, csv, html, svg, png, or openmetrics (all campaigns).").Default("table").
		EnumVar(&c.format, "table", "markdown", "json", "csv", "html", "svg", "png", "openmetrics")
	return cmd.FullCommand(), c.run
}

func (c *reportCommand) run(ctx context.Context) error {
	history, err := c.openHistory(ctx)
	if err != nil {
		return err
	}
	defer history.Close()
	switch {
	case c.list:
		return c.campaigns(ctx, history)
	case c.format == "openmetrics":
		return c.openMetrics(ctx, history)
	}
	campaign, err := c.find(ctx, history)
	if err != nil {
		return err
	}
	campaign = c.settled(campaign)
	if (campaign.Kind == bench.KindCompare || campaign.Kind == bench.KindUpgrade) && slices.Contains(comparisonFormats(), c.format) {
		return c.comparison(ctx, history, campaign)
	}
	result, err := resultOf(ctx, history, campaign)
	if err != nil {
		return err
	}
	return write(c.out, c.format, result)
}

// openHistory opens it for reading.
func (s *session) openHistory(ctx context.Context) (*store.Store, error) {
	path := filepath.Join(s.storagePath, historyFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no history in %s yet; restbench run makes some", s.storagePath)
	}
	return store.OpenReadOnly(ctx, path)
}

// comparison shows a campaign of restbench compare as that did, and one of an
// upgrade like it, judged by the threshold of the configuration.
func (c *reportCommand) comparison(ctx context.Context, history *store.Store, campaign bench.Campaign) error {
	measurements, err := history.Measurements(ctx, campaign.ID)
	if err != nil {
		return err
	}
	if campaign.Kind == bench.KindUpgrade {
		cfg, err := config.Load(c.configFile)
		if err != nil {
			return err
		}
		return writeComparison(c.out, c.format, report.NewUpgrade(campaign, measurements, cfg.Latest.Threshold).Comparison)
	}
	return writeComparison(c.out, c.format, report.NewComparison(campaign, measurements, campaign.Protocol.Threshold()))
}

// settled tells a campaign that runs from one whose process died: nothing has
// written that into the history yet.
func (c *reportCommand) settled(campaign bench.Campaign) bench.Campaign {
	if campaign.State != bench.StateRunning {
		return campaign
	}
	lock, _, err := host.TryLock(c.campaignLock, fmt.Sprintf("pid %d (restbench report)", os.Getpid()))
	if err == nil && lock != nil {
		campaign.State = bench.StateCutOff
		_ = lock.Unlock() // held for this question only
	}
	return campaign
}

func (c *reportCommand) find(ctx context.Context, history *store.Store) (bench.Campaign, error) {
	if c.campaign == "last" {
		return last(ctx, history)
	}
	id, err := strconv.ParseInt(c.campaign, 10, 64)
	if err != nil {
		return bench.Campaign{}, &usageError{fmt.Errorf("campaign %q is neither a number nor last", c.campaign)}
	}
	campaign, err := history.Campaign(ctx, id)
	if err != nil {
		return campaign, fmt.Errorf("campaign %d: %w", id, err)
	}
	return campaign, nil
}

// last is the newest campaign with a complete round, else the newest.
func last(ctx context.Context, history *store.Store) (bench.Campaign, error) {
	found, err := history.Campaigns(ctx, store.Filter{})
	if err == nil && len(found) == 0 {
		err = errors.New("there is no campaign in the history yet")
	}
	if err != nil {
		return bench.Campaign{}, err
	}
	for _, c := range found {
		if c.Rounds > 0 && c.Kind != bench.KindUpgrade { // the daemon runs these on its own account
			return c, nil
		}
	}
	return found[0], nil
}

func (c *reportCommand) campaigns(ctx context.Context, history *store.Store) error {
	found, err := history.Campaigns(ctx, store.Filter{})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CAMPAIGN\tSTARTED\tKIND\tSTATE\tPROTOCOL\tENGINE\tROUNDS\tTARGETS")
	for _, f := range found {
		f = c.settled(f)
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%d/%d\t%d\n", f.ID, f.Started.Format("2006-01-02 15:04"), f.Kind, f.State,
			f.Protocol.Name, f.Protocol.Engine, f.Rounds, f.Protocol.Rounds, ranked(f))
	}
	return w.Flush()
}

// inMemory is how far back a Prometheus may not have written its blocks yet. A block that
// is newer makes it forget what it has in memory up to there, for all of its jobs.
const inMemory = 3 * time.Hour

// openMetrics writes the results of all campaigns that feed the result metrics,
// oldest first, as promtool tsdb create-blocks-from openmetrics wants them, but for
// those that are too new to be a block.
func (c *reportCommand) openMetrics(ctx context.Context, history *store.Store) error {
	if err := checkLabels(c.labels); err != nil {
		return &usageError{err}
	}
	found, err := history.Campaigns(ctx, store.Filter{Kinds: []bench.Kind{bench.KindScheduled, bench.KindConfirm}})
	if err != nil {
		return err
	}
	written := writtenBefore(found, time.Now().Add(-inMemory))
	if n := len(found) - len(written); n > 0 {
		fmt.Fprintf(c.err, "campaigns that ended within the last %s, or have not ended, are left out: %d\n", inMemory, n)
	}
	var results []report.Result
	for _, campaign := range slices.Backward(written) {
		result, err := resultOf(ctx, history, campaign)
		if err != nil {
			return err
		}
		results = append(results, result)
	}
	return report.WriteOpenMetrics(c.out, results, c.labels)
}

func writtenBefore(all []bench.Campaign, end time.Time) (written []bench.Campaign) {
	for _, c := range all {
		if !c.Finished.IsZero() && c.Finished.Before(end) {
			written = append(written, c)
		}
	}
	return written
}

// checkLabels refuses labels that would hide restbench's own.
func checkLabels(labels map[string]string) error {
	valid := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	for name := range labels {
		if !valid.MatchString(name) || slices.Contains([]string{"framework", "edition", "serving", "workload", "protocol"}, name) {
			return fmt.Errorf("--label=%s: is not a label that can be added", name)
		}
	}
	return nil
}

// write renders a result in one of the formats.
func write(w io.Writer, format string, r report.Result) error {
	switch format {
	case "markdown":
		return report.WriteMarkdown(w, r)
	case "json":
		return report.WriteJSON(w, r)
	case "csv":
		return report.WriteCSV(w, r)
	case "html":
		return report.WriteHTML(w, r)
	case "svg", "png":
		return report.WriteFigure(w, r, report.FigureOptions{Kind: report.FigureRate, Format: report.Format(format)})
	default:
		return report.WriteText(w, r)
	}
}

// writeFigures writes every figure in every format into dir and returns their
// paths.
func writeFigures(dir string, r report.Result) ([]string, error) {
	var files []string
	for _, kind := range report.Figures() {
		for _, format := range []report.Format{report.FormatSVG, report.FormatPNG} {
			path := filepath.Join(dir, fmt.Sprintf("%s.%s", kind, format))
			if err := writeFigure(path, r, report.FigureOptions{Kind: kind, Format: format}); err != nil {
				return files, err
			}
			files = append(files, path)
		}
	}
	return files, nil
}

func writeFigure(path string, r report.Result, o report.FigureOptions) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write a figure: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return report.WriteFigure(file, r, o)
}

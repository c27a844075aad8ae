//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"restbench/internal/stats"
)

type detectCommand struct {
	*session
	file          string
	environment   string
	group         bool
	lowerIsBetter bool
	format        string
}

func registerDetect(app *kingpin.Application, s *session) (string, action) {
	c := &detectCommand{session: s}
	cmd := app.Command("detect", "Find lasting changes in any series, row by row as if they came one at a time.")
	cmd.Arg("file", "CSV file, - for standard input: a header, first column a time (RFC 3339 or Unix), one column a series; empty cells are allowed.").Required().StringVar(&c.file)
	cmd.Flag("group", "The columns were measured together on one host: what moves all of them is the host.").BoolVar(&c.group)
	cmd.Flag("environment", "Column that names the machine or its software; a different name is an event and starts all baselines anew.").PlaceHolder("COLUMN").StringVar(&c.environment)
	cmd.Flag("lower-is-better", "The values are costs such as seconds; without it more is better.").BoolVar(&c.lowerIsBetter)
	cmd.Flag("format", "What to print: table or json.").Default("table").EnumVar(&c.format, "table", "json")
	return cmd.FullCommand(), c.run
}

// run prints what was found up to the row that could not be read, too.
func (c *detectCommand) run(ctx context.Context) error {
	in, name, err := c.open()
	if err != nil {
		return err
	}
	defer in.Close()
	rows, err := newSeriesReader(in, name, c.environment)
	if err != nil {
		return err
	}
	found, failed := c.detect(ctx, rows)
	if failed != nil && len(found.changes) == 0 {
		return failed
	}
	if err := c.print(found); err != nil {
		return err
	}
	return failed
}

func (c *detectCommand) open() (io.ReadCloser, string, error) {
	if c.file == "-" {
		return io.NopCloser(c.in), "standard input", nil
	}
	f, err := os.Open(c.file)
	if err != nil {
		return nil, "", fmt.Errorf("read series: %w", err)
	}
	return f, c.file, nil
}

// detected is what a file holds.
type detected struct {
	names   []string
	times   []string // of the rows
	few     int      // rows with too few values for a field
	changes []stats.Change
}

func (c *detectCommand) detect(ctx context.Context, rows *seriesReader) (detected, error) {
	found := detected{names: rows.names}
	detector := stats.NewDetector(len(rows.names), stats.Config{Group: c.group, LowerIsBetter: c.lowerIsBetter})
	for ctx.Err() == nil {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			c.remarkGroup(rows, found.few)
			return found, c.remark(rows, detector)
		}
		if err != nil {
			return found, err
		}
		found.times = append(found.times, row.time)
		if c.group && !row.campaign.Field() {
			found.few++
		}
		found.changes = append(found.changes, detector.Observe(row.campaign)...)
	}
	return found, ctx.Err()
}

// remarkGroup says where the columns are no field.
func (c *detectCommand) remarkGroup(rows *seriesReader, few int) {
	switch {
	case !c.group || few == 0 || rows.rows < 2:
	case few == rows.rows:
		fmt.Fprintf(c.err, "%s: --group takes at least five columns with values: the columns were judged one by one\n", rows.file)
	default:
		fmt.Fprintf(c.err, "%s: rows with fewer than five values, of which --group can tell nothing: %d\n", rows.file, few)
	}
}

// remark says what limits the answer.
func (c *detectCommand) remark(rows *seriesReader, detector *stats.Detector) error {
	switch rows.rows {
	case 0:
		return fmt.Errorf("%s:1: no rows below the header", rows.file)
	case 1:
		return fmt.Errorf("%s has one row: a change needs rows before and after it", rows.file)
	}
	if rows.unusable > 0 {
		fmt.Fprintf(c.err, "%s: cells that are not above zero count as empty: %d\n", rows.file, rows.unusable)
	}
	var learning []string
	for i, name := range rows.names {
		if detector.Learning(i) {
			learning = append(learning, name)
		}
	}
	if len(learning) > 0 {
		fmt.Fprintf(c.err, "%s: still learning at the end, small changes would be missed: %s\n", rows.file, strings.Join(learning, ", "))
	}
	return nil
}

// detectedChange is one change as JSON.
type detectedChange struct {
	Series   *string          `json:"series"` // null for the environment
	Kind     stats.ChangeKind `json:"kind"`
	Reported int              `json:"reported"`
	Onset    int              `json:"onset"`
	Effect   *float64         `json:"effect"`
	CI95     *[2]float64      `json:"ci95"`
}

func (c *detectCommand) print(found detected) error {
	if c.format == "table" {
		return c.table(found)
	}
	changes := []detectedChange{}
	for _, change := range found.changes {
		one := detectedChange{Kind: change.Kind, Reported: change.Reported, Onset: change.Onset, Effect: change.Effect}
		if change.Series != stats.WholeField {
			one.Series = &found.names[change.Series]
		}
		if change.CI95 != nil {
			one.CI95 = &[2]float64{change.CI95.Low, change.CI95.High}
		}
		changes = append(changes, one)
	}
	encoder := json.NewEncoder(c.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"changes": changes})
}

func (c *detectCommand) table(found detected) error {
	if len(found.changes) == 0 {
		fmt.Fprintf(c.out, "no change in %d rows of %d series\n", len(found.times), len(found.names))
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERIES\tCHANGE\tEFFECT\t95 % INTERVAL\tSINCE\tROW\tREPORTED WITH ROW")
	for _, change := range found.changes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\n", found.who(change), change.Kind, percent(change.Effect), percents(change.CI95),
			found.times[change.Onset], change.Onset, change.Reported)
	}
	return w.Flush()
}

// who is a column, all of them, or those whose effect an event shows.
func (d detected) who(change stats.Change) string {
	switch {
	case change.Series != stats.WholeField:
		return d.names[change.Series]
	case len(change.Moved) == 0 || len(change.Moved) == len(d.names):
		return "(all)"
	}
	var some []string
	for _, series := range change.Moved {
		some = append(some, d.names[series])
	}
	return "(" + strings.Join(some, ", ") + ")"
}

func percent(share *float64) string {
	if share == nil {
		return "-"
	}
	return fmt.Sprintf("%+.1f %%", 100**share)
}

func percents(interval *stats.Interval) string {
	if interval == nil {
		return "-"
	}
	return fmt.Sprintf("%+.1f to %+.1f %%", 100*interval.Low, 100*interval.High)
}

package report

import (
	"fmt"
	"slices"
	"strings"

	"restbench/internal/bench"
)

// Table is one table as text, ready for a terminal, Markdown or a page. All of
// them render this value, so none can show another number than the others.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]string // as many cells as Columns
	Notes   []string   // footnotes; the cells that they belong to end with Marker
}

// Column is a column's head.
type Column struct {
	Name  string
	Right bool   // numbers stand at the right
	Help  string // what it means, in a sentence
}

// Tables is the result as people read it: for each edition the publication's
// two tables and the latencies, then the controls and what failed.
func Tables(r Result) []Table {
	var tables []Table
	for _, rows := range byEdition(r.Results) {
		tables = append(tables, rateTable(rows), relativeTable(rows), latencyTable(rows))
	}
	if len(r.Controls) > 0 {
		tables = append(tables, controlTable(r.Controls))
	}
	if len(r.Failures) > 0 {
		tables = append(tables, failureTable(r.Failures))
	}
	return tables
}

// byEdition splits rows, which are ordered by edition already.
func byEdition(rows []Row) [][]Row {
	var parts [][]Row
	for i, row := range rows {
		if i == 0 || row.Edition != rows[i-1].Edition {
			parts = append(parts, nil)
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], row)
	}
	return parts
}

// EditionTitle names an edition, with its interpreter when it is the same for
// all: "edition 2020, Python 3.8.18".
func EditionTitle(rows []Row) string {
	title := "edition " + rows[0].Edition
	if python := rows[0].Python; python != "" &&
		!slices.ContainsFunc(rows, func(r Row) bool { return r.Python != python }) {
		title += ", Python " + python
	}
	return title
}

func rateTable(rows []Row) Table {
	t := Table{
		Title: "Requests per second: " + EditionTitle(rows),
		Columns: []Column{
			{Name: "framework"},
			{"req/s", true, "Mean of the rounds; right answers only."},
			{"± sd", true, "Standard deviation of the rounds."},
			{"95 % interval", true, intervalHelp(rows)},
			{"n", true, "Rounds that the numbers rest on."},
			{"errors", true, "Answers that were wrong or missing, of all rounds."},
			{Name: "limited by", Help: "What was at its limit: server, client; or nobody: stalled, unfilled."},
		},
	}
	names := markNames(&t, rows)
	for i, r := range rows {
		e := r.RequestsPerSecond
		t.Rows = append(t.Rows, []string{
			names[i], Rate(e), rateSpread(e), rateInterval(e), Count(int64(r.Rounds)), Count(errorSum(r)),
			limitCell(r),
		})
	}
	t.Notes = append(t.Notes, startNote(rows)...)
	t.Notes = append(t.Notes, limitNotes(rows)...)
	return t
}

func relativeTable(rows []Row) Table {
	t := Table{
		Title: "Relative performance: " + EditionTitle(rows) + baseTitle(rows),
		Columns: []Column{
			{Name: "framework"},
			{"relative", true, "Mean divided by the mean of the base."},
			{"95 % interval", true, "From the ratios inside the rounds, where both saw the same machine."},
			{"CPU/req", true, "Processor time that the server used for one request."},
			{"memory", true, "Of the server's processes, shared pages by share; median of the rounds."},
			{"version", false, "Release of the framework."},
			{Name: "server", Help: "What listens."},
		},
	}
	for _, r := range rows {
		t.Rows = append(t.Rows, []string{
			r.Framework, relativeCell(r), relativeInterval(r), secondsCell(r.ServerCPUSecondsPerReq),
			bytesCell(r.ServerMemoryBytes), known(r.Version), known(r.Server),
		})
	}
	return t
}

// latencyTable names what the latencies are: under a closed loop the next request
// waits for the answer before, so that more load would show higher ones.
func latencyTable(rows []Row) Table {
	t := Table{
		Title:   "Latency (closed loop): " + EditionTitle(rows),
		Columns: []Column{{Name: "framework"}},
	}
	for _, q := range quantiles() {
		help := fmt.Sprintf("%g %% of the answers took no longer, while every connection waited for the answer before.", q.percent)
		t.Columns = append(t.Columns, Column{q.name, true, help})
	}
	for _, r := range rows {
		cells := []string{r.Framework}
		for _, q := range quantiles() {
			cells = append(cells, latencyCell(r, q.name))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func baseTitle(rows []Row) string {
	switch base := rows[0].Base; {
	case base == nil:
		return " (no base)"
	case rows[0].Edition == bench.EditionOwn:
		return fmt.Sprintf(" (%s@%s = 1)", *base, bench.EditionCurrent)
	default:
		return fmt.Sprintf(" (slowest = 1: %s)", *base)
	}
}

func failureTable(failures []FailureRow) Table {
	t := Table{
		Title:   "Failures",
		Columns: []Column{{Name: "target"}, {Name: "round", Right: true}, {Name: "stage"}, {Name: "cause"}},
	}
	for _, f := range Together(failures) {
		round := none
		if f.Round > 0 {
			round = Count(int64(f.Round))
		}
		t.Rows = append(t.Rows, []string{f.Target, round, string(f.Stage), strings.Join(strings.Fields(f.Cause), " ")})
	}
	return t
}

// Together makes one of neighbours that differ in their target alone: an edition
// without its interpreter is one fact, not eleven.
func Together(failures []FailureRow) []FailureRow {
	var together []FailureRow
	for i := 0; i < len(failures); {
		f, same := failures[i], alike(failures[i:])
		if same > 1 {
			f.Target = fmt.Sprintf("%s and %d more", f.Target, same-1)
		}
		together = append(together, f)
		i += same
	}
	return together
}

// alike counts the failures at the beginning that differ in their target alone.
func alike(failures []FailureRow) int {
	n := 1
	for n < len(failures) {
		next := failures[n]
		next.Target = failures[0].Target
		if next != failures[0] {
			break
		}
		n++
	}
	return n
}

// markNames gives every distinct mark of the rows a footnote of t, and returns
// the rows' names with the markers of theirs. A mark that all of several rows
// have needs no markers.
func markNames(t *Table, rows []Row) []string {
	names := make([]string, len(rows))
	common := commonMarks(rows)
	for i, r := range rows {
		var numbers []string
		for _, mark := range r.Marks {
			if slices.Contains(common, mark) {
				continue
			}
			n := slices.Index(t.Notes, mark)
			if n < 0 {
				n = len(t.Notes)
				t.Notes = append(t.Notes, mark)
			}
			numbers = append(numbers, Marker(n))
		}
		names[i] = r.Framework
		if len(numbers) > 0 {
			names[i] += " " + strings.Join(numbers, ",")
		}
	}
	for n := range t.Notes {
		t.Notes[n] = Marker(n) + " " + t.Notes[n]
	}
	for _, mark := range common {
		t.Notes = append(t.Notes, "all: "+mark)
	}
	return names
}

func commonMarks(rows []Row) []string {
	if len(rows) < 2 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(rows[0].Marks), func(mark string) bool {
		return slices.ContainsFunc(rows, func(r Row) bool { return !slices.Contains(r.Marks, mark) })
	})
}

// Marker is the sign of the footnote n, from 0: ¹.
func Marker(n int) string {
	return strings.Map(func(digit rune) rune { return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[digit-'0'] }, fmt.Sprint(n+1))
}

// limitNotes explains the verdicts of rows that make a number something else
// than the speed of a server.
func limitNotes(rows []Row) []string {
	var notes []string
	for _, limit := range Limits() {
		found := slices.ContainsFunc(rows, func(r Row) bool { return r.LimitedBy != nil && *r.LimitedBy == limit })
		if found && limit != LimitServer {
			notes = append(notes, limit+": "+Explain(limit))
		}
	}
	return notes
}

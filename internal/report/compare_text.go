package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// CompareTables is the comparison as people read it: both sides with their costs
// and latencies, then the packages that differ, then what failed.
func CompareTables(r Comparison) []Table {
	tables := []Table{sideTable(r)}
	if len(r.Packages) > 0 {
		tables = append(tables, packageTable(r.Packages))
	}
	if len(r.Failures) > 0 {
		tables = append(tables, failureTable(r.Failures))
	}
	return tables
}

// sideLine is one line of the table: what a side has, and what B has to A.
type sideLine struct {
	name  string
	cell  func(Row) string
	ratio string
}

func sideTable(r Comparison) Table {
	t := Table{
		Title: r.Sentence(),
		Columns: []Column{
			{Name: ""}, {"A", true, "What B is compared with."}, {"B", true, "What is compared with A."},
			{"B ÷ A", true, "Of requests per second and CPU/req: from the ratios inside the rounds, over the starts of the servers."},
		},
	}
	for _, line := range sideLines(r) {
		t.Rows = append(t.Rows, []string{line.name, sideCell(r.A, line.cell), sideCell(r.B, line.cell), line.ratio})
	}
	t.Notes = sideNotes(r)
	return t
}

func sideCell(row *Row, cell func(Row) string) string {
	if row == nil {
		return none
	}
	return cell(*row)
}

func sideLines(r Comparison) []sideLine {
	lines := []sideLine{
		{"target", func(r Row) string { return display(&r) }, ""},
		{"version", func(r Row) string { return known(r.Version) }, ""},
		{"server", func(r Row) string { return known(r.Server) }, ""},
		{"Python", func(r Row) string { return known(r.Python) }, ""},
		{"requests/s", func(r Row) string { return Rate(r.RequestsPerSecond) }, ratioCell(r.Ratio.Estimate)},
		{"95 % interval", func(r Row) string { return rateInterval(r.RequestsPerSecond) }, spanCell(r.Ratio.CI95)},
		{"± sd", func(r Row) string { return rateSpread(r.RequestsPerSecond) }, ""},
		{"CPU/req", func(r Row) string { return secondsCell(r.ServerCPUSecondsPerReq) }, ratioCell(r.CPURatio.Estimate)},
		{"95 % interval", func(Row) string { return "" }, spanCell(r.CPURatio.CI95)},
		{"memory", func(r Row) string { return bytesCell(r.ServerMemoryBytes) }, quotient(r, func(r Row) (float64, bool) {
			return float64(orZero(r.ServerMemoryBytes)), r.ServerMemoryBytes != nil
		})},
	}
	for _, name := range QuantileNames() {
		lines = append(lines, sideLine{name, func(r Row) string { return latencyCell(r, name) }, quotient(r, func(r Row) (float64, bool) {
			seconds, ok := r.LatencySeconds[name]
			return seconds, ok
		})})
	}
	return append(lines,
		sideLine{"errors", func(r Row) string { return Count(errorSum(r)) }, ""},
		sideLine{"limited by", limitCell, ""},
		sideLine{"rounds", func(r Row) string { return Count(int64(r.Rounds)) }, fmt.Sprintf("%s, %s", plural(r.Pairs, "pair"), plural(r.Starts, "start"))},
	)
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// quotient is of values that have no interval.
func quotient(r Comparison, of func(Row) (float64, bool)) string {
	if r.A == nil || r.B == nil {
		return none
	}
	a, knownA := of(*r.A)
	b, knownB := of(*r.B)
	if !knownA || !knownB || a == 0 {
		return none
	}
	q := b / a
	return ratioCell(&q)
}

// sideNotes is what to know of each side, and what a limit other than the server
// means for both.
func sideNotes(r Comparison) []string {
	var notes []string
	var rows []Row
	for name, row := range map[string]*Row{"A": r.A, "B": r.B} {
		if row == nil {
			continue
		}
		rows = append(rows, *row)
		for _, mark := range row.Marks {
			notes = append(notes, name+": "+mark)
		}
	}
	slices.Sort(notes)
	return append(notes, limitNotes(rows)...)
}

func packageTable(diffs []PackageDiff) Table {
	t := Table{Title: "Packages that differ", Columns: []Column{{Name: "package"}, {Name: "A"}, {Name: "B"}}}
	for _, d := range diffs {
		t.Rows = append(t.Rows, []string{d.Name, known(or(d.A)), known(or(d.B))})
	}
	return t
}

// conditions are those of a result.
func (r Comparison) conditions() []string {
	return Conditions(Result{Campaign: r.Campaign, Missing: r.Missing, Notes: r.Notes})
}

// WriteComparison writes the tables for a terminal, the conditions below them.
func WriteComparison(w io.Writer, r Comparison) error {
	var out bytes.Buffer
	for _, t := range CompareTables(r) {
		writeFolded(&out, t.Title)
		writeBody(&out, t)
		out.WriteByte('\n')
	}
	for _, line := range r.conditions() {
		writeFolded(&out, line)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// WriteComparisonMarkdown writes the same for a page.
func WriteComparisonMarkdown(w io.Writer, r Comparison) error {
	var out bytes.Buffer
	for _, t := range CompareTables(r) {
		writeMarkdown(&out, t)
	}
	for _, line := range r.conditions() {
		fmt.Fprintln(&out, "- "+markdownText(line))
	}
	_, err := w.Write(out.Bytes())
	return err
}

// WriteComparisonJSON writes it for programs: keys may be added, never renamed.
func WriteComparisonJSON(w io.Writer, r Comparison) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write the comparison as JSON: %w", err)
	}
	return nil
}

// WriteComparisonCSV writes a line for each side, in the columns of a result;
// relative is to A, of requests per second. The verdict and the signal that it is about
// stand in further columns, at B.
func WriteComparisonCSV(w io.Writer, r Comparison) error {
	lines := [][]string{append(CSVColumns(), "verdict", "signal")}
	for _, side := range []struct {
		row             *Row
		verdict, signal string
	}{{r.A, "", ""}, {r.B, string(r.Verdict), string(r.Signal)}} {
		if side.row == nil {
			continue
		}
		var line []string
		for _, c := range csvColumns() {
			line = append(line, c.cell(r.Campaign, *side.row))
		}
		lines = append(lines, append(line, side.verdict, side.signal))
	}
	if err := csv.NewWriter(w).WriteAll(lines); err != nil {
		return fmt.Errorf("write the comparison as CSV: %w", err)
	}
	return nil
}

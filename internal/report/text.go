package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// textWidth is how long lines of text are at most; a table of long names or
// causes takes what it needs.
const textWidth = 100

// WriteText writes the tables for a terminal, the conditions below them.
func WriteText(w io.Writer, r Result) error {
	var out bytes.Buffer
	for _, t := range Tables(r) {
		writeText(&out, t)
		out.WriteByte('\n')
	}
	if len(r.Results) == 0 {
		out.WriteString("No results: not one valid measurement.\n\n")
	}
	for _, line := range Conditions(r) {
		writeFolded(&out, line)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func writeText(out *bytes.Buffer, t Table) {
	fmt.Fprintln(out, t.Title)
	writeBody(out, t)
}

// writeBody is the table without its title.
func writeBody(out *bytes.Buffer, t Table) {
	widths := textWidths(t)
	head := make([]string, len(t.Columns))
	rule := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i], rule[i] = c.Name, strings.Repeat("─", min(widths[i], 30))
	}
	for _, row := range append([][]string{head, rule}, t.Rows...) {
		writeTextRow(out, t, row, widths)
	}
	for _, note := range t.Notes {
		writeFolded(out, note)
	}
}

// writeFolded breaks a sentence between words where a line would be too long.
func writeFolded(out *bytes.Buffer, s string) {
	line := ""
	for word := range strings.FieldsSeq(s) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > textWidth {
			fmt.Fprintln(out, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	fmt.Fprintln(out, line)
}

func textWidths(t Table) []int {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = utf8.RuneCountInString(c.Name)
		for _, row := range t.Rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	return widths
}

func writeTextRow(out *bytes.Buffer, t Table, row []string, widths []int) {
	var line strings.Builder
	for i, cell := range row {
		if i > 0 {
			line.WriteString("  ")
		}
		fill := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if t.Columns[i].Right {
			line.WriteString(fill + cell)
		} else {
			line.WriteString(cell + fill)
		}
	}
	fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
}

// writeTable writes one table alone.
func writeTable(w io.Writer, t Table) error {
	var out bytes.Buffer
	writeText(&out, t)
	_, err := w.Write(out.Bytes())
	return err
}

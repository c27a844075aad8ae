package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the tables as a README shows them.
func WriteMarkdown(w io.Writer, r Result) error {
	var out bytes.Buffer
	for _, t := range Tables(r) {
		writeMarkdown(&out, t)
	}
	if len(r.Results) == 0 {
		out.WriteString("No results: not one valid measurement.\n\n")
	}
	for _, line := range Conditions(r) {
		fmt.Fprintln(&out, "- "+markdownText(line))
	}
	_, err := w.Write(out.Bytes())
	return err
}

func writeMarkdown(out *bytes.Buffer, t Table) {
	fmt.Fprintf(out, "### %s\n\n", markdownText(t.Title))
	head, rule := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i], rule[i] = c.Name, "---"
		if c.Right {
			rule[i] = "---:"
		}
	}
	for i, row := range append([][]string{head, rule}, t.Rows...) {
		cells := row
		if i != 1 {
			cells = make([]string, len(row))
			for j := range row {
				cells[j] = markdownText(row[j])
			}
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
	}
	out.WriteByte('\n')
	for _, note := range t.Notes {
		fmt.Fprintf(out, "%s\n\n", markdownText(note))
	}
}

// markdownText keeps text from being read as markup or as the end of a cell.
func markdownText(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "*", `\*`, "_", `\_`, "`", "\\`",
		"<", "&lt;", ">", "&gt;", "[", `\[`, "]", `\]`).Replace(s)
}

package frameworks

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"restbench/internal/bench"
)

func parseEditions(d document, before []bench.Edition) ([]bench.Edition, error) {
	var editions []bench.Edition
	if err := d.decode(&editions); err != nil {
		return nil, err
	}
	// The user's targets, our own servers, and what has no date.
	seen := map[string]bool{bench.EditionOwn: true, bench.EditionControl: true, bench.EditionLatest: true}
	for _, e := range before {
		seen[e.Name] = true
	}
	for i, e := range editions {
		if err := d.checkEdition(strconv.Itoa(i), e); err != nil {
			return nil, err
		}
		if seen[e.Name] {
			return nil, d.wrong([]string{strconv.Itoa(i), "name"}, "the edition %q is already there", e.Name)
		}
		seen[e.Name] = true
	}
	return editions, nil
}

func (d *document) checkEdition(i string, e bench.Edition) error {
	version := regexp.MustCompile(`^3\.\d+$`)
	switch {
	case !validName(e.Name):
		return d.wrong([]string{i, "name"}, "%q %s", e.Name, nameRule)
	case !validDate(e.Date):
		return d.wrong([]string{i, "date"}, "%q is not a date (2006-01-02)", e.Date)
	case !version.MatchString(e.Python.Version):
		return d.wrong([]string{i, "python", "version"}, "is %q, must be like \"3.13\"", e.Python.Version)
	case e.Python.AtLeast != "" && !version.MatchString(e.Python.AtLeast):
		return d.wrong([]string{i, "python", "at_least"}, "is %q, must be like \"3.10\"", e.Python.AtLeast)
	}
	return nil
}

// ExcludeNewer is the moment from which on releases are too new for an edition:
// the end of its day in UTC, written as a UTC time because a plain date would
// mean another moment in each time zone.
func ExcludeNewer(e bench.Edition) (string, error) {
	day, err := time.Parse(time.DateOnly, e.Date)
	if err != nil {
		return "", fmt.Errorf("read the date of edition %s: %w", e.Name, err)
	}
	return day.AddDate(0, 0, 1).Format(time.RFC3339), nil
}

// LockPython is the oldest Python that an edition's locks must hold for.
func LockPython(e bench.Edition) string {
	if e.Python.AtLeast != "" {
		return e.Python.AtLeast
	}
	return e.Python.Version
}

// EditionsPath is the file in restbench's source tree that dates the editions.
func EditionsPath(tree string) string { return filepath.Join(tree, "frameworks", editionsFile) }

// SetDate changes the date of one edition in the text of an editions.yaml and
// leaves all else, comments too, as it is.
func SetDate(text []byte, edition, date string) ([]byte, error) {
	if !validDate(date) {
		return nil, fmt.Errorf("set the date of edition %s: %q is not a date (2006-01-02)", edition, date)
	}
	d := document{shown: editionsFile, text: text}
	var editions []bench.Edition
	if err := d.decode(&editions); err != nil {
		return nil, err
	}
	for i, e := range editions {
		if e.Name != edition {
			continue
		}
		if node := d.value(strconv.Itoa(i), "date"); node != nil {
			return replaceAt(text, node, date), nil
		}
	}
	return nil, fmt.Errorf("set the date of edition %s: it is not in %s, or has none", edition, editionsFile)
}

// replaceAt puts another text in the place of a plain or quoted value.
func replaceAt(text []byte, node *yaml.Node, value string) []byte {
	lines := strings.SplitAfter(string(text), "\n")
	line, start := lines[node.Line-1], node.Column-1
	old := regexp.MustCompile(`^(".*?"|'.*?'|[^\s,}]+)`).FindString(line[start:])
	lines[node.Line-1] = line[:start] + value + line[start+len(old):]
	return []byte(strings.Join(lines, ""))
}

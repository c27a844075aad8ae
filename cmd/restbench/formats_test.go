//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
	"restbench/internal/host"
	"restbench/internal/report"
	"restbench/internal/stats"
)

// written is what a command prints for programs.
func written(t *testing.T, print func(io.Writer) error) any {
	t.Helper()
	var out bytes.Buffer
	if err := print(&out); err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(out.Bytes(), &value); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return value
}

// keysIn are the paths of all keys of a value. Objects and lists of those named in
// whole are described elsewhere.
func keysIn(value any, whole ...string) []string {
	var keys []string
	switch v := value.(type) {
	case []any:
		return keysIn(v[0], whole...)
	case map[string]any:
		for name, inside := range v {
			path := name
			if list, ok := inside.([]any); ok && len(list) > 0 {
				path, inside = name+"[]", list[0]
			}
			if deeper, ok := inside.(map[string]any); ok && !slices.Contains(whole, name) && len(deeper) > 0 {
				for _, key := range keysIn(deeper, whole...) {
					keys = append(keys, path+"."+key)
				}
				continue
			}
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys
}

// describedIn are the keys in the first column of the tables of one section of
// docs/formats.md.
func describedIn(t *testing.T, section string) []string {
	t.Helper()
	_, text, found := strings.Cut(read(t, "../../docs/formats.md"), "\n## "+section+"\n")
	if !found {
		t.Fatalf("docs/formats.md has no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var keys []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cell := strings.Split(line, "|")[1]
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			keys = append(keys, m[1])
		}
	}
	return keys
}

// fullResult has something of everything that a result can hold.
func fullResult() report.Result {
	row := report.Row{LatencySeconds: map[string]float64{"p50": 1}, Errors: map[bench.ErrorKind]int64{bench.ErrorRead: 1}}
	p := bench.Adaptive()
	return report.Result{
		Campaign: report.Header{Protocol: p, Machine: bench.Machine{Virtual: "yes"}},
		Results:  []report.Row{row}, Controls: []report.Row{row}, Missing: []report.Missing{{}}, Failures: []report.FailureRow{{}},
		Notes: []string{"x"},
	}
}

func fullComparison() report.Comparison {
	full := fullResult()
	return report.Comparison{
		Campaign: full.Campaign, A: &full.Results[0], B: &full.Results[0], Packages: []report.PackageDiff{{}},
		Missing: full.Missing, Failures: full.Failures,
	}
}

// Every key that a command prints is described, and nothing else is.
func TestEveryKeyForProgramsIsDocumented(t *testing.T) {
	result := written(t, func(w io.Writer) error { return report.WriteJSON(w, fullResult()) }).(map[string]any)
	printing := func(w io.Writer) *session { return &session{streams: streams{out: w}} }
	load := written(t, func(w io.Writer) error {
		return (&loadCommand{session: printing(w)}).json(bench.Load{Quantiles: map[string]float64{"p50": 1}, Duration: time.Second})
	}).(map[string]any)
	for section, printed := range map[string][]string{
		"run and report":            keysIn(result, slices.Collect(maps.Keys(result))...),
		"A campaign":                keysIn(result["campaign"]),
		"A result":                  keysIn(result["results"], "latency_seconds", "errors"),
		"A target without a result": keysIn(result["missing"]),
		"A failure":                 keysIn(result["failures"]),
		"Kinds of errors":           keysIn(load["errors"]),
		"compare": keysIn(written(t, func(w io.Writer) error { return report.WriteComparisonJSON(w, fullComparison()) }),
			"campaign", "a", "b", "missing", "failures"),
		"load": keysIn(load, "latency_seconds", "errors"),
		"list": keysIn(written(t, func(w io.Writer) error {
			return json.NewEncoder(w).Encode([]listed{{Editions: map[string]listedEdition{"NAME": {}}}})
		})),
		"check": keysIn(written(t, func(w io.Writer) error { return json.NewEncoder(w).Encode([]host.Finding{{}}) })),
		"check --engines": keysIn(written(t, func(w io.Writer) error {
			return report.WriteEnginesJSON(w, []report.EngineRow{{Cause: "x"}})
		})),
		"check --figure": keysIn(written(t, func(w io.Writer) error {
			return (&checkCommand{session: printing(w), format: "json"}).writeFigure("x")
		})),
		"detect": keysIn(written(t, func(w io.Writer) error {
			return (&detectCommand{session: printing(w), format: "json"}).print(detected{changes: []stats.Change{{Series: stats.WholeField}}})
		})),
	} {
		described := describedIn(t, section)
		slices.Sort(described)
		if diff := cmp.Diff(printed, described); diff != "" {
			t.Errorf("section %q (-printed +described):\n%s", section, diff)
		}
	}
}

// The columns stand in their order, those of compare last.
func TestEveryColumnForProgramsIsDocumented(t *testing.T) {
	var out bytes.Buffer
	if err := report.WriteComparisonCSV(&out, fullComparison()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lines[0], describedIn(t, "CSV")); diff != "" {
		t.Errorf("columns (-printed +described):\n%s", diff)
	}
}

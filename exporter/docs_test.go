package exporter

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/need"
	"restbench/internal/report"
)

const docsPath = "../docs/metrics.md"

// documented is the metrics tables of the documentation: name to "type labels".
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[string]string{}
	for line := range strings.SplitSeq(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), "|")
		if !strings.HasPrefix(line, "| `restbench_") {
			continue
		}
		if len(cells) != 5 {
			t.Fatalf("%d cells: %s", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name := strings.Trim(cells[0], "`")
		if _, twice := metrics[name]; twice {
			t.Errorf("%s is there twice", name)
		}
		metrics[name] = cells[1] + " " + documentedLabels(cells[2])
		checkUnit(t, name, cells[3])
		if cells[4] == "" {
			t.Errorf("%s has no meaning", name)
		}
	}
	return metrics
}

func documentedLabels(cell string) string {
	var labels []string
	if strings.HasPrefix(cell, "target labels") {
		labels = targetLabels()
	}
	for _, m := range regexp.MustCompile("`([a-z]+)`").FindAllStringSubmatch(cell, -1) {
		labels = append(labels, m[1])
	}
	slices.Sort(labels)
	return fmt.Sprint(labels)
}

// checkUnit holds the unit to what the name says.
func checkUnit(t *testing.T, name, unit string) {
	t.Helper()
	for _, rule := range []struct{ pattern, unit string }{
		{"_timestamp_seconds$", "seconds since 1970"},
		{"_info$", "always 1"},
		{"_bytes$", "bytes"},
		{"_ratio$", "ratio"},
		{"requests_per_second", "requests per second"},
		{"_seconds(_per_request)?$", "seconds"},
		{".", ""},
	} {
		if regexp.MustCompile(rule.pattern).MatchString(name) {
			if unit == "" || rule.unit != "" && unit != rule.unit {
				t.Errorf("%s has the unit %q, want %q", name, unit, rule.unit)
			}
			return
		}
	}
}

// exposed is the same of a daemon that has shown everything once.
func exposed(t *testing.T) map[string]string {
	t.Helper()
	e := newExporter(t, options())
	for id := range int64(4) {
		playControls(e, id+1, 1)
	}
	e.SetChanges(sampleChanges())
	e.SetUpgrades([]report.Upgrade{upgrade(options().Targets[0], 0.9)})
	begin(e, campaign(5, short(), sanic(), flask())) // still runs
	families, err := e.options.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[string]string{}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "restbench_") {
			metrics[f.GetName()] = strings.ToLower(f.GetType().String()) + " " + fmt.Sprint(labelsOf(f.GetMetric()[0]))
		}
	}
	return metrics
}

func labelsOf(m *dto.Metric) []string {
	var names []string
	for _, l := range m.GetLabel() {
		names = append(names, l.GetName())
	}
	slices.Sort(names)
	return names
}

func TestDocumentationMatches(t *testing.T) {
	docs, real := documented(t), exposed(t)
	for _, name := range slices.Sorted(maps.Keys(real)) {
		if docs[name] != real[name] {
			t.Errorf("%s: documented %q, exposed %q", name, docs[name], real[name])
		}
		delete(docs, name)
	}
	for name := range docs {
		t.Errorf("%s is documented, but not exposed", name)
	}
}

func TestDocumentationNamesLabelValues(t *testing.T) {
	text, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	values := slices.Concat(report.Limits(), bench.Controls(), bench.InvalidReasons(), options().SkipReasons, []string{otherReason, change.Slower, change.Faster, change.Same, string(bench.SignalRequests), string(bench.SignalServerCPU)})
	for _, scope := range change.Scopes() {
		values = append(values, string(scope))
	}
	for _, confirmation := range change.Confirmations() {
		values = append(values, string(confirmation))
	}
	for _, kind := range bench.ErrorKinds() {
		values = append(values, string(kind))
	}
	for _, stage := range bench.Stages() {
		values = append(values, string(stage))
	}
	for _, v := range values {
		if !strings.Contains(string(text), "`"+v+"`") {
			t.Errorf("label value %s is not documented", v)
		}
	}
}

func TestDocumentationOfSeries(t *testing.T) {
	text, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+)[^|]*\| (\d+) \|$`).FindAllStringSubmatch(string(text), -1)
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		targets, _ := strconv.Atoi(row[1])
		if want := strconv.Itoa(Series(targets)); row[2] != want {
			t.Errorf("%d targets: documented %s, want %s", targets, row[2], want)
		}
	}
}

// The example queries are ones that Prometheus understands.
func TestDocumentedQueries(t *testing.T) {
	path := need.Program(t, "promtool", "prometheus")
	text, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	_, queries, _ := strings.Cut(string(text), "## Queries")
	blocks := regexp.MustCompile(`(?m)(?:^    .*\n?)+`).FindAllString(queries, -1)
	if len(blocks) != 3 {
		t.Fatalf("%d queries", len(blocks))
	}
	rules := "groups:\n- name: documentation\n  rules:\n"
	for i, block := range blocks {
		rules += fmt.Sprintf("  - record: documentation:query%d\n    expr: |\n%s\n", i, regexp.MustCompile(`(?m)^`).ReplaceAllString(block, "    "))
	}
	out, err := exec.CommandContext(t.Context(), path, "check", "rules", write(t, "rules.yml", rules)).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, out, rules)
	}
}

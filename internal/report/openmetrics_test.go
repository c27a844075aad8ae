package report_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/need"
	"restbench/internal/report"
)

// history is three campaigns, the newest first, and some that feed no metrics.
func history() []report.Result {
	var results []report.Result
	made, ms := synthetic("current", "2020")
	for i := range ms {
		ms[i].Load.Latency = nil // not in these metrics, and slow to read
	}
	add := func(change func(*bench.Campaign)) {
		c := made
		change(&c)
		results = append(results, report.New(c, ms))
	}
	for i := range 3 {
		add(func(c *bench.Campaign) {
			c.ID = int64(3 - i)
			c.Finished = c.Finished.Add(-time.Duration(i) * 3 * time.Hour)
		})
	}
	add(func(c *bench.Campaign) { c.Kind = bench.KindManual })
	add(func(c *bench.Campaign) { c.State = bench.StateCutOff })
	add(func(c *bench.Campaign) { c.State, c.Finished = bench.StateRunning, time.Time{} })
	return results
}

func openMetrics(t *testing.T, results []report.Result) string {
	t.Helper()
	var out bytes.Buffer
	err := report.WriteOpenMetrics(&out, results, map[string]string{"job": "restbench", "instance": `a"b`})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestOpenMetrics(t *testing.T) {
	text := openMetrics(t, history())
	if !strings.HasSuffix(text, "\n# EOF\n") {
		t.Error("no EOF")
	}
	var sanic []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, `restbench_relative_performance{edition="2020",framework="sanic"`) {
			sanic = append(sanic, strings.TrimSpace(line))
		}
	}
	// 12:20 UTC on 2020-08-10 is 1597062000; three hours before it is 10,800 less.
	if len(sanic) != 3 || !strings.HasSuffix(sanic[2], " 1597062000.000") || !strings.HasSuffix(sanic[1], " 1597051200.000") {
		t.Errorf("%q", sanic)
	}
	if !strings.Contains(text, `instance="a\"b"`) || !strings.Contains(text, `protocol="classic"`) {
		t.Error("labels are not as expected")
	}
	if openMetrics(t, nil) != "# EOF\n" {
		t.Error("no history is not an empty file")
	}
}

func TestOpenMetricsOfControls(t *testing.T) {
	results := history()
	for i, rate := range []float64{300, 200, 100} { // the newest first
		results[i].Controls = []report.Row{{Framework: "go", RequestsPerSecond: report.Estimate{Mean: rate}}}
	}
	results[2].Campaign.Protocol.Rounds++ // another protocol
	want := `# TYPE restbench_control_requests_per_second gauge
# HELP restbench_control_requests_per_second Right answers per second of a server of restbench's own, mean over the rounds.
restbench_control_requests_per_second{control="go",instance="a\"b",job="restbench"} 200 1597051200.000
restbench_control_requests_per_second{control="go",instance="a\"b",job="restbench"} 300 1597062000.000
# EOF
`
	text := openMetrics(t, results)
	if !strings.HasSuffix(text, want) {
		t.Errorf("ends with %s", text[max(0, len(text)-600):])
	}
}

// Prometheus itself must be able to import the history.
func TestOpenMetricsImport(t *testing.T) {
	promtool := need.Program(t, "promtool", "prometheus")
	folder := t.TempDir()
	file := filepath.Join(folder, "history.txt")
	if err := os.WriteFile(file, []byte(openMetrics(t, history())), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(folder, "data")
	if out, err := exec.Command(promtool, "tsdb", "create-blocks-from", "openmetrics", file, data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.MkdirAll(filepath.Join(data, "wal"), 0o755); err != nil { // dump wants one, import makes none
		t.Fatal(err)
	}
	out, err := exec.Command(promtool, "tsdb", "dump", `--match={__name__="restbench_requests_per_second"}`, data).CombinedOutput()
	// 22 targets in 3 campaigns.
	if n := strings.Count(string(out), "restbench_requests_per_second"); err != nil || n != 66 {
		t.Errorf("%d samples were imported, want 66: %v: %.500s", n, err, out)
	}
}

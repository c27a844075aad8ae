package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
	"restbench/internal/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

func campaigns() map[string]func() (bench.Campaign, []bench.Measurement) {
	return map[string]func() (bench.Campaign, []bench.Measurement){
		"troubled": troubled,
		"wrk":      byWrk,
		"empty":    func() (bench.Campaign, []bench.Measurement) { return campaign(), nil },
	}
}

func TestGolden(t *testing.T) {
	writers := map[string]func(io.Writer, report.Result) error{
		"txt": report.WriteText, "md": report.WriteMarkdown, "json": report.WriteJSON, "csv": report.WriteCSV,
	}
	for name, made := range campaigns() {
		r := report.New(made())
		for extension, write := range writers {
			t.Run(name+"."+extension, func(t *testing.T) {
				var out bytes.Buffer
				if err := write(&out, r); err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata", name+"."+extension), out.Bytes())
			})
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rounded(want), rounded(got)); diff != "" {
		t.Errorf("%s (write it anew with -update if this is right):\n%s", path, diff)
	}
}

// rounded keeps nine digits of long decimals: processors that multiply and add
// in one step differ in the last ones.
func rounded(text []byte) string {
	return regexp.MustCompile(`\d+\.\d{9,}(e-\d+)?`).ReplaceAllStringFunc(string(text), func(number string) string {
		x, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return number
		}
		return strconv.FormatFloat(x, 'g', 9, 64)
	})
}

func TestTextFitsATerminal(t *testing.T) {
	for name, made := range campaigns() {
		r := report.New(made())
		r.Failures = nil // a cause is as long as it is
		var out bytes.Buffer
		if err := report.WriteText(&out, r); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
	}
}

// plainNumber reads a cell back: "10,440", "44.0 ms", "93.9 µs".
func plainNumber(t *testing.T, cell string) float64 {
	t.Helper()
	number, unit, _ := strings.Cut(strings.ReplaceAll(cell, ",", ""), " ")
	x, err := strconv.ParseFloat(number, 64)
	if err != nil {
		t.Fatalf("cell %q: %v", cell, err)
	}
	return x * map[string]float64{"": 1, "s": 1, "ms": 1e-3, "µs": 1e-6, "MB": 1e6}[unit]
}

// document is what the test reads of the JSON.
type document struct {
	Results []struct {
		Framework string
		Edition   string
		Rounds    float64
		Rate      struct {
			Mean, Stddev float64
			CI95         [2]float64
		} `json:"requests_per_second"`
		Relative  float64
		CI95      [2]float64         `json:"relative_ci95"`
		Latency   map[string]float64 `json:"latency_seconds"`
		Errors    map[string]float64
		CPU       float64 `json:"server_cpu_seconds_per_request"`
		Memory    float64 `json:"server_memory_bytes"`
		LimitedBy string  `json:"limited_by"`
		Version   string
		Server    string
	}
}

// Tables show what JSON says, rounded, and nothing of their own.
func TestTablesEqualJSON(t *testing.T) {
	r := report.New(troubled())
	var out bytes.Buffer
	if err := report.WriteJSON(&out, r); err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	tables := report.Tables(r)
	seen := 0
	for _, row := range doc.Results {
		place := map[string]int{"current": 0, "2020": 3}[row.Edition]
		rate, relative := cells(t, tables[place], row.Framework), cells(t, tables[place+1], row.Framework)
		same := func(what, cell string, want float64) {
			t.Helper()
			// Two digits of an interval half a width wide round off 1 % of it at most;
			// an interval here is less than 5 % of its mean.
			near(t, row.Framework+" "+what, plainNumber(t, cell), want, math.Abs(want)*0.005)
			seen++
		}
		same("mean", rate["req/s"], row.Rate.Mean)
		near(t, row.Framework+" stddev", plainNumber(t, rate["± sd"]), row.Rate.Stddev, 0.05*row.Rate.Stddev)
		low, high, _ := strings.Cut(rate["95 % interval"], " – ")
		same("low", low, row.Rate.CI95[0])
		same("high", high, row.Rate.CI95[1])
		same("n", rate["n"], row.Rounds)
		latency := cells(t, tables[place+2], row.Framework)
		for _, name := range report.QuantileNames() {
			same(name, latency[name], row.Latency[name])
		}
		same("errors", rate["errors"], row.Errors["body"])
		same("relative", relative["relative"], row.Relative)
		if low, high, ok := strings.Cut(relative["95 % interval"], " – "); ok {
			same("relative low", low, row.CI95[0])
			same("relative high", high, row.CI95[1])
		}
		same("CPU", relative["CPU/req"], row.CPU)
		same("memory", relative["memory"], row.Memory)
		if rate["limited by"] != row.LimitedBy || relative["version"] != row.Version || relative["server"] != row.Server {
			t.Errorf("%s: words %v %v", row.Framework, rate, relative)
		}
	}
	if seen < 200 {
		t.Errorf("compared %d values only", seen)
	}
}

// cells are a framework's, by column.
func cells(t *testing.T, table report.Table, framework string) map[string]string {
	t.Helper()
	for _, row := range table.Rows {
		if name, _, _ := strings.Cut(row[0], " "); name != framework {
			continue
		}
		out := map[string]string{}
		for i, column := range table.Columns {
			out[column.Name] = row[i]
		}
		return out
	}
	t.Fatalf("%s is not in %q", framework, table.Title)
	return nil
}

// All renderings show the same cells.
func TestRenderingsShowTheSameCells(t *testing.T) {
	r := report.New(troubled())
	var text, html bytes.Buffer
	if err := report.WriteText(&text, r); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteHTML(&html, r); err != nil {
		t.Fatal(err)
	}
	for _, table := range report.Tables(r) {
		for _, row := range table.Rows {
			for _, cell := range row {
				if !strings.Contains(text.String(), cell) || !strings.Contains(html.String(), ">"+cell+"<") {
					t.Errorf("%q of %q is missing", cell, table.Title)
				}
			}
		}
	}
}

// What a server answers must not become markup.
func TestTextOfServersIsEscaped(t *testing.T) {
	c, ms := small()
	ms[0].Load.FirstWrong = `<script>alert("x")</script> | [x](http://x)`
	ms = append(ms, bench.Measurement{Target: ms[0].Target, Failure: &bench.Failure{Stage: "stop", Cause: "<img src=x>\n|"}})
	r := report.New(c, ms)
	for name, test := range map[string]struct {
		write func(io.Writer, report.Result) error
		bad   []string
	}{
		"html":     {report.WriteHTML, []string{"<script>", "<img src=x>"}},
		"markdown": {report.WriteMarkdown, []string{"<script>", "<img", " | [x]", "[x](", "x>\n|"}},
	} {
		var out bytes.Buffer
		if err := test.write(&out, r); err != nil {
			t.Fatal(err)
		}
		for _, bad := range test.bad {
			if strings.Contains(out.String(), bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
	}
}

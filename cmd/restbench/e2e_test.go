//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/need"
)

// pythonAndIndex is what installing needs; what it said itself follows.
const pythonAndIndex = "a Python from 3.10 on and the package index: "

// requireInstalled makes the environments of targets, all of edition current when
// none is named, in a state folder.
func requireInstalled(t testing.TB, binary, state string, targets ...string) {
	t.Helper()
	args := append([]string{"install", "--storage.path=" + state}, targets...)
	out, err := exec.Command(binary, args...).CombinedOutput()
	need.That(t, err == nil, pythonAndIndex+lastLine(string(out)))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// build makes the real binary.
func build(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "restbench")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// background starts a program and ends it with the test; its output is shown
// when the test fails.
func background(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	log := &syncBuffer{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), log)
		}
	})
	return cmd
}

// The whole way: the real binary measures all frameworks, a real Prometheus
// scrapes it, and what Prometheus answers is what the history holds.
func TestEndToEnd(t *testing.T) {
	prometheus := need.Program(t, "prometheus", "prometheus")
	promtool := need.Program(t, "promtool", "prometheus")
	binary, dir := build(t), t.TempDir()
	t.Setenv("RESTBENCH_CAMPAIGN_LOCK", filepath.Join(dir, "campaign.lock"))
	state := filepath.Join(dir, "state")
	config := writeFile(t, "restbench.yml", "protocol: {name: short, rounds: 2, duration: 1s, threads: 2, connections: 8}\n")
	requireInstalled(t, binary, state)
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	background(t, binary, "serve", "--storage.path="+state, "--config.file="+config, "--web.listen-address="+address)
	prom := startPrometheus(t, prometheus, address)
	prom.await(`restbench_campaign_running == 1`, time.Minute)
	prom.await(`restbench_campaign_last_success_timestamp_seconds > 0`, 5*time.Minute)
	prom.await(`restbench_campaign_running == 0`, time.Minute)

	stored := storedResults(t, binary, state)
	if len(stored) < 11 {
		t.Errorf("the history holds %d results, want at least the publication's 11", len(stored))
	}
	checkMeans(t, filepath.Join(state, historyFile), prom.byFramework("restbench_requests_per_second"))
	for metric, value := range comparedMetrics() {
		answered := prom.byFramework(metric)
		for _, r := range stored {
			want := value(r)
			if got, ok := answered[r.Framework]; want == nil || !ok || math.Abs(got-*want) > 1e-9*math.Abs(*want) {
				t.Errorf("%s of %s: Prometheus answers %v (%t), the history holds %v", metric, r.Framework, got, ok, want)
			}
		}
		if len(answered) != len(stored) {
			t.Errorf("%s: Prometheus has %d series, the history %d results", metric, len(answered), len(stored))
		}
	}
	checkMetrics(t, promtool, address)
}

// storedResult is one result as restbench report prints it.
type storedResult struct {
	Framework         string `json:"framework"`
	RequestsPerSecond struct {
		Mean   *float64    `json:"mean"`
		Stddev *float64    `json:"stddev"`
		CI95   *[2]float64 `json:"ci95"`
	} `json:"requests_per_second"`
	Relative     *float64    `json:"relative"`
	RelativeCI95 *[2]float64 `json:"relative_ci95"`
	Rounds       *float64    `json:"rounds"`
	ServerCPU    *float64    `json:"server_cpu_seconds_per_request"`
	ServerMemory *float64    `json:"server_memory_bytes"`
	ClientCPU    *float64    `json:"client_cpu_seconds_per_request"`
}

func comparedMetrics() map[string]func(storedResult) *float64 {
	low := func(i *[2]float64) *float64 { return &i[0] }
	high := func(i *[2]float64) *float64 { return &i[1] }
	return map[string]func(storedResult) *float64{
		"restbench_requests_per_second":            func(r storedResult) *float64 { return r.RequestsPerSecond.Mean },
		"restbench_requests_per_second_stddev":     func(r storedResult) *float64 { return r.RequestsPerSecond.Stddev },
		"restbench_requests_per_second_ci95_low":   func(r storedResult) *float64 { return low(r.RequestsPerSecond.CI95) },
		"restbench_relative_performance":           func(r storedResult) *float64 { return r.Relative },
		"restbench_relative_performance_ci95_low":  func(r storedResult) *float64 { return low(r.RelativeCI95) },
		"restbench_requests_per_second_ci95_high":  func(r storedResult) *float64 { return high(r.RequestsPerSecond.CI95) },
		"restbench_relative_performance_ci95_high": func(r storedResult) *float64 { return high(r.RelativeCI95) },
		"restbench_client_cpu_seconds_per_request": func(r storedResult) *float64 { return r.ClientCPU },
		"restbench_rounds":                         func(r storedResult) *float64 { return r.Rounds },
		"restbench_server_cpu_seconds_per_request": func(r storedResult) *float64 { return r.ServerCPU },
		"restbench_server_memory_bytes":            func(r storedResult) *float64 { return r.ServerMemory },
	}
}

func storedResults(t *testing.T, binary, state string) []storedResult {
	t.Helper()
	out, err := exec.Command(binary, "report", "--storage.path="+state, "--format=json").Output()
	if err != nil {
		t.Fatalf("restbench report: %v", err)
	}
	var result struct {
		Results []storedResult `json:"results"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("read the report: %v", err)
	}
	return result.Results
}

// checkMeans holds answers to the rows.
func checkMeans(t *testing.T, history string, answered map[string]float64) {
	t.Helper()
	means := meansOf(t, history)
	for framework, mean := range means {
		if got := answered[framework]; math.Abs(got-mean) > 1e-9*mean {
			t.Errorf("requests per second of %s: %v are answered, the rows' mean is %v", framework, got, mean)
		}
	}
	if len(means) != len(answered) {
		t.Errorf("the rows are of %d frameworks, %d are answered", len(means), len(answered))
	}
}

// meansOf computes the means once more, from the raw rows and by the database.
func meansOf(t *testing.T, history string) map[string]float64 {
	t.Helper()
	db := openHistory(t, history)
	defer db.Close()
	// A repetition stands in place of what it repeats; controls have no series here.
	rows, err := db.Query(`SELECT framework, avg(requests * 1e9 / duration) FROM measurements m
		WHERE failure IS NULL AND edition != 'control' AND attempt = (SELECT max(attempt) FROM measurements
			WHERE failure IS NULL AND framework = m.framework AND round = m.round) GROUP BY framework`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	means := map[string]float64{}
	for rows.Next() {
		var framework string
		var mean float64
		if err := rows.Scan(&framework, &mean); err != nil {
			t.Fatal(err)
		}
		means[framework] = mean
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return means
}

// TestEndToEnd holds Prometheus to the rows; this holds restbench report to them, for
// a history with all that may be in one: a repetition, a failure, a control.
func TestTheReportIsTheMeanOfTheRows(t *testing.T) {
	state := isolated(t)
	s := ownSeeding(t, ownTargets(t, "alpha", "beta"), 1)
	history := openState(t, state)
	s.into(t, history, 0, 1)
	alpha, control := s.campaign.Participants[0].Target, bench.ControlTarget(bench.ControlGo)
	fast := bench.Load{Engine: s.engine, Requests: 900_000, Duration: 100 * time.Second}
	for _, m := range []bench.Measurement{
		{Campaign: 1, Round: 2, Attempt: 1, Target: alpha, Load: fast},
		{Campaign: 1, Round: 3, Attempt: 1, Target: alpha, Failure: &bench.Failure{Stage: bench.StageLoad, Cause: "broken"}},
		{Campaign: 1, Round: 1, Target: control, Load: fast},
	} {
		if err := history.Record(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if err := history.Close(); err != nil {
		t.Fatal(err)
	}
	got := restbench(t.Context(), t, "report", "--storage.path="+state, "--format=json")
	var result struct{ Results []storedResult }
	if err := json.Unmarshal([]byte(got.out), &result); err != nil {
		t.Fatalf("report: %v: %+v", err, got)
	}
	means := map[string]float64{}
	for _, r := range result.Results {
		means[r.Framework] = *r.RequestsPerSecond.Mean
	}
	if len(means) != 2 {
		t.Errorf("the report is of %v", means)
	}
	checkMeans(t, filepath.Join(state, historyFile), means)
}

// openHistory reads a history without restbench.
func openHistory(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func checkMetrics(t *testing.T, promtool, address string) {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = response.Body
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// prometheusServer is a real one that scrapes every second.
type prometheusServer struct {
	t   testing.TB
	url string
}

func startPrometheus(t testing.TB, binary, target string) prometheusServer {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: restbench\n    static_configs: [{targets: ['%s']}]\n", target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	background(t, binary, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	return prometheusServer{t, "http://" + address}
}

// query asks for an instant vector; a server that is not up yet answers nothing.
func (p prometheusServer) query(expression string) []sample {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/query?query="+url.QueryEscape(expression), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	var answer struct {
		Data struct{ Result []sample }
	}
	if json.Unmarshal(text, &answer) != nil {
		return nil
	}
	return answer.Data.Result
}

// sample is one element of an instant vector.
type sample struct {
	Metric map[string]string
	Value  [2]any // time, value as text
}

func (s sample) value() float64 {
	v, err := strconv.ParseFloat(fmt.Sprint(s.Value[1]), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func (p prometheusServer) await(expression string, within time.Duration) {
	p.t.Helper()
	eventually(p.t, within, expression, func() bool { return len(p.query(expression)) > 0 })
}

func (p prometheusServer) byFramework(metric string) map[string]float64 {
	values := map[string]float64{}
	for _, s := range p.query(metric) {
		values[s.Metric["framework"]] = s.value()
	}
	return values
}

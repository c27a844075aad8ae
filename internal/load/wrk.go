package load

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"

	"restbench/internal/bench"
)

//go:embed wrk.lua
var wrkScript string

// FindWrk looks for wrk on PATH.
func FindWrk() (string, error) {
	path, err := exec.LookPath("wrk")
	if err != nil {
		return "", errors.New("wrk is not installed: install the package wrk (apt install wrk, brew install wrk), or use --engine=native")
	}
	return path, nil
}

// Wrk runs the publication's tool. Its numbers are what it says: it cannot check
// bodies, and its latencies hold synthetic samples.
type Wrk struct {
	Runner Runner
	Path   string // of wrk; FindWrk when empty
}

// Run puts the load on the server. Requests are all answers but those with a
// status from 400 on and those that came too late, which wrk counts both as
// answers and as timeouts; an expected status that wrk cannot tell from an error is
// refused.
func (w Wrk) Run(ctx context.Context, plan bench.Plan) (bench.Load, error) {
	if err := validWrkPlan(plan); err != nil {
		return bench.Load{}, err
	}
	path := w.Path
	if path == "" {
		var err error
		if path, err = FindWrk(); err != nil {
			return bench.Load{}, err
		}
	}
	script, remove, err := writeScript(methodOf(plan.Workload.Request))
	if err != nil {
		return bench.Load{}, err
	}
	defer remove()
	ctx, cancel := context.WithTimeout(ctx, plan.Duration+grace)
	defer cancel()
	name := "wrk " + w.version(ctx, path)
	out, err := w.Runner.Run(ctx, bench.Command{Name: "wrk", Argv: wrkArguments(path, script, plan), CPUs: plan.CPUs})
	if err != nil {
		return bench.Load{}, fmt.Errorf("run wrk: %w", err)
	}
	load, err := readWrk(out.Stdout, plan)
	load.Engine, load.ClientCPU = name, out.CPU
	return load, err
}

func validWrkPlan(plan bench.Plan) error {
	if err := validPlan(plan); err != nil {
		return err
	}
	if plan.Duration%time.Second != 0 || timeoutOf(plan)%time.Second != 0 {
		return fmt.Errorf("plan: wrk measures whole seconds only, not %s with a timeout of %s", plan.Duration, timeoutOf(plan))
	}
	if plan.Workload.Expect.Status >= 400 {
		return fmt.Errorf("plan: wrk counts the expected status %d as an error; use --engine=native", plan.Workload.Expect.Status)
	}
	return nil
}

// writeScript puts our script where wrk can read it. The method has no flag in
// wrk; it is a token, so it can stand in quotes.
func writeScript(method string) (path string, remove func(), err error) {
	file, err := os.CreateTemp("", "restbench-wrk-*.lua")
	if err != nil {
		return "", nil, fmt.Errorf("write the script for wrk: %w", err)
	}
	remove = func() { _ = os.Remove(file.Name()) }
	_, err = fmt.Fprintf(file, "wrk.method = %q\n%s", method, wrkScript)
	if err = errors.Join(err, file.Close()); err != nil {
		remove()
		return "", nil, fmt.Errorf("write the script for wrk: %w", err)
	}
	return file.Name(), remove, nil
}

func wrkArguments(path, script string, plan bench.Plan) []string {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d/time.Second)) + "s" }
	argv := []string{
		path, "--duration", seconds(plan.Duration), "--threads", strconv.Itoa(plan.Threads),
		"--connections", strconv.Itoa(plan.Connections), "--timeout", seconds(timeoutOf(plan)), "--script", script,
	}
	headers := plan.Workload.Request.Headers
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		sent := name
		if isHost(name) {
			sent = "Host" // wrk adds one of its own to any other spelling
		}
		argv = append(argv, "--header", sent+": "+headers[name])
	}
	return append(argv, "http://"+plan.Address+pathOf(plan.Workload.Request))
}

// version asks wrk for its release. It answers with its usage and an exit status
// of 1, so only what it wrote counts. Distributions put their own words around the
// number: "wrk debian/4.1.0-3+b2 [epoll]".
func (w Wrk) version(ctx context.Context, path string) string {
	out, _ := w.Runner.Run(ctx, bench.Command{Name: "wrk", Argv: []string{path, "-v"}})
	return wrkVersion(append(out.Stdout, out.Stderr...))
}

func wrkVersion(text []byte) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if number := regexp.MustCompile(`\d+\.\d+\.\d+`).Find(line); number != nil {
		return string(number)
	}
	if fields := bytes.Fields(line); len(fields) > 1 && string(fields[0]) == "wrk" {
		return string(fields[1])
	}
	return "of unknown version"
}

// wrkReport is the line that our script prints. Times are in microseconds.
type wrkReport struct {
	Restbench int     `json:"restbench"` // format
	Requests  int64   `json:"requests"`  // whole answers of any status
	Duration  int64   `json:"duration"`
	Bytes     int64   `json:"bytes"`
	Connect   int64   `json:"connect"`
	Read      int64   `json:"read"`
	Write     int64   `json:"write"`
	Status    int64   `json:"status"` // answers from 400 on, counted in Requests too
	Timeout   int64   `json:"timeout"`
	P50       float64 `json:"p50"`
	P90       float64 `json:"p90"`
	P99       float64 `json:"p99"`
	P999      float64 `json:"p999"`
	Mean      float64 `json:"mean"`
}

func readWrk(output []byte, plan bench.Plan) (bench.Load, error) {
	var report wrkReport
	start := bytes.LastIndex(output, []byte("\n{\"restbench\":"))
	if start < 0 {
		return bench.Load{}, fmt.Errorf("read wrk's report: there is none: %s", shown(output))
	}
	if err := json.Unmarshal(output[start:], &report); err != nil {
		return bench.Load{}, fmt.Errorf("read wrk's report: %w: %s", err, shown(output[start:]))
	}
	if report.Restbench != 1 || report.Duration <= 0 {
		return bench.Load{}, fmt.Errorf("read wrk's report: it is incomplete: %s", shown(output[start:]))
	}
	return report.load(plan), nil
}

func (r wrkReport) load(plan bench.Plan) bench.Load {
	load := bench.Load{
		Requests: max(0, r.Requests-r.Status-r.Timeout), Duration: time.Duration(r.Duration) * time.Microsecond, Bytes: r.Bytes,
		Errors: map[bench.ErrorKind]int64{}, LatencyCorrected: true, BodyUnchecked: true,
	}
	for kind, n := range map[bench.ErrorKind]int64{
		bench.ErrorConnect: r.Connect, bench.ErrorRead: r.realReadErrors(plan.Connections), bench.ErrorWrite: r.Write,
		bench.ErrorStatus: r.Status, bench.ErrorTimeout: r.Timeout,
	} {
		if n > 0 {
			load.Errors[kind] = n
		}
	}
	if r.Requests > 0 {
		load.Quantiles = map[string]float64{
			"p50": r.P50 / 1e6, "p90": r.P90 / 1e6, "p99": r.P99 / 1e6, "p99.9": r.P999 / 1e6, "mean": r.Mean / 1e6,
		}
	}
	return load
}

// realReadErrors leaves out what wrk invents: it counts an answer whose body ends
// with its connection as whole and then, because the connection ended, as a read
// error too. So where there are as many read errors as answers, but for those
// under way at the end, there were none.
func (r wrkReport) realReadErrors(connections int) int64 {
	if gap := r.Requests - r.Read; r.Requests > int64(connections) && -int64(connections) <= gap && gap <= int64(connections) {
		return 0
	}
	return r.Read
}

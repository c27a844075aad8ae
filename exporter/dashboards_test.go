package exporter

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/need"
	"restbench/internal/report"
)

// Every query of every dashboard, its variables filled in, returns data from a
// real Prometheus that has scraped this exporter, or is rightly empty.
func TestDashboardsShowData(t *testing.T) {
	e := newExporter(t, options())
	for id := range int64(4) { // as many as the host index asks for
		playWithControl(e, id+1, 3)
	}
	e.SetChanges(wholeChanges())
	upgrades := allUpgrades(options().Targets)
	upgrades[0].Accepted = &report.Acceptance{At: noon()}
	e.SetUpgrades(upgrades)
	addresses, _ := serve(t, e, flags("", "127.0.0.1:0"))
	p := startPrometheus(t, addresses[0])
	p.waitFor(`min(count_over_time(restbench_responses_total[1m])) > 1`)
	playWithControl(e, 5, 4) // counters rise while they are watched, and the newest measurement is another
	p.waitFor(`min(increase(restbench_responses_total[1m])) > 0`)
	queries := dashboardQueries(t)
	if len(queries) < 100 {
		t.Fatalf("only %d queries", len(queries))
	}
	for where, expr := range queries {
		n, err := p.ask(expr)
		reason := rightlyEmpty(expr)
		switch {
		case err != nil:
			t.Errorf("%s: %v\n%s", where, err, expr)
		case n == 0 && reason == "":
			t.Errorf("%s is empty:\n%s", where, expr)
		case n > 0 && reason != "":
			t.Errorf("%s has data, though %s: take it off the list\n%s", where, reason, expr)
		case strings.Contains(expr, "change_accepted") && n != 2:
			t.Errorf("%s finds %d of the accepted changes, want that of a target and that of the machine", where, n)
		}
	}
	p.checkSelectors(queries, 20)
	p.checkNumbers(queries)
}

// wholeChanges has changes of a whole edition, too, and a target of which no change
// can be promised in three campaigns.
func wholeChanges() Changes {
	c := sampleChanges()
	c.History.Changes = append(c.History.Changes, changed(field(), -0.08, change.ScopeInterpreter), changed(field(), 0.04, change.ScopeInterpreter))
	delete(c.History.Targets[0].Detectable, 3)
	return c
}

// checkNumbers looks at single numbers that people act upon.
func (p prometheusServer) checkNumbers(queries map[string]string) {
	p.t.Helper()
	wants := map[string]string{
		"changes.json Slower": "2", "changes.json Faster": "2", "comparison.json Slower than before": "2", // one of them of a whole edition
		"changes.json Slower upgrades":               "1",          // the other one is accepted
		"changes.json Seen in 3 campaigns, at worst": "1000000000", // not of all
	}
	place := regexp.MustCompile(`^(\w+\.json).*\.panels\[\d+\] (.*)\.targets\[\d+\]$`)
	for where, expr := range queries {
		panel := place.ReplaceAllString(where, "$1 $2")
		want, ok := wants[panel]
		if !ok {
			continue
		}
		delete(wants, panel)
		series, err := p.series(expr)
		if err != nil || len(series) != 1 || len(series[0].Value) != 2 || series[0].Value[1] != want {
			p.t.Errorf("%s shows %v, %v, want %s", panel, series, err, want)
		}
	}
	if len(wants) > 0 {
		p.t.Errorf("no panels %v", wants)
	}
}

// playWithControl plays a campaign in which every round finds something else.
func playWithControl(e *Exporter, id int64, rounds int) {
	control := bench.ControlTarget(bench.ControlGo)
	p := begin(e, campaign(id, short(), sanic(), flask(), control))
	for round := 1; round <= rounds; round++ {
		rate := 9000 + 1000*float64(round)
		p.round(measured(sanic(), round, rate), measured(flask(), round, rate/10), measured(control, round, 5*rate))
	}
	p.finish(bench.StateFinished)
}

// checkSelectors asks for each metric of the queries with its labels alone: in a
// query, one that finds nothing may stand behind an "or".
func (p prometheusServer) checkSelectors(queries map[string]string, least int) {
	p.t.Helper()
	selector := regexp.MustCompile(`\b(restbench_[a-z0-9_]+)\{[^{}]*\}`)
	asked := map[string]bool{}
	for where, expr := range queries {
		for _, m := range selector.FindAllStringSubmatch(expr, -1) {
			native := m[1] == "restbench_request_duration_seconds" // not scraped by default; the classic one stands behind "or"
			if asked[m[0]] || native {
				continue
			}
			asked[m[0]] = true
			if n, err := p.ask(m[0]); err != nil || n == 0 {
				p.t.Errorf("%s: %d series, %v: %s", where, n, err, m[0])
			}
		}
	}
	if len(asked) < least {
		p.t.Errorf("only %d selectors", len(asked))
	}
}

// rightlyEmpty says why a query has nothing to show here; "" for the others.
func rightlyEmpty(expr string) string {
	switch {
	case strings.Contains(expr, "ALERTS"):
		return "no rules are loaded"
	case strings.Contains(expr, "offset"):
		return "there is no past"
	case strings.HasSuffix(expr, "> 0"):
		return "nothing has failed"
	}
	return ""
}

// dashboardQueries are those of panels, annotations and variables, by place.
func dashboardQueries(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../grafana/dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$job", ".+", "$instance", ".+", "$edition", ".+", "$serving", ".+", "$framework", ".+",
		"$workload", ".+", "$window", "1d", "$__rate_interval", "1m", "$__interval", "1m")
	queries := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d map[string]any
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		walk(d, filepath.Base(file), func(where, expr string) { queries[where] = variables.Replace(expr) })
	}
	return queries
}

// walk tells every query below a value of JSON.
func walk(value any, where string, tell func(where, expr string)) {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			walk(item, fmt.Sprintf("%s[%d]", where, i), tell)
		}
	case map[string]any:
		if title, ok := v["title"].(string); ok {
			where += " " + title
		}
		if expr, ok := v["expr"].(string); ok {
			tell(where, expr)
		}
		if m := regexp.MustCompile(`^label_values\((.+), [a-z]+\)$`).FindStringSubmatch(fmt.Sprint(v["definition"])); m != nil {
			tell(where, m[1])
		}
		for key, item := range v {
			walk(item, where+"."+key, tell)
		}
	}
}

// prometheusServer is a real one.
type prometheusServer struct {
	t       *testing.T
	client  *http.Client
	address string
}

func startPrometheus(t *testing.T, scraped string) prometheusServer {
	t.Helper()
	program := need.Program(t, "prometheus", "prometheus")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := prometheusServer{t, newClient(t, nil), l.Addr().String()}
	l.Close()
	config := write(t, "prometheus.yml", fmt.Sprintf(
		"global: {scrape_interval: 1s}\nscrape_configs: [{job_name: restbench, static_configs: [{targets: [%q]}]}]\n", scraped))
	var log strings.Builder
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+p.address)
	cmd.Stderr, cmd.WaitDelay = &log, 5*time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the test's context has ended it
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return p
}

// sample is a series of an answer: Value is a time and a number, as text.
type sample struct{ Value []any }

// ask returns how many series a query has.
func (p prometheusServer) ask(expr string) (int, error) {
	series, err := p.series(expr)
	return len(series), err
}

func (p prometheusServer) series(expr string) ([]sample, error) {
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.address+"/api/v1/query?query="+url.QueryEscape(expr), nil)
	if err != nil {
		return nil, err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []sample }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", response.Status, answer.Error)
	}
	return answer.Data.Result, nil
}

// waitFor asks until there is an answer with something in it.
func (p prometheusServer) waitFor(expr string) {
	p.t.Helper()
	var n int
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if n, err = p.ask(expr); err == nil && n > 0 {
			return
		}
	}
	p.t.Fatalf("after a minute still nothing: %s (%v)", expr, err)
}

package grafana

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restbench/internal/need"
)

// filled has the variables in it that Grafana would put there.
func filled(expr string) string {
	return strings.NewReplacer(
		"$job", "restbench", "$instance", `127\\.0\\.0\\.1:10226`, "$edition", "(2020|current)", "$serving", "documented",
		"$framework", ".+", "$workload", "hello", "$window", "1d", "$__rate_interval", "1m", "$__interval", "1m",
	).Replace(expr)
}

// asked is every query of every panel, annotation and variable.
func asked(t *testing.T) []query {
	t.Helper()
	var all []query
	for _, d := range dashboards(t) {
		all = append(all, d.queries()...)
		for _, v := range d.Templating.List {
			if m := labelValues.FindStringSubmatch(v.text()); m != nil {
				all = append(all, query{d.file + ": variable " + v.Name, m[1]})
			}
		}
	}
	return all
}

func TestPrometheusUnderstandsEveryQuery(t *testing.T) {
	address := startPrometheus(t)
	all := asked(t)
	if len(all) < 100 {
		t.Fatalf("only %d queries", len(all))
	}
	for _, q := range all {
		expr := filled(q.expr)
		if strings.Contains(expr, "$") {
			t.Errorf("%s: a variable is left in %s", q.where, expr)
		}
		if err := ask(t.Context(), address, expr); err != nil {
			t.Errorf("%s: %v\n%s", q.where, err, expr)
		}
	}
}

// The test above can fail.
func TestPrometheusRefusesABrokenQuery(t *testing.T) {
	if err := ask(t.Context(), startPrometheus(t), `sum by (framework (up)`); err == nil {
		t.Error("a broken query was taken")
	}
}

func ask(ctx context.Context, address, expr string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/api/v1/query?query="+url.QueryEscape(expr), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct{ Status, Error string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", response.Status, answer.Error)
	}
	return nil
}

// startPrometheus starts one that scrapes nothing and returns its address.
func startPrometheus(t *testing.T) string {
	t.Helper()
	program := need.Program(t, "prometheus", "prometheus")
	dir, address := t.TempDir(), freeAddress(t)
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("scrape_configs: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stderr = &log
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the test's context has ended it
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	ready(t, "http://"+address+"/-/ready")
	return address
}

func ready(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(url)
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("%s is not ready within a minute", url)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

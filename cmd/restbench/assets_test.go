//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAssetsAreWrittenWithTheAddressesOfTheUser(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "monitoring")
	got := restbench(t.Context(), t, "assets", dir, "--grafana-url=https://grafana.lab/", "--runbook-url=https://wiki.lab/runbooks")
	if got.code != exitDone {
		t.Fatalf("assets: %+v", got)
	}
	rules := read(t, filepath.Join(dir, "prometheus/rules/alerts.yml"))
	if !strings.Contains(rules, "https://grafana.lab/d/restbench-") || !strings.Contains(rules, "https://wiki.lab/runbooks#") {
		t.Error("the rules do not have the given addresses")
	}
	if strings.Contains(rules, shippedRunbook) || strings.Contains(rules, shippedGrafana) {
		t.Error("the rules still have shipped addresses")
	}
	var dashboard struct{ UID string }
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "grafana/dashboards/comparison.json"))), &dashboard); err != nil || dashboard.UID == "" {
		t.Errorf("the dashboard is %+v, %v", dashboard, err)
	}
	for _, name := range []string{"runbooks.md", "prometheus/scrape.yml", "prometheus/alertmanager.yml", "grafana/provisioning/dashboards/restbench.yml"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestAssetsDoNotDestroyWhatWasEdited(t *testing.T) {
	dir := t.TempDir()
	if got := restbench(t.Context(), t, "assets", dir); got.code != exitDone {
		t.Fatalf("assets: %+v", got)
	}
	edited, gone := filepath.Join(dir, "prometheus/rules/alerts.yml"), filepath.Join(dir, "prometheus/scrape.yml")
	rewrite(t, edited, "mine")
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	got := restbench(t.Context(), t, "assets", dir)
	if got.code != exitFailed || !strings.Contains(got.err, edited) || read(t, edited) != "mine" {
		t.Errorf("over an edited file: %+v", got)
	}
	if strings.Contains(got.err, "recording.yml") {
		t.Errorf("a file that is as shipped is named: %s", got.err)
	}
	if _, err := os.Stat(gone); err != nil {
		t.Errorf("a file that was not there: %v", err)
	}
	if got := restbench(t.Context(), t, "assets", dir, "--force"); got.code != exitDone || read(t, edited) == "mine" {
		t.Errorf("with --force: %+v", got)
	}
}

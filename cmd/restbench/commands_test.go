//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestListNamesEveryFrameworkWithItsVersions(t *testing.T) {
	got := restbench(t.Context(), t, "list", "--format=json")
	var all []listed
	if err := json.Unmarshal([]byte(got.out), &all); err != nil || got.code != exitDone {
		t.Fatalf("list: %v %+v", err, got)
	}
	for _, f := range all {
		if f.Framework != "flask" {
			continue
		}
		if f.Editions["2020"].Version != "1.1.2" || f.Editions["2020"].Python != "3.8" || f.Source == "" {
			t.Errorf("flask is %+v", f)
		}
		return
	}
	t.Error("flask is not listed")
}

func TestLoadSpeaksJSONAndSendsHeaders(t *testing.T) {
	isolated(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "a: b" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	got := restbench(t.Context(), t, "load", server.URL, "-d", "1", "-t", "1", "-c", "2", "-H", "X-Key: a: b", "--format=json", "--storage.path="+t.TempDir())
	var result struct {
		Requests int64              `json:"requests"`
		Duration float64            `json:"duration_seconds"`
		Errors   map[string]int64   `json:"errors"`
		Latency  map[string]float64 `json:"latency_seconds"`
	}
	if err := json.Unmarshal([]byte(got.out), &result); err != nil {
		t.Fatalf("load: %v %+v", err, got)
	}
	if result.Requests == 0 || result.Duration < 1 || result.Errors["status"] != 0 || result.Latency["p50"] <= 0 {
		t.Errorf("load of a server that wants a header: %+v", result)
	}
	if len(result.Errors) != 8 {
		t.Errorf("errors are %v, want all 8 kinds", result.Errors)
	}
}

// A Host of the user's own is the only one, however it is spelled.
func TestLoadSendsOneHost(t *testing.T) {
	for _, name := range []string{"Host", "host"} {
		c := loadCommand{url: "http://127.0.0.1:8000/", duration: time.Second, threads: 1, connections: 1, headers: map[string]string{name: "x"}}
		plan, err := c.plan()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{name: "x"}, plan.Workload.Request.Headers); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
	}
}

func TestCheckLooksAtConfigurationAndMachine(t *testing.T) {
	state := isolated(t)
	got := restbench(t.Context(), t, "check", "--storage.path="+state, "--config.file="+ownTargets(t, "alpha"), "--format=json")
	var findings []struct{ Name, Level, Detail string }
	if err := json.Unmarshal([]byte(got.out), &findings); err != nil {
		t.Fatalf("check: %v %+v", err, got)
	}
	seen := map[string]string{}
	for _, f := range findings {
		seen[f.Name] = f.Detail
	}
	if !strings.Contains(seen["campaign"], "1 targets, protocol short") || seen["disk"] == "" || seen["wrk"] == "" {
		t.Errorf("check found %v", seen)
	}
}

func TestHealthcheckOfAHealthyDaemon(t *testing.T) {
	d := startDaemon(t, isolated(t), ownTargets(t, "alpha"))
	if got := restbench(t.Context(), t, "healthcheck", "--url="+d.url+"/-/healthy"); got.code != exitDone || got.err != "" {
		t.Errorf("healthcheck: %+v", got)
	}
}

func TestVersionAndHelpGoToStdout(t *testing.T) {
	if got := restbench(t.Context(), t, "--version"); got.code != exitDone || !strings.HasPrefix(got.out, "restbench ") || got.err != "" {
		t.Errorf("--version: %+v", got)
	}
	if got := restbench(t.Context(), t, "--help"); got.code != exitDone || !strings.Contains(got.out, "serve") {
		t.Errorf("--help: %+v", got)
	}
}

// The commands of the documentation are understood by the program.
func TestDocumentedCommandsParse(t *testing.T) {
	command := regexp.MustCompile("(?m)(?:^    |`)(?:go run ./cmd/restbench|restbench) ([a-z][^`\n]*)")
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range command.FindAllStringSubmatch(string(text), -1) {
			found++
			checkParses(t, file, m[1])
		}
	}
	if found < 10 {
		t.Errorf("only %d commands were found in the documentation", found)
	}
}

// checkParses leaves the synopsis out: placeholders in capitals and brackets,
// what stands behind two blanks, and where output goes.
func checkParses(t *testing.T, file, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, "  ")
	line, _, _ = strings.Cut(line, " >")
	var args []string
	for _, arg := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		if arg = strings.Trim(arg, "'"); !strings.ContainsAny(arg, "[]") {
			args = append(args, arg)
		}
	}
	if _, err := parse(args, streams{strings.NewReader(""), &strings.Builder{}, &strings.Builder{}}); err != nil {
		t.Errorf("%s: %q: %v", file, line, err)
	}
}

package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"restbench/internal/bench"
)

func TestLoadReadsEveryKey(t *testing.T) {
	got, err := Load("testdata/good.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Schedule:   "30 2 * * *",
		Editions:   []string{"current", "2020"},
		Frameworks: []string{"flask", "sanic"},
		Controls:   bench.Controls(),
		Pinning:    "none",
		IdleStates: IdleAny,
		Pythons:    []string{"/opt/python3.8/bin/python3.8"},
		Latest:     Latest{Schedule: "@weekly", MinAge: 24 * time.Hour, AllowSource: true, Threshold: 0.1, Precision: 0.02, Time: 5 * time.Minute},
		Protocol: bench.Protocol{Name: "quick", Rounds: 3, Duration: 2 * time.Second, Threads: 1, Connections: 8,
			Order: bench.OrderShuffled, Warmup: 500 * time.Millisecond, Engine: bench.EngineNative},
		Targets: []Target{{
			Name: "my-service", Version: "1.4", Command: []string{"/srv/my/bin/serve", "--port", "{port}"}, Dir: "/srv/my",
			Env:     map[string]string{"MODE": "production"},
			Request: bench.Request{Method: "GET", Path: "/health", Headers: map[string]string{"Accept": "application/json"}},
			Expect:  Expect{Status: 200, ContentType: "application/json", Body: new(`{"ok":true}`)},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestNoFileAndEmptyFileAreTheDefaults(t *testing.T) {
	for _, path := range []string{"", "testdata/empty.yml"} {
		got, err := Load(path)
		if err != nil {
			t.Fatalf("Load(%q): %v", path, err)
		}
		if diff := cmp.Diff(Default(), got); diff != "" {
			t.Errorf("Load(%q) (-default +got):\n%s", path, diff)
		}
	}
}

func TestATargetNeedsOnlyNameAndCommand(t *testing.T) {
	c, err := Parse("x", []byte("editions: []\ntargets: [{name: a, command: [serve], env: {PORT: '{port}'}}]"))
	if err != nil {
		t.Fatal(err)
	}
	want := bench.Request{Method: "GET", Path: "/"}
	if diff := cmp.Diff(want, c.Targets[0].Request); diff != "" {
		t.Errorf("default request (-want +got):\n%s", diff)
	}
	if c.Targets[0].Expect.Status != 200 {
		t.Errorf("default status is %d, want 200", c.Targets[0].Expect.Status)
	}
}

func TestBadFilesAreToldInOneLine(t *testing.T) {
	tests := map[string]string{
		"missing.yml":                 "read configuration: open testdata/missing.yml: no such file or directory",
		"invalid-unknown-key.yml":     `testdata/invalid-unknown-key.yml:3: unknown key "roundz" (known here: name, rounds, duration, threads, connections, order, warmup, engine, restart, precision, limit)`,
		"invalid-unknown-top-key.yml": `testdata/invalid-unknown-top-key.yml:1: unknown key "shedule" (known here: schedule, editions, frameworks, protocol, pinning, idle_states, pythons, targets, controls, latest)`,
		"invalid-rounds-word.yml":     "testdata/invalid-rounds-word.yml:2: cannot unmarshal !!str `many` into int",
		"invalid-unnamed-protocol.yml": `testdata/invalid-unnamed-protocol.yml: protocol: these are not the parameters of "classic"; ` +
			`give them a name of their own (name: ...)`,
		"invalid-classic-changed.yml": `testdata/invalid-classic-changed.yml: protocol: "classic" is the publication's ` +
			`(10 rounds of 10s, 5 threads, 20 connections, fixed order, no warm-up); give other parameters another name`,
		"invalid-no-rounds.yml":        "testdata/invalid-no-rounds.yml: protocol: rounds is 0, must be 1 to 10000",
		"invalid-latest-age.yml":       "testdata/invalid-latest-age.yml: latest: min_age is -1h0m0s, must be 0s to 87600h0m0s; 72h is three days",
		"invalid-latest-key.yml":       `testdata/invalid-latest-key.yml:1: unknown key "age" (known here: schedule, min_age, allow_source, threshold, precision, time)`,
		"invalid-latest-precision.yml": "testdata/invalid-latest-precision.yml: latest: precision is 0, must be above 0 and below 1; 0.03 is 3 %",
		"invalid-latest-threshold.yml": "testdata/invalid-latest-threshold.yml: latest: threshold is 5, must be above 0 and below 1; 0.05 is 5 %",
		"invalid-latest-time.yml":      "testdata/invalid-latest-time.yml: latest: time is 10ms, must be 1s to 24h",
		"invalid-control.yml":          `testdata/invalid-control.yml: controls: "rust" is none; there are go, wsgi, asgi`,
		"invalid-precision.yml":        "testdata/invalid-precision.yml: protocol: precision is 3, must be 0 (all rounds) to below 1; 0.03 is 3 %",
		"invalid-order.yml":            `testdata/invalid-order.yml: protocol: order is "random", must be fixed, rotated or shuffled`,
		"invalid-engine.yml":           `testdata/invalid-engine.yml: protocol: engine is "ab", must be native or wrk`,
		"invalid-wrk-duration.yml":     "testdata/invalid-wrk-duration.yml: protocol: duration is 500ms and warmup 0s, wrk measures whole seconds only",
		"invalid-connections.yml":      "testdata/invalid-connections.yml: protocol: connections is 4, must be 8 (one a thread) to 10000",
		"invalid-no-port.yml":          `testdata/invalid-no-port.yml: targets[0] "a": command: must use {port}, in an argument or in env`,
		"invalid-idle.yml":             `testdata/invalid-idle.yml: idle_states: "poll" is neither auto nor any`,
		"invalid-signal.yml":           `testdata/invalid-signal.yml: targets[0] "a": signal: "latency" is none; there are requests_per_second and server_cpu_seconds_per_request`,
		"invalid-request-header.yml":   `testdata/invalid-request-header.yml: targets[0] "a": request: header "X-A" is not a header`,
		"invalid-request-method.yml":   `testdata/invalid-request-method.yml: targets[0] "a": request: method "HEAD" is not supported`,
		"invalid-request-path.yml":     `testdata/invalid-request-path.yml: targets[0] "a": request: path "/a b" is not a path: it starts with / and has no blanks and only ASCII`,
		"invalid-twice.yml":            `testdata/invalid-twice.yml: targets[1] "a": this name is taken by an earlier target`,
		"invalid-target-name.yml":      `testdata/invalid-target-name.yml: targets[0] "A b": name: must be lower-case letters, digits, '.', '_' or '-', 63 at most`,
		"invalid-expect-key.yml":       `testdata/invalid-expect-key.yml:4: unknown key "state" (known here: status, content_type, body)`,
		"invalid-syntax.yml":           "testdata/invalid-syntax.yml:1: did not find expected node content",
		"invalid-two-documents.yml":    "testdata/invalid-two-documents.yml: more than one YAML document; keep the first",
		"invalid-nothing.yml":          "testdata/invalid-nothing.yml: editions: nothing to measure; name an edition, frameworks or targets",
	}
	for file, want := range tests {
		_, err := Load("testdata/" + file)
		if err == nil {
			t.Errorf("%s: no error, want %q", file, want)
			continue
		}
		if err.Error() != want {
			t.Errorf("%s:\n got %s\nwant %s", file, err, want)
		}
	}
	files, _ := filepath.Glob("testdata/invalid-*.yml")
	for _, file := range files {
		if _, ok := tests[filepath.Base(file)]; !ok {
			t.Errorf("%s has no row in this table", file)
		}
	}
}

// A framework may be named with no edition: it is measured in all that it has.
func TestFrameworksAloneAreEnough(t *testing.T) {
	c, err := Parse("x.yml", []byte("editions: []\nframeworks: [sanic]\n"))
	if err != nil || len(c.Editions) != 0 || len(c.Frameworks) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzParseNeverPanicsAndTellsOneLine(f *testing.F) {
	f.Add("schedule: '@daily'")
	f.Add("protocol: {rounds: 1e9}")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse("f", []byte(text)); err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Error("empty error")
		}
	})
}

// The example in the documentation shows every key with its default.
func TestTheDocumentedExampleHoldsTheDefaults(t *testing.T) {
	c, err := Load("../../docs/restbench.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Targets) != 1 {
		t.Errorf("the example has %d targets, want 1", len(c.Targets))
	}
	c.Targets = nil
	if diff := cmp.Diff(Default(), c, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("example (-default +example):\n%s", diff)
	}
}

func TestTheDocumentedExampleNamesEveryKey(t *testing.T) {
	text, err := os.ReadFile("../../docs/restbench.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []any{Config{}, Target{}, Latest{}, bench.Protocol{}, bench.Request{}, Expect{}} {
		for _, key := range keys(reflect.TypeOf(value)) {
			if !strings.Contains(string(text), key+":") {
				t.Errorf("key %s of %T is not in the example", key, value)
			}
		}
	}
}

func TestAdaptiveNeedsOnlyItsName(t *testing.T) {
	c, err := Parse("f", []byte("protocol: {name: adaptive}"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bench.Adaptive(), c.Protocol); diff != "" {
		t.Error(diff)
	}
	if _, err := Parse("f", []byte("protocol: {name: adaptive, rounds: 5}")); err == nil {
		t.Error("adaptive with other parameters is accepted")
	}
}

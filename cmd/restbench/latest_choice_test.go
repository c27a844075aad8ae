//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/frameworks"
	"restbench/internal/config"
	"restbench/internal/environment"
)

// The one line that switches the edition on, with and without names.
func TestSplitNames(t *testing.T) {
	type split struct {
		OfLatest, OfOthers, Others []string
		All                        bool
	}
	for _, test := range []struct {
		names, editions []string
		want            split
	}{
		{nil, []string{"current"}, split{Others: []string{"current"}}},
		{nil, []string{"current", "latest"}, split{Others: []string{"current"}, All: true}},
		{nil, []string{"latest"}, split{Others: []string{}, All: true}},
		{[]string{"a"}, []string{"latest"}, split{OfLatest: []string{"a"}, Others: []string{}}},
		{[]string{"a"}, []string{"2020", "latest"}, split{[]string{"a"}, []string{"a"}, []string{"2020"}, false}},
		{[]string{"a@latest", "b"}, []string{"current"}, split{[]string{"a@latest"}, []string{"b"}, []string{"current"}, false}},
		{[]string{"a@2020"}, []string{"latest"}, split{nil, []string{"a@2020"}, []string{}, false}},
		{[]string{"a"}, nil, split{OfOthers: []string{"a"}}},
	} {
		var got split
		got.OfLatest, got.OfOthers, got.Others, got.All = splitNames(test.names, test.editions)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%v of %v (-want +got):\n%s", test.names, test.editions, diff)
		}
	}
}

// What is switched on is chosen in every command; a mistake is one line.
func TestEditionLatestIsChosen(t *testing.T) {
	state := isolated(t)
	for file, want := range map[string]string{
		"editions: [latest]\nframeworks: [flask]\ncontrols: []\n":                                               "1 targets",
		"editions: [current, latest]\nframeworks: [flask, sanic]\n":                                             "4 targets",
		"editions: [current, latest]\nframeworks: [flask, sanic@latest]\n":                                      "3 targets",
		"editions: [current, latest]\n":                                                                         "22 targets",
		"editions: [latest]\nlatest: {schedule: never}\n":                                                       `latest: schedule "never"`,
		"editions: [latest]\nframeworks: [flusk]\n":                                                             "did you mean flask",
		"editions: [latest]\nframeworks: [flask@latest, own]\ntargets: [{name: own, command: [x, '{port}']}]\n": "2 targets",
	} {
		got := restbench(t.Context(), t, "serve", "--config.check", "--storage.path="+state, "--config.file="+writeFile(t, "restbench.yml", file))
		if !strings.Contains(got.out+got.err, want) {
			t.Errorf("%q: %+v, want %q", file, got, want)
		}
	}
}

// The catalogue says whether the edition is measured, and on what.
func TestTheListShowsTheEditionLatest(t *testing.T) {
	state := isolated(t)
	list := func(text string, more ...string) outcome {
		return restbench(t.Context(), t, append([]string{"list", "--storage.path=" + state, "--config.file=" + writeFile(t, "restbench.yml", text)}, more...)...)
	}
	const on = "editions: [current, latest]\nframeworks: [flask]\n"
	checkCell(t, list("editions: [current]\n"), "latest (off)", "")
	checkCell(t, list(on), "latest (not resolved yet)", "not resolved yet")
	if got := list("editions: [newest]\nlatest: {schedul: x}\n"); got.code != exitFailed || strings.Count(got.err, "\n") != 1 || !strings.Contains(got.err, "schedul") {
		t.Errorf("a mistake in the configuration: %+v", got)
	}
	keepLock(t, state, "flask", "flask==3.9.9 \\\n    --hash=sha256:00\n")
	checkCell(t, list(on), "latest (on)", "3.9.9")
	if err := (latest{dir: filepath.Join(state, "latest")}).noteAsked(); err != nil {
		t.Fatal(err)
	}
	checkCell(t, list(on), "latest (asked 20", "3.9.9")
	checkCell(t, list("editions: [current]\n"), "latest (off)", "")
	var all []listed
	if err := json.Unmarshal([]byte(list(on, "--format=json").out), &all); err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		e, measured := f.Editions["latest"]
		if measured != (f.Framework == "flask") || measured && (e.Version != "3.9.9" || e.Python != "3.13" || e.Server == "") {
			t.Errorf("%s: %t, %+v", f.Framework, measured, e)
		}
	}
	keepLock(t, state, "flask", "not a lock\n")
	if got := list(on); got.code != exitFailed || !strings.Contains(got.err, "lock.txt") {
		t.Errorf("with a damaged file: %+v", got)
	}
}

func keepLock(t *testing.T, state, framework, lock string) {
	t.Helper()
	path := filepath.Join(state, "latest", framework, lockFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	rewrite(t, path, lock)
}

// checkCell looks below the heading of a column that begins so, in flask's row.
func checkCell(t *testing.T, got outcome, column, want string) {
	t.Helper()
	lines := strings.Split(got.out, "\n")
	at := strings.Index(lines[0], column)
	row := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "flask ") })
	if at < 0 || row < 0 {
		t.Errorf("no column %q or no row: %+v", column, got)
		return
	}
	if cell, _, _ := strings.Cut(lines[row][at:], "  "); cell != want {
		t.Errorf("below %q: %q, want %q", column, cell, want)
	}
}

// Where nothing is built, what has no wheel is asked for in the release that is locked.
func TestWheelsAndWhatIsLockedAreAskedFor(t *testing.T) {
	eve := frameworks.Other{Requirements: []string{"eve"}, Sources: []string{"events==0.3"}}
	eve.Recipe.Built = []string{"events"}
	for allowed, want := range map[bool]environment.ResolveRequest{
		false: {Requirements: []string{"eve", "events==0.3"}, Wheels: true, Built: []string{"events"}},
		true:  {Requirements: []string{"eve"}},
	} {
		if diff := cmp.Diff(want, latest{rules: config.Latest{AllowSource: allowed}}.request(eve)); diff != "" {
			t.Errorf("allow_source %t (-want +got):\n%s", allowed, diff)
		}
	}
}

// Who lacks a wheel hears how to do without; everything else stays as it is.
func TestALackOfWheelsIsExplained(t *testing.T) {
	lack, other := errors.New("events==0.3 has no usable wheels"), errors.New("events was not found")
	only, both := latest{}, latest{rules: config.Latest{AllowSource: true}}
	if err := only.explained(lack); !errors.Is(err, lack) || !strings.Contains(err.Error(), "allow_source: true") {
		t.Errorf("wheels only: %v", err)
	}
	for _, err := range []error{only.explained(other), both.explained(lack)} {
		if strings.Contains(err.Error(), "allow_source") {
			t.Errorf("the setting does not help: %v", err)
		}
	}
}

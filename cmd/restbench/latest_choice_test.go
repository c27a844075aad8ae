//go:build linux && (amd64 || arm64)

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

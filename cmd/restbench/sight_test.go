//go:build linux && (amd64 || arm64)

package main

import (
	"strings"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/host"
)

// check warns where the alert RestbenchTooNoisy fires, and there alone: a target
// of which no change can be promised is not one of which too little is known.
func TestCheckWarnsWhereTheAlertFires(t *testing.T) {
	flask := bench.Target{Framework: "flask", Edition: bench.EditionCurrent}
	for name, test := range map[string]struct {
		seen []change.Sight
		want host.Level
		says string
	}{
		"never measured":           {nil, host.LevelOK, "not known yet"},
		"learning":                 {[]change.Sight{{Target: flask, Learning: true}}, host.LevelOK, "not known yet"},
		"learning, little sight":   {[]change.Sight{{Target: flask, Learning: true, Detectable: map[int]float64{3: 0.3}}}, host.LevelOK, "30 % in 3 campaigns; still learning"},
		"good sight":               {[]change.Sight{{Target: flask, Detectable: map[int]float64{3: 0.06}}}, host.LevelOK, "6.0 % in 3 campaigns"},
		"little sight":             {[]change.Sight{{Target: flask, Detectable: map[int]float64{3: 0.125}}}, host.LevelWarn, "12 % in 3 campaigns"},
		"none so soon":             {[]change.Sight{{Target: flask, Detectable: map[int]float64{10: 0.08}}}, host.LevelWarn, "none for sure in 3 campaigns (8.0 % in 10)"},
		"none within any of these": {[]change.Sight{{Target: flask}}, host.LevelWarn, "none for sure in 3 campaigns"},
	} {
		got := sightFinding(flask, change.History{Targets: test.seen})
		if got.Level != test.want || !strings.Contains(got.Detail, test.says) {
			t.Errorf("%s: %+v, want %v and %q", name, got, test.want, test.says)
		}
	}
}

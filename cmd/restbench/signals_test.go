//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/csv"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/stats"
)

const (
	roundsOfCampaign = 10
	follows          = 0.5 // correlation with the field from which a signal tells of what happens to a target
)

// levels are the values of one signal, in ln and so that more is faster, by framework
// and campaign.
type levels map[string][]float64

// A machine on which nothing was changed tells by which signal a framework is to be
// judged: by its requests, which users notice, if they follow what the machine does to
// all others. Where they do not, something else makes them. It prints the table of
// docs/change-detection.md.
func TestSignalsAreChosenByTheFigures(t *testing.T) {
	requests, cpu := quietMachine(t)
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		r, c := requests.seen(name), cpu.seen(name)
		t.Logf("| %s | %.2f | %.1f %% | %.2f | %.1f %% |", name, r.follows, 100*r.scatter, c.follows, 100*c.scatter)
		want := bench.SignalRequests
		if r.follows < follows {
			want = bench.SignalServerCPU
		}
		if got := signalOf(t, name); got != want {
			t.Errorf("%s is judged by %s, but its requests follow the field by %.2f", name, got, r.follows)
		}
	}
}

func signalOf(t *testing.T, name string) bench.Signal {
	t.Helper()
	catalogue, err := frameworks.Load()
	if err != nil {
		t.Fatal(err)
	}
	entry, err := catalogue.One(name + "@" + bench.EditionCurrent)
	if err != nil {
		t.Fatal(err)
	}
	return entry.Serving.Signal.OrDefault()
}

// quietMachine reads 220 rounds of all frameworks as campaigns of ten.
func quietMachine(t *testing.T) (requests, cpu levels) {
	t.Helper()
	file, err := os.Open("../../internal/stats/testdata/aa-rounds.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	requests, cpu = levels{}, levels{}
	rounds := map[string][2][]float64{}
	for _, row := range rows[1:] {
		name, seen := row[1], rounds[row[1]]
		seen[0], seen[1] = append(seen[0], number(t, row[2])), append(seen[1], 1/number(t, row[4]))
		if len(seen[0]) == roundsOfCampaign {
			requests[name] = append(requests[name], math.Log(stats.Median(seen[0])))
			cpu[name] = append(cpu[name], math.Log(stats.Median(seen[1])))
			seen = [2][]float64{}
		}
		rounds[name] = seen
	}
	return requests, cpu
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// seen is how a framework goes with the others: the correlation with their movement, and
// the standard deviation of what remains when that is taken out.
type seen struct{ follows, scatter float64 }

func (l levels) seen(name string) seen {
	moved := make([]float64, len(l[name]))
	left := make([]float64, len(l[name]))
	for campaign, value := range l[name] {
		var others []float64
		for other, values := range l {
			if other != name {
				others = append(others, values[campaign]-stats.Median(values))
			}
		}
		moved[campaign] = stats.Median(others)
		left[campaign] = value - moved[campaign]
	}
	return seen{stat.Correlation(l[name], moved, nil), stat.StdDev(left, nil)}
}

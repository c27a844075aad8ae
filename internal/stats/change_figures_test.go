package stats_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"restbench/internal/stats"
)

// The published figures of the detector are printed by
//
//	go test ./internal/stats -run '^$' -bench FalseAlerts -benchtime 60000x
//	go test ./internal/stats -run '^$' -bench Delay -benchtime 2000x
//
// where one iteration is one campaign of 11 series, or one injected change.

const (
	historyLength = 60 // campaigns, from a cold start
	beforeChange  = 20
	afterChange   = 30
)

type namedScenario struct {
	name string
	stats.Scenario
}

func nullScenarios() []namedScenario {
	return []namedScenario{
		{"gaussian", stats.Scenario{}},
		{"t5", stats.Scenario{HeavyTails: true}},
		{"t5-dips", stats.Scenario{HeavyTails: true, Dips: true}},
		{"t5-dips-VM", stats.Scenario{HeavyTails: true, Dips: true, VM: true}},
		{"t5-dips-missing", stats.Scenario{HeavyTails: true, Dips: true, Missing: 0.09}},
		{"t5-dips-noisy", stats.Scenario{HeavyTails: true, Dips: true, Noisy: true}},
		{"t5-dips-drift", stats.Scenario{HeavyTails: true, Dips: true, Drift: -0.0005}},
	}
}

// tally counts what a detector reports where nothing has changed.
type tally struct {
	campaigns, slower, faster, environment int
	parts                                  int // of the environment: a part of the field, slower
}

// alerts are what would wake somebody up without a reason: the host does step here.
func (t tally) alerts() int { return t.slower + t.parts }

// count watches histories of nothing but noise.
func count(s stats.Scenario, campaigns int, seed uint64) tally {
	t := tally{campaigns: campaigns}
	random := rand.New(rand.NewPCG(seed, 20200810))
	var field *stats.Simulation
	var detector *stats.Detector
	for i := range campaigns {
		if i%historyLength == 0 {
			field = stats.NewSimulation(s, random)
			detector = stats.NewDetector(stats.SimulatedSeries, groupConfig())
		}
		for _, change := range detector.Observe(stats.Campaign{Values: field.Next()}) {
			switch change.Kind {
			case stats.BecameSlower:
				t.slower++
			case stats.BecameFaster:
				t.faster++
			case stats.NewEnvironment:
				t.environment++
				if change.Relative && change.CI95.High < 0 {
					t.parts++
				}
			}
		}
	}
	return t
}

// threshold lets the benchmarks print the figures of another threshold.
var threshold = flag.Float64("threshold", 0, "of a change, in standard deviations; 0 is the default of the detector")

func groupConfig() stats.Config { return stats.Config{Group: true, Threshold: *threshold} }

// poisson is the exact 95 % interval of a count.
func poisson(n int) (low, high float64) {
	if n > 0 {
		low = distuv.ChiSquared{K: 2 * float64(n)}.Quantile(0.025) / 2
	}
	return low, distuv.ChiSquared{K: 2 * float64(n+1)}.Quantile(0.975) / 2
}

func BenchmarkFalseAlerts(b *testing.B) {
	for _, s := range nullScenarios() {
		b.Run(s.name, func(b *testing.B) {
			t := count(s.Scenario, b.N, 1)
			low, high := poisson(t.alerts())
			perThousand := 1000 / float64(b.N)
			b.ReportMetric(float64(t.alerts())*perThousand, "slower/1000")
			b.ReportMetric(low*perThousand, "low95")
			b.ReportMetric(high*perThousand, "high95")
			b.ReportMetric(float64(t.faster)*perThousand, "faster/1000")
			b.ReportMetric(float64(t.environment)*perThousand, "environment/1000")
			b.ReportMetric(float64(t.parts)*perThousand, "parts-slower/1000")
		})
	}
}

// injection is what became of one slow-down.
type injection struct {
	delay   int // campaigns until it was reported, from 1; 0 if it never was
	onset   int // error
	covered bool
	others  int // changes of other series meanwhile
}

// inject lets one series slow down after a history of noise.
func inject(s stats.Scenario, share float64, random *rand.Rand) injection {
	field := stats.NewSimulation(s, random)
	detector := stats.NewDetector(stats.SimulatedSeries, groupConfig())
	for range beforeChange {
		detector.Observe(stats.Campaign{Values: field.Next()})
	}
	victim := random.IntN(stats.SimulatedSeries)
	field.Change(victim, 1-share)
	result := injection{}
	for delay := 1; delay <= afterChange; delay++ {
		for _, change := range detector.Observe(stats.Campaign{Values: field.Next()}) {
			switch {
			case change.Series == victim && change.Kind == stats.BecameSlower:
				result.delay, result.onset = delay, change.Onset-beforeChange
				result.covered = change.CI95.Contains(-share)
				return result
			case change.Series != stats.WholeField:
				result.others++
			}
		}
	}
	return result
}

// delays of injections that were found, and what else is to be said of them.
func delays(s stats.Scenario, share float64, n int) (all []injection) {
	random := rand.New(rand.NewPCG(2, uint64(share*1000)))
	for range n {
		all = append(all, inject(s, share, random))
	}
	return all
}

// medianDelay counts what was not found as later than all that was.
func medianDelay(all []injection) float64 {
	var sorted []float64
	for _, one := range all {
		if one.delay == 0 {
			one.delay = afterChange + 1
		}
		sorted = append(sorted, float64(one.delay))
	}
	return stats.Median(sorted)
}

func within(all []injection, campaigns int) float64 {
	n := 0
	for _, one := range all {
		if one.delay > 0 && one.delay <= campaigns {
			n++
		}
	}
	return float64(n) / float64(len(all))
}

// coveredShare is the share of intervals, of those that were found, that hold the truth.
func coveredShare(all []injection) float64 {
	found, covered := 0, 0
	for _, one := range all {
		if one.delay > 0 {
			found++
		}
		if one.covered {
			covered++
		}
	}
	return float64(covered) / float64(max(1, found))
}

func BenchmarkDelay(b *testing.B) {
	for _, s := range nullScenarios()[:4] {
		for _, share := range []float64{0.03, 0.05, 0.10, 0.20} {
			b.Run(fmt.Sprintf("%s/%g%%", s.name, 100*share), func(b *testing.B) {
				all := delays(s.Scenario, share, b.N)
				b.ReportMetric(medianDelay(all), "median")
				for _, campaigns := range []int{1, 2, 3, 5, 15} {
					b.ReportMetric(within(all, campaigns), fmt.Sprintf("within%d", campaigns))
				}
				reportRest(b, all)
			})
		}
	}
}

func reportRest(b *testing.B, all []injection) {
	var errors []float64
	others := 0
	for _, one := range all {
		others += one.others
		if one.delay == 0 {
			continue
		}
		errors = append(errors, float64(max(one.onset, -one.onset)))
	}
	slices.Sort(errors)
	if len(errors) > 0 {
		b.ReportMetric(errors[len(errors)*9/10], "onset-error-p90")
		b.ReportMetric(coveredShare(all), "covered")
	}
	b.ReportMetric(float64(others)/float64(len(all)), "others")
}

package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

// A field that shrinks to three, with or without another fingerprint, is judged again
// after a while: with the noise of the host in it, which nothing takes out any more.
// Until then nothing is promised.
func TestAFieldThatShrinksIsJudgedAnew(t *testing.T) {
	for _, environment := range []string{"a", "b"} {
		detector := stats.NewDetector(stats.SimulatedSeries, groupConfig())
		field := quietField(rand.New(rand.NewPCG(11, 20200810)))
		var changes []stats.Change
		for campaign := range 120 {
			values, now := field(), "a"
			if campaign >= 40 {
				now = environment
				for i := 3; i < len(values); i++ {
					values[i] = math.NaN()
				}
			}
			if campaign >= 90 {
				values[1] *= 0.7
			}
			for _, c := range detector.Observe(stats.Campaign{Values: values, Environment: now}) {
				if c.Onset != 40 {
					changes = append(changes, c)
				}
			}
			if want := environment == "b" || campaign < 41 || campaign >= 51; detector.Judging() != want {
				t.Errorf("campaign %d: judging is %t", campaign, !want)
			}
		}
		if c := wantOne(t, changes, 1, stats.BecameSlower); c.Onset != 90 || c.Reported > 93 {
			t.Errorf("%+v", c)
		}
		if share, ok := detector.Detectable(0, 10); !ok || share < 0.05 {
			t.Errorf("detectable %v, %t: the host moves by 3 %%", share, ok)
		}
		if _, ok := detector.Detectable(7, 10); ok || !detector.Learning(7) {
			t.Error("something is promised of what is gone")
		}
	}
}

// Three on a host that wanders are no more often wrong than a single series.
func TestFalseAlertsOfAFieldThatShrank(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 20200810))
	alarms := 0
	for range 150 {
		detector := stats.NewDetector(stats.SimulatedSeries, groupConfig())
		field := stats.NewSimulation(stats.Scenario{HeavyTails: true, VM: true}, random)
		for campaign := range 100 {
			values := field.Next()
			for i := 3; i < len(values) && campaign >= 30; i++ {
				values[i] = math.NaN()
			}
			for _, c := range detector.Observe(stats.Campaign{Values: values}) {
				if c.Kind == stats.BecameSlower && campaign >= 30 {
					alarms++
				}
			}
		}
	}
	if alarms > 5 { // in 10,500 campaigns
		t.Errorf("%d false alerts", alarms)
	}
}

//go:build linux && (amd64 || arm64)

package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/host"
	"restbench/internal/stats"
	"restbench/internal/store"
)

// seeding is a history that the simulator behind the published figures makes up:
// scheduled campaigns, one every three hours.
type seeding struct {
	campaign bench.Campaign // protocol, machine and participants of all
	engine   string
	idle     string    // deepest idle state that processors were left
	levels   []float64 // requests per second of each participant
	scatter  float64   // of a series from campaign to campaign, in ln
	last     time.Time // start of the last campaign
	n        int
	disturb  func(campaign, participant int) float64 // a factor; none when nil
}

// idleLimit is the deepest idle state that processors are left in campaigns here.
func idleLimit(t *testing.T) string {
	t.Helper()
	limit, err := host.LimitIdle()
	if err != nil {
		return ""
	}
	defer limit.Close()
	return (&host.Probe{}).Begin().End().IdleLimit
}

// ownSeeding is one of the targets of a configuration file, on this machine.
func ownSeeding(t *testing.T, file string, n int) seeding {
	t.Helper()
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s := seeding{
		campaign: bench.Campaign{Protocol: cfg.Protocol, Machine: host.Describe(version())},
		engine:   "native 2", idle: idleLimit(t), scatter: 0.01, last: time.Now().UTC().Add(-time.Hour), n: n,
	}
	for i, own := range cfg.Targets {
		s.campaign.Participants = append(s.campaign.Participants, bench.Participant{
			Target: ownTarget(own), Versions: bench.Versions{Framework: own.Version, Server: "a test"},
		})
		s.levels = append(s.levels, 1000*float64(i+1))
	}
	return s
}

// into writes the campaigns with the numbers from to to, without it.
func (s seeding) into(t *testing.T, history *store.Store, from, to int) {
	t.Helper()
	deviations := s.deviations()
	for n := from; n < to; n++ {
		c := s.campaign
		c.Kind, c.State, c.Rounds = bench.KindScheduled, bench.StateFinished, 5
		c.Started = s.last.Add(time.Duration(n-s.n+1) * 3 * time.Hour)
		c.Finished = c.Started.Add(10 * time.Minute)
		id, err := history.Begin(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range c.Participants {
			rate := s.levels[i] * math.Exp(deviations[n][i])
			if s.disturb != nil {
				rate *= s.disturb(n, i)
			}
			for round := 1; round <= c.Rounds; round++ {
				m := bench.Measurement{
					Campaign: id, Round: round, Position: i, Target: p.Target, Started: c.Started.Add(time.Duration(round) * time.Minute),
					Load:   bench.Load{Engine: s.engine, Requests: int64(100 * rate), Duration: 100 * time.Second},
					Server: bench.Usage{CPU: 50 * time.Second, Processes: 1}, Conditions: bench.Conditions{IdleLimit: s.idle},
				}
				if err := history.Record(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// deviations are those of a simulated field from its levels, in ln, by campaign:
// what all share as it is, and what each has for itself to the wished scatter.
func (s seeding) deviations() [][]float64 {
	simulation := stats.NewSimulation(stats.Scenario{HeavyTails: true, VM: true}, rand.New(rand.NewPCG(6, 2020)))
	all, means := make([][]float64, s.n), make([]float64, stats.SimulatedSeries)
	for n := range all {
		all[n] = simulation.Next()
		for i, v := range all[n] {
			all[n][i] = math.Log(v)
			means[i] += all[n][i] / float64(s.n)
		}
	}
	for _, values := range all {
		shared := 0.0
		for i := range values {
			values[i] -= means[i]
			shared += values[i] / stats.SimulatedSeries
		}
		for i := range values {
			values[i] = shared + (values[i]-shared)*s.scatter/simulation.Sigma(i)
		}
	}
	return all
}

package report

import (
	"fmt"
	"math"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Block is four measurements of one server: plain, changed, changed, plain, or
// the mirror of it, so that an even drift does the same to both.
type Block struct {
	Plain, Changed [2]bench.Measurement
}

// Effect is what a change of the conditions does to servers: changed ÷ plain.
type Effect struct {
	Targets []string
	Blocks  int          // of each server
	Rates   stats.Pooled // requests per second
	Costs   stats.Pooled // the servers' processor time per request
}

// NewEffect derives it from rounds in which every target had one block,
// rounds[r][t]. A measurement without a right answer has no ratio and is an error.
func NewEffect(targets []string, rounds [][]Block) (Effect, error) {
	e := Effect{Targets: targets, Blocks: len(rounds)}
	var rates, costs [][]float64
	for _, blocks := range rounds {
		var rate, cost []float64
		for t, b := range blocks {
			r, c := b.logRatio(bench.Measurement.RequestsPerSecond), b.logRatio(bench.Measurement.ServerCPUPerRequest)
			if math.IsNaN(r+c) || math.IsInf(r+c, 0) {
				return e, fmt.Errorf("%s: a measurement without a right answer, or without its cost", targets[t])
			}
			rate, cost = append(rate, r), append(cost, c)
		}
		rates, costs = append(rates, rate), append(costs, cost)
	}
	e.Rates, e.Costs = stats.PoolRatios(rates), stats.PoolRatios(costs)
	return e, nil
}

// logRatio is infinite or not a number where a value is 0.
func (b Block) logRatio(of func(bench.Measurement) float64) float64 {
	return (math.Log(of(b.Changed[0])) + math.Log(of(b.Changed[1])) - math.Log(of(b.Plain[0])) - math.Log(of(b.Plain[1]))) / 2
}

// Line is a line for the table of the methodology.
func (e Effect) Line() string {
	return fmt.Sprintf("requests/s %s; server CPU per request %s; %s in %d rounds",
		e.describe(e.Rates), e.describe(e.Costs), plural(len(e.Targets), "server"), e.Blocks)
}

// describe is the mean of all, with its interval, and the two that are farthest
// from each other.
func (e Effect) describe(p stats.Pooled) string {
	low, high := 0, 0
	for i, r := range p.Each {
		if r.Estimate < p.Each[low].Estimate {
			low = i
		}
		if r.Estimate > p.Each[high].Estimate {
			high = i
		}
	}
	text := "× " + logRatioText(p.All)
	if len(p.Each) > 1 {
		text += fmt.Sprintf(", from %.3f (%s) to %.3f (%s)", p.Each[low].Estimate, e.Targets[low], p.Each[high].Estimate, e.Targets[high])
	}
	return text
}

// Lines are one a server.
func (e Effect) Lines() []string {
	var lines []string
	for i, name := range e.Targets {
		lines = append(lines, fmt.Sprintf("%s: requests/s × %s, server CPU per request × %s", name, logRatioText(e.Rates.Each[i]), logRatioText(e.Costs.Each[i])))
	}
	return lines
}

func logRatioText(r stats.LogRatio) string {
	if r.CI95 == nil {
		return fmt.Sprintf("%.3f (no interval)", r.Estimate)
	}
	return fmt.Sprintf("%.3f (%.3f – %.3f)", r.Estimate, r.CI95.Low, r.CI95.High)
}

// Stall is how long one server takes to answer, by who asks.
type Stall struct {
	Target string
	Loaded time.Duration // median under the load of the protocol
	CPU    float64       // share of a processor that the server used meanwhile
	Single time.Duration // median of a single client
	Swift  time.Duration // median of a single client that acknowledges at once
}

// Times is how many times longer a server takes for a client that acknowledges
// when its kernel likes to.
func (s Stall) Times() float64 { return float64(s.Single) / float64(max(1, s.Swift)) }

func (s Stall) String() string {
	return fmt.Sprintf("%s: median answer %s under load while it used %.0f %% of a processor, %s to a single client, %s to one that acknowledges at once",
		s.Target, milliseconds(s.Loaded), 100*s.CPU, milliseconds(s.Single), milliseconds(s.Swift))
}

// StallLine is a line for the table of the methodology: the server that waits
// longest for acknowledgements, beside the next one.
func StallLine(all []Stall) string {
	first, second := -1, -1
	for i, s := range all {
		switch {
		case first < 0 || s.Times() > all[first].Times():
			first, second = i, first
		case second < 0 || s.Times() > all[second].Times():
			second = i
		}
	}
	if first < 0 {
		return "no server was asked"
	}
	line := fmt.Sprintf("%s (%.1f times)", all[first], all[first].Times())
	if second >= 0 {
		line += fmt.Sprintf("; the next of %s: %s, %.1f times", plural(len(all), "server"), all[second].Target, all[second].Times())
	}
	return line
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1e3) }

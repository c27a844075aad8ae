package report

import (
	"math"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// newRow is everything about a target but its place among the others. t has at
// least one chosen measurement.
func newRow(c bench.Campaign, t *series, rounds int) Row {
	rates, starts := summarize(c.Protocol, t.chosen)
	latency := newLatency(t.chosen)
	return Row{
		Name: t.Target.String(), Target: t.Target,
		Framework: t.Target.Framework, Edition: t.Target.Edition,
		Serving: t.Target.Serving, Workload: t.Target.Workload,
		Version: t.Versions.Framework, Server: t.Versions.Server, Python: t.Versions.Python,
		Rounds:            rates.N,
		Starts:            starts.Starts,
		WithinStarts:      starts.Within,
		BetweenStarts:     starts.Between,
		RequestsPerSecond: Estimate{rates.Mean, rates.Stddev, interval(rates.CI95)},
		LatencySeconds:    latency.seconds,
		Errors:            errorCounts(t.all),

		ServerCPUSecondsPerReq: perRequest(t.chosen, func(m bench.Measurement) time.Duration { return m.Server.CPU }),
		ServerMemoryBytes:      memory(t.chosen),
		ClientCPUSecondsPerReq: perRequest(t.chosen, func(m bench.Measurement) time.Duration { return m.Load.ClientCPU }),
		Conditions:             conditionsOf(t.chosen),
		LimitedBy:              limitedBy(c, t.chosen),
		Marks:                  marks(t, rounds, latency.marks),
	}
}

func values(ms []bench.Measurement, of func(bench.Measurement) float64) []float64 {
	vs := make([]float64, len(ms))
	for i, m := range ms {
		vs[i] = of(m)
	}
	return vs
}

func interval(i *stats.Interval) *Interval {
	if i == nil {
		return nil
	}
	return &Interval{i.Low, i.High}
}

// errorCounts sums over all measurements: those that errors made invalid too.
func errorCounts(ms []bench.Measurement) map[bench.ErrorKind]int64 {
	counts := map[bench.ErrorKind]int64{}
	for _, m := range ms {
		for kind, n := range m.Load.Errors {
			if n > 0 {
				counts[kind] += n
			}
		}
	}
	return counts
}

// perRequest divides sums and not each round, so that every request weighs the
// same. It is nil where no time was read: no server works for nothing.
func perRequest(ms []bench.Measurement, used func(bench.Measurement) time.Duration) *float64 {
	var sum time.Duration
	var requests int64
	for _, m := range ms {
		sum += used(m)
		requests += m.Load.Requests
	}
	if sum <= 0 || requests == 0 {
		return nil
	}
	cost := sum.Seconds() / float64(requests)
	return &cost
}

// memory is the median of the readings after the rounds: one reading that fell
// into a reload or a collection does not set it. Nil where none was read.
func memory(ms []bench.Measurement) *int64 {
	var read []float64
	for _, m := range ms {
		if m.Server.Memory > 0 {
			read = append(read, float64(m.Server.Memory))
		}
	}
	if len(read) == 0 {
		return nil
	}
	bytes := int64(math.Round(stats.Median(read)))
	return &bytes
}

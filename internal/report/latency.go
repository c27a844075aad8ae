package report

import (
	"fmt"
	"maps"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// microseconds are the unit of the engines' histograms; a division by them
// gives the shortest decimals of seconds.
const microseconds = 1e6

// quantile is one that is shown, by the name that it has in JSON.
type quantile struct {
	name    string
	percent float64
}

func quantiles() []quantile {
	return []quantile{{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}}
}

// QuantileNames lists the quantiles of a Row's latency, the lowest first.
func QuantileNames() []string {
	var names []string
	for _, q := range quantiles() {
		names = append(names, q.name)
	}
	return names
}

// Latency is the histogram of l in microseconds, nil where the engine measured
// no true latencies.
func Latency(l bench.Load) (*hdrhistogram.Histogram, error) {
	if len(l.Latency) == 0 || l.LatencyCorrected {
		return nil, nil
	}
	h, err := hdrhistogram.Decode(l.Latency)
	if err != nil {
		return nil, fmt.Errorf("decode the latency histogram: %w", err)
	}
	return h, nil
}

// Cumulative counts the values of h at or below each of the bounds, which are
// in seconds and rise, and gives the number and the sum in seconds of all
// values: a classic Prometheus histogram. A value counts as the middle of its
// HDR cell, 0.05 % off at most.
func Cumulative(h *hdrhistogram.Histogram, bounds []float64) (counts []uint64, count uint64, sum float64) {
	counts = make([]uint64, len(bounds))
	for _, bar := range h.Distribution() {
		if bar.Count <= 0 {
			continue
		}
		n, value := uint64(bar.Count), float64(bar.From+bar.To)/2/microseconds
		count += n
		sum += float64(n) * value
		i, _ := slices.BinarySearch(bounds, value-1e-12) // a bound of 100 µs holds 100 µs
		if i < len(counts) {
			counts[i] += n
		}
	}
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
	return counts, count, sum
}

// latency is what is shown of a target's latencies.
type latency struct {
	seconds map[string]float64
	marks   []string
}

// newLatency takes the quantiles of all requests of all rounds together. Where
// an engine gives no histogram, it is the median of the rounds' quantiles, and
// says so.
func newLatency(ms []bench.Measurement) latency {
	merged, unreadable := merge(ms)
	out := latency{seconds: map[string]float64{}}
	if unreadable > 0 {
		out.marks = append(out.marks, fmt.Sprintf("latency of %s cannot be read", plural(unreadable, "round")))
	}
	if merged != nil {
		for _, q := range quantiles() {
			out.seconds[q.name] = float64(merged.ValueAtPercentile(q.percent)) / microseconds
		}
		return out
	}
	out.seconds = medianQuantiles(ms)
	corrected := slices.ContainsFunc(ms, func(m bench.Measurement) bool { return m.Load.LatencyCorrected })
	if len(out.seconds) > 0 {
		out.marks = append(out.marks, map[bool]string{
			true:  "latency corrected by wrk, median of the rounds",
			false: "latency is the median of the rounds",
		}[corrected])
	}
	return out
}

func merge(ms []bench.Measurement) (merged *hdrhistogram.Histogram, unreadable int) {
	for _, m := range ms {
		h, err := Latency(m.Load)
		switch {
		case err != nil:
			unreadable++
		case h == nil || h.TotalCount() == 0:
		case merged == nil:
			merged = h
		case merged.Merge(h) > 0: // of another range: values would be lost
			unreadable++
		}
	}
	return merged, unreadable
}

func medianQuantiles(ms []bench.Measurement) map[string]float64 {
	by := map[string][]float64{}
	for _, m := range ms {
		for name := range maps.Keys(m.Load.Quantiles) {
			by[name] = append(by[name], m.Load.Quantiles[name])
		}
	}
	out := map[string]float64{}
	for _, name := range QuantileNames() {
		if len(by[name]) > 0 {
			out[name] = stats.Median(by[name])
		}
	}
	return out
}

// meanLatency in seconds, of true latencies only.
func meanLatency(l bench.Load) (mean float64, known bool) {
	if l.LatencyCorrected {
		return 0, false
	}
	if mean, known = l.Quantiles["mean"]; known {
		return mean, true
	}
	h, err := Latency(l)
	if err != nil || h == nil || h.TotalCount() == 0 {
		return 0, false
	}
	return h.Mean() / microseconds, true
}

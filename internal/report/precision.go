package report

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Widths says how well ratios are known: half the widths of their 95 %
// intervals, as shares (0.03 is ± 3 %).
type Widths struct {
	Ratios int // that have an interval; 0: nothing is known
	Median float64
	Widest float64
}

// Precision is what a campaign knew of its ratios at some time.
type Precision struct {
	Rounds int
	After  time.Duration // from the begin of the first round to the end of the last, whatever lay between
	Rates  Widths        // of requests per second
	Costs  Widths        // of the servers' processor time per request
}

// PrecisionWithin is what a campaign knew after those rounds that were over
// within a length of time; 0 is no limit. Where servers are started anew, it
// counts whole starts.
func PrecisionWithin(c bench.Campaign, ms []bench.Measurement, within time.Duration) Precision {
	ends := roundEnds(c, ms)
	n := len(ends)
	for within > 0 && n > 0 && (ends[n-1] > within || c.Protocol.Restart > 0 && n%c.Protocol.Restart != 0) {
		n--
	}
	if n == 0 {
		return Precision{}
	}
	c.Rounds = n
	s := group(c, ms)
	return Precision{
		Rounds: n, After: ends[n-1],
		Rates: s.widths(bench.Measurement.RequestsPerSecond),
		Costs: s.widths(bench.Measurement.ServerCPUPerRequest),
	}
}

// roundEnds is when each complete round was over, repetitions included, counted
// from the begin of the first.
func roundEnds(c bench.Campaign, ms []bench.Measurement) []time.Duration {
	var begin time.Time
	last := make([]time.Time, c.Rounds)
	for _, m := range ms {
		if m.Round < 1 || m.Round > c.Rounds {
			continue
		}
		if at := m.Started.Add(-c.Protocol.Warmup); begin.IsZero() || at.Before(begin) {
			begin = at
		}
		if end := m.Started.Add(m.Load.Duration); end.After(last[m.Round-1]) {
			last[m.Round-1] = end
		}
	}
	ends := make([]time.Duration, c.Rounds)
	for i, end := range last {
		ends[i] = end.Sub(begin)
		if i > 0 {
			ends[i] = max(ends[i], ends[i-1]) // of a round without a measurement nothing is known
		}
	}
	return ends
}

func (s groups) widths(of func(bench.Measurement) float64) Widths {
	var halves []float64
	for t, base := range s.related() {
		ratio, _ := s.paired(t, base, of)
		if log := ratio.LogCI95(); log != nil {
			halves = append(halves, math.Expm1((log.High-log.Low)/2))
		}
	}
	if len(halves) == 0 {
		return Widths{}
	}
	return Widths{len(halves), stats.Median(halves), slices.Max(halves)}
}

// related are the targets that have a ratio, each with its base: those whose
// ratios are shown.
func (s groups) related() iter.Seq2[*series, *series] {
	return func(yield func(t, base *series) bool) {
		found, _ := s.bases(nil)
		for _, t := range s.targets {
			base := baseOf(t.Target, found)
			if base != nil && t != base && len(t.chosen) > 0 && !yield(t, base) {
				return
			}
		}
	}
}

// PrecisionLine is a line for the table of the methodology: what a campaign knew
// early and at its end.
func PrecisionLine(p bench.Protocol, early, end Precision) string {
	name := p.Label()
	if p.Restart < 1 {
		name += " (of one start)"
	}
	return fmt.Sprintf("%s: server CPU per request %s after %.0f s, %s after %.0f s; requests/s %s, %s; widest of %d ratios, median in brackets",
		name, early.Costs, early.After.Seconds(), end.Costs, end.After.Seconds(), early.Rates, end.Rates, end.Rates.Ratios)
}

func (w Widths) String() string {
	if w.Ratios == 0 {
		return "unknown"
	}
	return fmt.Sprintf("± %.1f %% (± %.1f %%)", 100*w.Widest, 100*w.Median)
}

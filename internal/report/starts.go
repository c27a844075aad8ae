package report

import (
	"fmt"
	"slices"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// pairs is the values of the rounds that both have, one group a start of the
// servers.
func pairs(a, b []bench.Measurement, p bench.Protocol) (as, bs [][]float64) {
	for _, m := range a {
		i := slices.IndexFunc(b, func(o bench.Measurement) bool { return o.Round == m.Round })
		if i >= 0 {
			as = grouped(as, p.Start(m.Round), m.RequestsPerSecond())
			bs = grouped(bs, p.Start(m.Round), b[i].RequestsPerSecond())
		}
	}
	return as, bs
}

// grouped appends v to a group, which may be a new one. Groups between may stay
// empty.
func grouped(groups [][]float64, group int, v float64) [][]float64 {
	for len(groups) <= group {
		groups = append(groups, nil)
	}
	groups[group] = append(groups[group], v)
	return groups
}

// ratio of pairs. Where servers were started only once, every round is a pair of
// its own; where they were started anew, every start is.
func (s groups) ratio(as, bs [][]float64) (stats.Ratio, error) {
	if s.protocol.Restart < 1 {
		return stats.PairedRatio(slices.Concat(as...), slices.Concat(bs...))
	}
	r, _, err := stats.PairedRatioStarts(as, bs)
	return r, err
}

// summarize describes the rates of a target as its protocol demands.
func summarize(p bench.Protocol, ms []bench.Measurement) (stats.Summary, stats.Components) {
	if p.Restart < 1 {
		return stats.Summarize(values(ms, bench.Measurement.RequestsPerSecond)), stats.Components{}
	}
	var starts [][]float64
	for _, m := range ms {
		starts = grouped(starts, p.Start(m.Round), m.RequestsPerSecond())
	}
	return stats.SummarizeStarts(starts)
}

// Enough reports whether a campaign has reached the precision of its protocol:
// the 95 % interval of every ratio is narrow enough and rests on enough whole
// starts. It looks at widths alone, never at which side of 1 they are on. A
// target that has failed, from the beginning or in the newest rounds, does not
// hold the others up; a campaign without any ratio that could become narrower never
// has enough.
func Enough(c bench.Campaign, ms []bench.Measurement) bool {
	p := c.Protocol
	if p.Precision <= 0 || p.Restart > 0 && c.Rounds%p.Restart != 0 {
		return false
	}
	s := group(c, ms)
	known := 0
	for t, base := range s.related() {
		if min(t.last(), base.last()) <= c.Rounds-max(hopelessRounds, 2*p.Restart) {
			continue
		}
		if !s.known(t, base) {
			return false
		}
		known++
	}
	return known > 0
}

// known reports whether the ratio of t to its base is.
func (s groups) known(t, base *series) bool {
	as, bs := pairs(t.chosen, base.chosen, s.protocol)
	ratio, err := s.ratio(as, bs)
	if err != nil || ratio.CI95 == nil {
		return false
	}
	n := ratio.N
	if s.protocol.Restart > 0 {
		n = 0
		for _, start := range as {
			n += min(1, len(start))
		}
	}
	return stats.Known(ratio.LogCI95(), n, s.protocol.Precision)
}

// AtMost goes before a length that a campaign may stay below.
func AtMost(p bench.Protocol) string {
	if p.Precision > 0 || p.Limit > 0 {
		return "at most "
	}
	return ""
}

// describeAdaptive is what a protocol has beyond classic's parameters, empty
// where that is nothing.
func describeAdaptive(p bench.Protocol) string {
	text := ""
	if p.Restart > 0 {
		text += ", servers started anew every " + plural(p.Restart, "round")
	}
	if p.Precision > 0 {
		text += fmt.Sprintf(", until every ratio is known to ± %g %%", 100*p.Precision)
	}
	if p.Limit > 0 {
		text += fmt.Sprintf(" or %s a target are over", p.Limit)
	}
	return text
}

func describeRounds(h Header) string {
	if AtMost(h.Protocol) != "" {
		return plural(h.Rounds, "round") + " complete"
	}
	return fmt.Sprintf("%d of %s complete", h.Rounds, plural(h.Protocol.Rounds, "round"))
}

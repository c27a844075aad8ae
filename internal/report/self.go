package report

import (
	"fmt"
	"math/rand/v2"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// SelfShare is the share of intervals of equals that may exclude 1.
const SelfShare = 0.05

// SelfRatios compares every target of a campaign with itself, on what was
// measured of it (stats.SelfRatios). What is paired are starts, as in a
// comparison, or rounds where the servers were started only once.
func SelfRatios(c bench.Campaign, ms []bench.Measurement, pairs int, random *rand.Rand) []stats.Ratio {
	s := group(c, ms)
	var ratios []stats.Ratio
	for _, t := range s.targets {
		var units [][]float64
		for _, m := range t.chosen {
			units = grouped(units, s.unit(m.Round), m.RequestsPerSecond())
		}
		ratios = append(ratios, stats.SelfRatios(units, pairs, random)...)
	}
	return ratios
}

// unit is what a round is an observation of: its start, or itself where servers
// were started only once.
func (s groups) unit(round int) int {
	if s.protocol.Restart > 0 {
		return s.protocol.Start(round)
	}
	return round - 1
}

// SelfLine is a line for the table of the methodology: how many intervals of
// equals exclude 1, and how many would make compare call them different. holds is
// false where the former are more than chance explains: where even the low end of
// the binomial interval is above the share.
func SelfLine(ratios []stats.Ratio, how string) (line string, holds bool) {
	wrong := stats.Excluding(ratios)
	share := stats.BinomialCI95(wrong, len(ratios))
	return fmt.Sprintf("%d of %d intervals of a server and itself exclude 1: %.1f %% (95 %% binomial interval %.1f – %.1f %%), and %d would be called faster or slower (beyond ± %g %%), %s",
		wrong, len(ratios), 100*float64(wrong)/float64(max(1, len(ratios))), 100*share.Low, 100*share.High,
		called(ratios), 100*CompareThreshold, how), share.Low <= SelfShare
}

// called is how many of the ratios compare would call a difference.
func called(ratios []stats.Ratio) (n int) {
	for _, r := range ratios {
		if v := stats.Judge(r.CI95, CompareThreshold); v == stats.Faster || v == stats.Slower {
			n++
		}
	}
	return n
}

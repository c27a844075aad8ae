package report

import (
	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Rates is the speed of everything that a campaign measured, controls included,
// as later campaigns are compared with.
type Rates map[bench.Target]TargetRate

// TargetRate is the mean of a target, of one release of everything it consists of.
type TargetRate struct {
	Versions string // of framework, server and interpreter; another one begins anew
	Mean     float64
}

// NewRates takes the rates out of a campaign.
func NewRates(c bench.Campaign, ms []bench.Measurement) Rates {
	s, rates := group(c, ms), Rates{}
	for _, t := range s.targets {
		if len(t.chosen) > 0 {
			v := t.Versions
			rates[t.Target] = TargetRate{v.Framework + "\n" + v.Server + "\n" + v.Python, t.mean()}
		}
	}
	return rates
}

// HostIndex is how fast the machine was in the campaign now, 1 for as fast as in
// the earlier ones (oldest first, of the same protocol and machine). Controls and
// frameworks count alike; nil while too few of them have a history.
func HostIndex(earlier []Rates, now Rates) *float64 {
	var members [][]float64
	for target, rate := range now {
		var member []float64
		for _, e := range earlier {
			if old, ok := e[target]; ok && old.Versions == rate.Versions {
				member = append(member, old.Mean)
			}
		}
		members = append(members, append(member, rate.Mean))
	}
	return stats.Index(members)
}

package report

import (
	"maps"
	"slices"
	"strings"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Rates is the speed of everything that a campaign measured, controls included,
// as later campaigns are compared with.
type Rates map[bench.Target]TargetRate

// TargetRate is the mean of a target.
type TargetRate struct {
	Of   string // releases of everything it consists of, and how it was measured; another begins anew
	Mean float64
}

// NewRates takes the rates out of a campaign.
func NewRates(c bench.Campaign, ms []bench.Measurement) Rates {
	s, rates := group(c, ms), Rates{}
	for _, t := range s.targets {
		if len(t.chosen) > 0 {
			rates[t.Target] = TargetRate{t.identity(), t.mean()}
		}
	}
	return rates
}

// identity is what must be the same for two rates to tell of the machine. How it is
// used is not the machine: other pinning or idle states give other rates.
func (t *series) identity() string {
	v := t.Versions
	parts := []string{v.Framework, v.Server, v.Python, bench.Means(t.chosen)}
	for _, name := range slices.Sorted(maps.Keys(v.Packages)) {
		parts = append(parts, name+"=="+v.Packages[name])
	}
	return strings.Join(parts, "\n")
}

// HostIndex is how fast the machine was in the campaign now, 1 for as fast as in
// the earlier ones (oldest first, of the same protocol and machine). Controls and
// frameworks count alike; nil while too few of them have a history.
func HostIndex(earlier []Rates, now Rates) *float64 {
	var members [][]float64
	for target, rate := range now {
		var member []float64
		for _, e := range earlier {
			if old, ok := e[target]; ok && old.Of == rate.Of {
				member = append(member, old.Mean)
			}
		}
		members = append(members, append(member, rate.Mean))
	}
	return stats.Index(members)
}

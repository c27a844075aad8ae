package change

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// FewestRounds is how many valid rounds make a campaign's value.
const FewestRounds = 5

// Campaign is one campaign as the detector sees it.
type Campaign struct {
	ID       int64
	At       time.Time // when it was finished: nothing was known earlier
	Kind     bench.Kind
	Machine  string                        // its stable names in one
	Protocol string                        // and the engine, pinning and idle limit: numbers of others are not comparable
	Rates    map[bench.Target]float64      // requests per second
	Costs    map[bench.Target]float64      // the server's processor seconds per request
	Signals  map[bench.Target]bench.Signal // which of the two is judged
	Versions map[bench.Target]bench.Versions
}

func (c Campaign) values(s bench.Signal) map[bench.Target]float64 {
	if s == bench.SignalServerCPU {
		return c.Costs
	}
	return c.Rates
}

// FromMeasurements takes the median over the valid rounds of each target; a few
// errors are the rule with servers that let few connections wait. A target with
// fewer than five is missing. It is not ok for campaigns that do not count:
// unfinished ones, and those of a kind that somebody started to look at something
// else.
func FromMeasurements(c bench.Campaign, all []bench.Measurement) (seen Campaign, ok bool) {
	if c.State != bench.StateFinished || c.Kind != bench.KindScheduled && c.Kind != bench.KindConfirm {
		return Campaign{}, false
	}
	var clean []bench.Measurement
	for _, m := range all {
		if m.Valid() && m.Round >= 1 {
			clean = append(clean, m)
		}
	}
	seen = Campaign{
		ID: c.ID, At: c.Finished, Kind: c.Kind, Machine: machine(c), Protocol: protocol(c, bench.Means(clean)),
		Rates: medians(clean, bench.SignalRequests), Costs: medians(clean, bench.SignalServerCPU),
		Signals: map[bench.Target]bench.Signal{}, Versions: map[bench.Target]bench.Versions{},
	}
	for _, p := range c.Participants {
		seen.Signals[p.Target] = p.Signal.OrDefault()
		if known(p.Versions) {
			seen.Versions[p.Target] = p.Versions
		}
	}
	return seen, true
}

// known is not what an installation leaves that failed: nothing is known of what it
// would have run, and that is no other version.
func known(v bench.Versions) bool { return !sameVersions(v, bench.Versions{}) }

// medians are those of the targets that have enough rounds.
func medians(clean []bench.Measurement, signal bench.Signal) map[bench.Target]float64 {
	rounds := map[bench.Target]map[int]float64{}
	for _, m := range clean {
		if rounds[m.Target] == nil {
			rounds[m.Target] = map[int]float64{}
		}
		rounds[m.Target][m.Round] = signal.Of(m) // a repeated measurement replaces the first
	}
	all := map[bench.Target]float64{}
	for target, values := range rounds {
		if len(values) >= FewestRounds {
			all[target] = stats.Median(slices.Collect(maps.Values(values)))
		}
	}
	return all
}

// machine and protocol name what must be the same for two campaigns to be
// compared.
func machine(c bench.Campaign) string {
	m := c.Machine
	return fmt.Sprintf("%s, %d cores, %s, %s", m.CPU, m.Cores, m.Kernel, m.Arch)
}

func protocol(c bench.Campaign, means string) string {
	return fmt.Sprintf("protocol %s, %s", c.Protocol.Hash(), means)
}

// group is a field: targets of one edition, measured side by side.
type group struct{ edition, serving, workload string }

func groupOf(t bench.Target) group { return group{t.Edition, t.Serving, t.Workload} }

func compareGroups(a, b group) int {
	return cmp.Or(strings.Compare(a.edition, b.edition), strings.Compare(a.serving, b.serving), strings.Compare(a.workload, b.workload))
}

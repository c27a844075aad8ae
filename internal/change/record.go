package change

import (
	"slices"

	"restbench/internal/bench"
)

// A Record holds at most Most campaigns, more than a year of the default
// schedule. When there are more, the oldest block goes at once, and only
// depending on how many there are: two processes that read the same history
// judge the same campaigns, so that changes keep their names.
const (
	Most  = 5000
	block = 1000
)

// Skip is how many of n campaigns, the oldest ones, are not judged.
func Skip(n int) int { return max(0, n-Most+block-1) / block * block }

// Record is the campaigns that are judged, oldest first. What they have in common
// is kept once: names, versions, the machine.
type Record struct {
	campaigns []Campaign
	added     int
	targets   map[bench.Target]bench.Target
	versions  map[bench.Target]bench.Versions
}

// NewRecord starts behind the campaigns that Skip says.
func NewRecord(skipped int) *Record {
	return &Record{added: skipped, targets: map[bench.Target]bench.Target{}, versions: map[bench.Target]bench.Versions{}}
}

// Add takes the next campaign.
func (r *Record) Add(c Campaign) {
	if n := len(r.campaigns); n > 0 {
		before := r.campaigns[n-1]
		if before.Machine == c.Machine && before.Protocol == c.Protocol {
			c.Machine, c.Protocol = before.Machine, before.Protocol
		}
	}
	c.Rates, c.Costs = renamed(r, c.Rates), renamed(r, c.Costs)
	c.Signals, c.Versions = renamed(r, c.Signals), renamed(r, c.Versions)
	for target, v := range c.Versions {
		if known, ok := r.versions[target]; ok && sameVersions(known, v) {
			c.Versions[target] = known
		} else {
			r.versions[target] = v
		}
	}
	r.campaigns, r.added = append(r.campaigns, c), r.added+1
	if extra := len(r.campaigns) - (r.added - Skip(r.added)); extra > 0 {
		r.campaigns = slices.Clone(r.campaigns[extra:])
	}
}

// renamed is m with the names that are kept already.
func renamed[V any](r *Record, m map[bench.Target]V) map[bench.Target]V {
	kept := make(map[bench.Target]V, len(m))
	for target, v := range m {
		if _, ok := r.targets[target]; !ok {
			r.targets[target] = target
		}
		kept[r.targets[target]] = v
	}
	return kept
}

// Campaigns are those to be judged, oldest first.
func (r *Record) Campaigns() []Campaign { return r.campaigns }

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

// Record is the campaigns that are judged, oldest first.
type Record struct {
	campaigns []Campaign
	added     int
	versions  map[bench.Target]bench.Versions
}

// NewRecord starts behind the campaigns that Skip says.
func NewRecord(skipped int) *Record {
	return &Record{added: skipped, versions: map[bench.Target]bench.Versions{}}
}

// Add takes the next campaign. Versions that stay the same are kept once.
func (r *Record) Add(c Campaign) {
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

// Campaigns are those to be judged, oldest first.
func (r *Record) Campaigns() []Campaign { return r.campaigns }

// Newest is the number of the newest campaign, 0 while there is none.
func (r *Record) Newest() int64 {
	if len(r.campaigns) == 0 {
		return 0
	}
	return r.campaigns[len(r.campaigns)-1].ID
}

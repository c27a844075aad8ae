package exporter

import (
	"maps"
	"slices"
)

// tally counts by the values of one label. All values are there from the start,
// so that a rate sees the first event too. A tally is never changed: plus
// returns a new one, because snapshots share them.
type tally[K ~string] map[K]uint64

func newTally[K ~string](values []K) tally[K] {
	t := make(tally[K], len(values))
	for _, v := range values {
		t[v] = 0
	}
	return t
}

// plus adds n to value. It reports false, and adds nothing, for a value that is
// not among those given at the start: label values are fixed.
func (t tally[K]) plus(value K, n uint64) (tally[K], bool) {
	if _, ok := t[value]; !ok {
		return t, false
	}
	t = maps.Clone(t)
	t[value] += n
	return t, true
}

func (t tally[K]) values() []K { return slices.Sorted(maps.Keys(t)) }

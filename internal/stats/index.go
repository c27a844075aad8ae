package stats

import (
	"math"
	"slices"
)

const (
	indexMembers = 3  // below, one of them would be the index
	indexHistory = 3  // earlier values that a member needs
	indexMemory  = 30 // earlier values that count
)

// Index says how much faster a machine is than it used to be: the median, over
// the members, of the ratio of the newest value to the median of the earlier
// ones. Each member is a series of one unchanged program, oldest value first;
// the last is the newest one. Members with too short a history, or with a value
// that is not positive, are left out. It is nil where fewer than three are left.
//
// A median of many members does not move when one of them becomes slower by
// itself, up to half of them. So it tells a slow machine from slow frameworks.
func Index(members [][]float64) *float64 {
	var logs []float64
	for _, m := range members {
		if len(m) <= indexHistory || slices.ContainsFunc(m, func(v float64) bool { return !(v > 0) }) {
			continue
		}
		last := len(m) - 1
		before := m[max(0, last-indexMemory):last]
		logs = append(logs, math.Log(m[last]/Median(before)))
	}
	if len(logs) < indexMembers {
		return nil
	}
	index := math.Exp(Median(logs))
	return &index
}

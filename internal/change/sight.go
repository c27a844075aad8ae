package change

import (
	"slices"

	"restbench/internal/bench"
)

// Sight is what would be noticed of one target.
type Sight struct {
	Target     bench.Target
	Learning   bool
	Detectable map[int]float64 // smallest slow-down, as a share, by campaigns; absent where none can be promised
}

// Horizons are the numbers of campaigns for which Detectable is said.
func Horizons() []int { return []int{2, 3, 10} }

// lately is in how many of the newest campaigns a target must have a value at least
// once: one campaign can fail, but where two have none nothing is watched.
const lately = 2

// sights of the targets whose signal this is, after all these campaigns, with those in
// which nothing of the group has a value.
func (w *watch) sights(campaigns []Campaign) (all []Sight) {
	newest := campaigns[max(0, len(campaigns)-lately):]
	for i, t := range w.targets {
		if !w.own[t] {
			continue
		}
		watched := w.detector.Judging() && slices.ContainsFunc(newest, func(c Campaign) bool { return c.values(w.signal)[t] > 0 })
		s := Sight{Target: t, Learning: w.detector.Learning(i) || !watched, Detectable: map[int]float64{}}
		for _, campaigns := range Horizons() {
			if share, ok := w.detector.Detectable(i, campaigns); ok && watched {
				s.Detectable[campaigns] = share
			}
		}
		all = append(all, s)
	}
	return all
}

package change

import (
	"slices"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// told are the changes without those that another watch, or another part of the same
// event, has told.
func (w *watch) told() (all []Change) {
	for i, c := range w.changes {
		if !w.silent[i] {
			all = append(all, c)
		}
	}
	return all
}

// events are those of a whole field that were told, in whatever signal.
type events struct{ told []event }

type event struct {
	stats.Change
	signal bench.Signal
}

// known reports whether an event was told already: one that was reported with the same
// campaign, or, in another signal, began so few campaigns apart that nothing tells the two
// apart. Else it is from now on.
func (e *events) known(found stats.Change, signal bench.Signal) bool {
	same := slices.ContainsFunc(e.told, func(other event) bool {
		near := max(other.Onset-found.Onset, found.Onset-other.Onset) <= uncertain
		return other.Reported == found.Reported || other.signal != signal && near
	})
	if !same {
		e.told = append(e.told, event{found, signal})
	}
	return same
}

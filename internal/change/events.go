package change

import "restbench/internal/stats"

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
	by *watch
	at int // of its changes
}

func (e event) way() string { return e.by.changes[e.at].Way() }

// tell silences an event that was told already. Where of two of the same campaign, which
// have one name, the first says that nothing became slower or faster and the second that
// something did, it is the first that is silenced.
func (e *events) tell(found event) {
	for i, other := range e.told {
		switch {
		case !found.same(other):
		case other.way() == Same && found.way() != Same && other.Reported == found.Reported:
			other.by.silent[other.at] = true
			e.told[i] = found
			return
		case other.way() != Same || found.way() == Same:
			found.by.silent[found.at] = true
			return
		}
	}
	e.told = append(e.told, found)
}

// same reports whether two events are one: they were reported with the same campaign, or,
// in two signals, began so few campaigns apart that nothing tells the two apart.
func (e event) same(other event) bool {
	near := max(other.Onset-e.Onset, e.Onset-other.Onset) <= uncertain
	return other.Reported == e.Reported || other.by.signal != e.by.signal && near
}

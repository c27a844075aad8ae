package change

import (
	"maps"
	"slices"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// remember keeps where the target, or the field, was before a change.
func (w *watch) remember(i int) {
	at := w.places[i]
	if w.changes[i].Scope == ScopeProtocol {
		return // numbers of two protocols are not comparable
	}
	from, _ := w.between(at)
	if former, ok := stats.NewFormer(w.values(w.signal, from, w.found[at].Onset), w.found[at].Series); ok {
		w.formers[i] = former
	}
}

// forget lets go of what is not active any more: when that goes back, long after, it is
// a change of its own.
func (w *watch) forget(now Campaign) {
	for i := range w.left {
		if now.At.Sub(w.changes[i].Reported.At) >= Longest {
			delete(w.left, i)
		}
	}
}

// endReturned ends the open changes whose target, or field, is again where it was
// before, whatever the detector took for its baseline meanwhile: after a disturbance of
// two campaigns that is mostly the return itself, which it then cannot find.
func (w *watch) endReturned(now Campaign) {
	for _, i := range slices.Sorted(maps.Keys(w.formers)) {
		if _, ok := w.left[i]; !ok {
			delete(w.formers, i)
			continue
		}
		if campaigns := w.back(i); campaigns > 0 {
			w.withdraw(i, now.At)
			w.startAgain(w.found[w.places[i]].Series, campaigns)
		}
	}
}

// withdraw ends a change, and with it those of the same that came on top of it: they
// are gone as well. In those before it, it was counted.
func (w *watch) withdraw(i int, at time.Time) {
	share := w.left[i]
	w.unsettle(i)
	for _, j := range slices.Sorted(maps.Keys(w.left)) {
		switch {
		case w.found[w.places[j]].Series != w.found[w.places[i]].Series || w.otherEvent(j, i):
		case j < i:
			w.left[j] -= share
		default:
			w.changes[j].end(End{Reason: Returned, At: at})
			delete(w.formers, j)
			delete(w.left, j)
		}
	}
}

// otherEvent reports whether two changes of the whole field have nothing to do with each
// other: the machine, and several frameworks on it.
func (w *watch) otherEvent(j, i int) bool {
	a, b := w.changes[j], w.changes[i]
	return a.Whole() && b.Whole() && a.Scope != b.Scope
}

// unsettle notes that a change is over. Where the field was before other events that came
// while it held says nothing now: that was without what is back.
func (w *watch) unsettle(i int) {
	for j := range w.formers {
		if j > i && w.otherEvent(j, i) {
			delete(w.formers, j)
		}
	}
}

// back is how many of the newest campaigns say that a change is undone.
func (w *watch) back(i int) int {
	found := w.found[w.places[i]]
	since := max(found.Reported+1, len(w.seen)-stats.ShiftSince)
	return w.formers[i].Back(w.values(w.signal, found.Onset, found.Reported+1), w.values(w.signal, since, len(w.seen)))
}

// startAgain notes that a disturbance is over since so many campaigns.
func (w *watch) startAgain(series, campaigns int) {
	newest := len(w.seen) - 1
	w.found = append(w.found, stats.Change{Series: series, Onset: newest + 1 - campaigns, Reported: newest})
	w.detector.Renew(series, campaigns)
}

// values of the group in a stretch of campaigns.
func (w *watch) values(signal bench.Signal, from, until int) (all [][]float64) {
	for _, c := range w.seen[from:max(from, until)] {
		all = append(all, valuesOf(w.targets, c.values(signal)))
	}
	return all
}

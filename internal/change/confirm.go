package change

import (
	"math"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Confirmation is what the second signal says about a change of one target: processor
// time per request, or requests per second where that time is the first. It qualifies a
// change that the first signal has shown; it never makes or ends one.
type Confirmation string

// The confirmations.
const (
	Confirmed     Confirmation = "confirmed"       // it shows the change, too: the code does more, or less
	NotInCPU      Confirmation = "not_in_cpu"      // processor time shows less than half of it: the server waits for something else
	NotInRequests Confirmation = "not_in_requests" // requests show less than half of it: something else than the server is the limit
	Unconfirmed   Confirmation = "unknown"         // it is known of too few campaigns, or scatters too much
)

// Confirmations lists all of them.
func Confirmations() []Confirmation {
	return []Confirmation{Confirmed, NotInCPU, NotInRequests, Unconfirmed}
}

// explaining is the share of a change that the second signal must leave possible. A
// server that waits does a little more for each request, too: it is woken up for
// fewer at a time.
const explaining = 0.5

// confirm asks the second signal about all changes of single targets: with what is
// known now, so that what was unknown at first may be known later.
func (w *watch) confirm() {
	for i := range w.changes {
		c := &w.changes[i]
		if c.Whole() {
			continue
		}
		c.Second = w.shiftOfSecond(w.places[i])
		c.Confirmation = confirmation(c.Signal, *c.Effect, c.Second)
	}
}

// confirmation compares the shift of the second signal with what would be the whole
// effect: as many times the processor time as there are fewer requests.
func confirmation(first bench.Signal, effect float64, second *stats.Shift) Confirmation {
	if second == nil {
		return Unconfirmed
	}
	whole, low, high := -math.Log1p(effect), math.Log1p(second.CI95.Low), math.Log1p(second.CI95.High)
	if whole < 0 {
		whole, low, high = -whole, -high, -low
	}
	switch {
	case high < explaining*whole && first == bench.SignalServerCPU:
		return NotInRequests
	case high < explaining*whole:
		return NotInCPU
	case low > 0:
		return Confirmed
	}
	return Unconfirmed
}

// second is the other signal.
func second(first bench.Signal) bench.Signal {
	if first == bench.SignalServerCPU {
		return bench.SignalRequests
	}
	return bench.SignalServerCPU
}

// shiftOfSecond is what became of the second signal with what the detector found; nil
// when that is not known.
func (w *watch) shiftOfSecond(at int) *stats.Shift {
	found := w.found[at]
	from, until := w.stretch(at)
	values := w.values(second(w.signal), from, until)
	if len(values) <= found.Onset-from {
		return nil
	}
	shift, ok := stats.ShiftAt(values, found.Series, found.Onset-from)
	if !ok {
		return nil
	}
	return &shift
}

// between are the campaigns around a change, until without its end, that lie between
// the other ones of its target or, if it is of the whole field, of that.
func (w *watch) between(at int) (from, until int) {
	onset, series := w.found[at].Onset, w.found[at].Series
	from, until = max(0, onset-stats.ShiftBefore), min(len(w.seen), onset+stats.ShiftSince)
	for i, other := range w.found {
		switch {
		case i == at || other.Series != stats.WholeField && other.Series != series:
		case other.Onset <= onset:
			from = max(from, other.Onset)
		default:
			until = min(until, other.Onset)
		}
	}
	return from, until
}

// stretch are the campaigns around a change of a target, until without its end, in
// which nothing else is known to have changed for it.
func (w *watch) stretch(at int) (from, until int) {
	from, until = w.between(at)
	onset, target := w.found[at].Onset, w.targets[w.found[at].Series]
	since := w.versions(onset, target)
	for i := onset; i < until; i++ {
		if v, ok := w.seen[i].Versions[target]; ok && !sameVersions(v, since) {
			until = i
		}
	}
	return from, until
}

// valuesOf are those of the targets in their order, NaN where there is none.
func valuesOf(targets []bench.Target, of map[bench.Target]float64) []float64 {
	values := make([]float64, len(targets))
	for i, t := range targets {
		v, ok := of[t]
		if !ok {
			v = math.NaN()
		}
		values[i] = v
	}
	return values
}

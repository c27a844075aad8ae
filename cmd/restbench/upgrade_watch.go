//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// pairWatch keeps what a campaign of releases before and others measures, and
// ends it when one of the two cannot take part and the other is of no use without
// it.
type pairWatch struct {
	tell         func(bench.Event)
	end          context.CancelFunc
	edition      string // of the others
	measurements []bench.Measurement
	causes       map[string]string // the first failure of each, by edition
	ended        string            // the failure that ended it
}

func (w *pairWatch) observe(e bench.Event) {
	w.tell(e)
	if e.Measurement == nil {
		return
	}
	w.measurements = append(w.measurements, *e.Measurement)
	f, t := e.Measurement.Failure, e.Measurement.Target
	if f == nil {
		return
	}
	first, _, _ := strings.Cut(f.Error(), "\n") // the history has all of it
	cause := fmt.Sprintf("%s: %s", t, first)
	if w.causes[t.Edition] == "" {
		w.causes[t.Edition] = cause
	}
	if hopeless(f) && w.needs(t.Edition) {
		w.ended = cause
		w.end()
	}
}

// needs reports whether a campaign without those of an edition is of no use. The
// new releases are measured without those before, too, which may never have
// worked; of a set between the two nothing but the ratio is of use.
func (w *pairWatch) needs(edition string) bool {
	return edition == w.edition || w.edition == bench.EditionBetween
}

// cause is what ended the campaign early; else why the others have no number, or,
// where they have, why those before have none.
func (w *pairWatch) cause(done report.Upgrade) string {
	if w.ended != "" {
		return w.ended
	}
	edition := bench.EditionBefore
	if done.B == nil {
		edition = w.edition
	}
	if w.causes[edition] != "" {
		return w.causes[edition]
	}
	for _, m := range done.Missing {
		if m.Key.Edition == edition {
			return fmt.Sprintf("%s: %s", m.Target, strings.Join(m.Reasons, "; "))
		}
	}
	return ""
}

// hopeless reports whether a target that failed takes no further part.
func hopeless(f *bench.Failure) bool {
	return slices.Contains([]bench.Stage{bench.StageInstall, bench.StageStart, bench.StageReady}, f.Stage)
}

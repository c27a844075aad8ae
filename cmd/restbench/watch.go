//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"restbench/exporter"
	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/store"
)

// watchInterval is how often a daemon asks whether somebody has accepted a
// change, and whether time has ended one.
const watchInterval = 5 * time.Second

// watcher follows the changes in the history of a daemon: from its start on, after
// each campaign, and when somebody has accepted one. Never in a scrape.
type watcher struct {
	store *store.Store
	show  func(exporter.Changes)
	also  func(context.Context) (ok bool) // shows what else somebody may have accepted
	log   zerolog.Logger

	lock     sync.Mutex // guards what follows
	replayer *replayer  // nil until the history was read
	known    map[string]bool
	accepted int // how many acceptances there were
	history  change.History
	holding  []string // names of the changes that hold
}

// campaign takes in what has finished, and returns the targets that looked much
// worse than before in the last campaign.
func (w *watcher) campaign(ctx context.Context) (suspicious []bench.Target) {
	w.lock.Lock()
	defer w.lock.Unlock()
	if err := w.read(ctx); err != nil {
		if ctx.Err() == nil {
			w.log.Error().Err(err).Msg("look for changes in the history")
		}
		return nil
	}
	return w.history.Suspicious
}

// doubts are who looked much worse than before in each campaign, oldest first.
func (w *watcher) doubts() []change.Doubt {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.history.Doubts
}

func (w *watcher) read(ctx context.Context) (err error) {
	if w.replayer == nil {
		w.replayer, err = newReplayer(ctx, w.store)
	} else {
		err = w.replayer.readOn(ctx)
	}
	if err != nil {
		return err
	}
	return w.replay(ctx)
}

// replay judges anew and shows what holds now.
func (w *watcher) replay(ctx context.Context) error {
	accepted, err := w.store.Acceptances(ctx)
	if err != nil {
		return err
	}
	w.history = w.replayer.replay(accepted)
	if len(accepted) != w.accepted && w.also(ctx) {
		w.accepted = len(accepted)
	}
	w.tell(time.Now())
	return nil
}

// tell shows the changes, and logs those that were not known before.
func (w *watcher) tell(now time.Time) {
	holding := w.history.Current(now)
	w.holding = names(holding)
	first := w.known == nil
	if first {
		w.known = map[string]bool{}
		w.log.Info().Int("changes", len(holding)).Msg("lasting changes that hold")
	}
	for _, c := range w.history.Changes {
		if !first && !w.known[c.ID] && c.Active(now) { // one that is judged anew is no news
			w.log.Warn().Str("change", c.ID).Str("scope", string(c.Scope)).Str("size", c.Size()).Str("second_signal", c.SecondText()).Msgf("%s has changed lastingly", c.What())
		}
		w.known[c.ID] = true
	}
	w.show(exporter.Changes{History: w.history, Known: true})
}

func names(changes []change.Change) (names []string) {
	for _, c := range changes {
		names = append(names, c.ID)
	}
	return names
}

// run looks for acceptances and for changes that time has ended, until ctx ends.
func (w *watcher) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchInterval):
			if err := w.look(ctx); err != nil && ctx.Err() == nil {
				w.log.Warn().Err(err).Msg("look for accepted changes")
			}
		}
	}
}

func (w *watcher) look(ctx context.Context) error {
	if !w.lock.TryLock() {
		return nil // the history is being read
	}
	defer w.lock.Unlock()
	if w.replayer == nil {
		return nil
	}
	accepted, err := w.store.Acceptances(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	switch {
	case len(accepted) != w.accepted:
		return w.replay(ctx)
	case !slices.Equal(names(w.history.Current(now)), w.holding):
		w.tell(now)
	}
	return nil
}

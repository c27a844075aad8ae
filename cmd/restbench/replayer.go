//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"slices"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/store"
)

// changesOf reads a whole history and says what changed in it.
func changesOf(ctx context.Context, history *store.Store) (change.History, error) {
	j, err := newReplayer(ctx, history)
	if err != nil {
		return change.History{}, err
	}
	accepted, err := history.Acceptances(ctx)
	if err != nil {
		return change.History{}, err
	}
	return j.replay(accepted), nil
}

// replayer holds what was read of a history, so that a new campaign does not mean to
// read all of them again.
type replayer struct {
	history *store.Store
	record  *change.Record
	newest  int64 // the campaign that was read last
}

// judgedCampaigns are those that changes are looked for in.
func judgedCampaigns() store.Filter {
	return store.Filter{Kinds: []bench.Kind{bench.KindScheduled, bench.KindConfirm}, States: []bench.State{bench.StateFinished}}
}

func newReplayer(ctx context.Context, history *store.Store) (*replayer, error) {
	filter := judgedCampaigns()
	n, err := history.Count(ctx, filter)
	if err != nil {
		return nil, err
	}
	skipped := change.Skip(n)
	if skipped > 0 {
		filter.Limit = n - skipped
	}
	j := &replayer{history: history, record: change.NewRecord(skipped)}
	return j, j.read(ctx, filter)
}

// readOn takes in what has finished since.
func (j *replayer) readOn(ctx context.Context) error {
	filter := judgedCampaigns()
	filter.After = j.newest
	return j.read(ctx, filter)
}

func (j *replayer) read(ctx context.Context, filter store.Filter) error {
	found, err := j.history.Campaigns(ctx, filter)
	if err != nil {
		return err
	}
	for _, c := range slices.Backward(found) {
		measurements, err := j.history.Numbers(ctx, c.ID)
		if err != nil {
			return err
		}
		if seen, ok := change.FromMeasurements(c, measurements); ok {
			j.record.Add(seen)
		}
		j.newest = c.ID
	}
	return nil
}

// replay judges all that was read, and what people have accepted of it.
func (j *replayer) replay(accepted []store.Acceptance) change.History {
	words := make([]change.Acceptance, len(accepted))
	for i, a := range accepted {
		words[i] = change.Acceptance{ID: a.Change, At: a.At, Note: a.Note}
	}
	return change.Replay(j.record.Campaigns(), words)
}

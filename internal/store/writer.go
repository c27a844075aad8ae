package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"restbench/internal/bench"
)

// maxWaiting bounds what Writer keeps in memory: more than a day of the default
// schedule, some 10 MB with latency histograms.
const maxWaiting = 2000

// Writer stores campaigns and measurements like Store, but does not lose what
// cannot be written at the moment (disk full, file locked): it keeps it in
// memory, in order, and tries again with the next write and on Flush. Safe for
// concurrent use. There is one for a store.
type Writer struct {
	store *Store
	warn  func(error)

	mu    sync.Mutex // held while writing: order is kept
	queue []write
	ids   map[int64]int64 // number given in advance to the stored one
	given int64           // the last number given in advance

	waiting atomic.Int64
	errors  atomic.Int64
	last    atomic.Pointer[error]
}

// write is one thing to be stored.
type write func(context.Context) error

// NewWriter makes the writer of a store. warn is told each failed attempt; it
// may be nil.
func NewWriter(s *Store, warn func(error)) *Writer {
	if warn == nil {
		warn = func(error) {}
	}
	return &Writer{store: s, warn: warn, ids: make(map[int64]int64)}
}

// Begin is Store.Begin. While the campaign cannot be stored, the number it
// returns is negative and good for this writer alone.
func (w *Writer) Begin(ctx context.Context, c bench.Campaign) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.given--
	id := w.given
	err := w.put(ctx, func(ctx context.Context) error {
		stored, err := w.store.Begin(ctx, c)
		if err == nil {
			w.ids[id] = stored
		}
		return err
	})
	return w.resolve(id), err
}

// Record is Store.Record; an error means that the measurement is lost.
func (w *Writer) Record(ctx context.Context, m bench.Measurement) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.put(ctx, func(ctx context.Context) error {
		m.Campaign = w.resolve(m.Campaign)
		return w.store.Record(ctx, m)
	})
}

// Update is Store.Update; an error means that the change is lost.
func (w *Writer) Update(ctx context.Context, c bench.Campaign) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.put(ctx, func(ctx context.Context) error {
		c.ID = w.resolve(c.ID)
		return w.store.Update(ctx, c)
	})
}

// Flush tries to write what waits. The error is that of the attempt; nothing is
// lost by it.
func (w *Writer) Flush(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.drain(ctx)
}

// Pending is how many writes wait in memory.
func (w *Writer) Pending() int { return int(w.waiting.Load()) }

// WriteErrors is how many attempts to write have failed since the start.
func (w *Writer) WriteErrors() int64 { return w.errors.Load() }

// LastErr is why the last write did not succeed, nil when it did.
func (w *Writer) LastErr() error {
	if err := w.last.Load(); err != nil {
		return *err
	}
	return nil
}

func (w *Writer) resolve(id int64) int64 {
	if stored, ok := w.ids[id]; ok {
		return stored
	}
	return id
}

// put returns an error only when this write is lost.
func (w *Writer) put(ctx context.Context, do write) error {
	if len(w.queue) >= maxWaiting {
		if err := w.drain(ctx); len(w.queue) >= maxWaiting {
			return fmt.Errorf("%d writes wait already, one more is lost: %w", len(w.queue), err)
		}
	}
	w.queue = append(w.queue, do)
	err := w.drain(ctx)
	if len(w.queue) > 0 {
		return nil
	}
	return err
}

// drain writes what waits, oldest first, until it has to wait again. What can
// never be written is reported and given up, so that it does not hold up the
// rest; the error is that of the last attempt.
func (w *Writer) drain(ctx context.Context) error {
	var err error
	for len(w.queue) > 0 {
		if err = ctx.Err(); err != nil {
			break
		}
		err = w.queue[0](ctx)
		w.note(err)
		if err != nil && !isPermanent(err) {
			break
		}
		w.queue[0] = nil
		w.queue = w.queue[1:]
	}
	w.waiting.Store(int64(len(w.queue)))
	return err
}

func (w *Writer) note(err error) {
	if err == nil {
		w.last.Store(nil)
		return
	}
	w.errors.Add(1)
	w.last.Store(&err)
	w.warn(err)
}

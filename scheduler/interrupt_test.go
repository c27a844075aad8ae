package scheduler

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

// In every case the campaign is interrupted at some point. It must end without
// an error, keep whole measurements only, blame no target, and be stored as what
// it is by a recorder whose context still lives.
func TestAnInterruptedCampaignKeepsWhatThereIs(t *testing.T) {
	tests := map[string]struct {
		interrupt func(w *world, cancel func())
		want      []string
		rounds    int
		state     bench.State
	}{
		"while preparing": {
			func(w *world, cancel func()) {
				w.begin["b"] = func(ctx context.Context) error { cancel(); return ctx.Err() }
			},
			nil, 0, bench.StateStopped,
		},
		"while starting": {
			func(w *world, cancel func()) {
				w.Verify = func(ctx context.Context, _ string, _ bench.Workload) error { cancel(); return ctx.Err() }
			},
			nil, 0, bench.StateStopped,
		},
		"while measuring": {
			func(w *world, cancel func()) { w.engine = interruptedEngine(w, "b", 2, cancel) },
			[]string{"a1", "b1", "c1", "a2"}, 1, bench.StateStopped,
		},
		"while the last target is measured": {
			func(w *world, cancel func()) { w.engine = interruptedEngine(w, "c", 2, cancel) },
			[]string{"a1", "b1", "c1", "a2", "b2"}, 1, bench.StateStopped,
		},
		"after a measurement": {
			func(w *world, cancel func()) {
				w.recorder.record = func(ctx context.Context, m bench.Measurement) error {
					if m.Target.Framework == "b" {
						cancel()
					}
					return w.record(ctx, m)
				}
			},
			[]string{"a1", "b1"}, 0, bench.StateStopped,
		},
		"when all rounds are done": {
			func(w *world, cancel func()) {
				asked := 0
				w.Verify = func(ctx context.Context, address string, _ bench.Workload) error {
					if address == "b" {
						if asked++; asked == 2 {
							cancel()
						}
					}
					return ctx.Err()
				}
			},
			[]string{"a1", "b1", "c1", "a2", "b2", "c2"}, 2, bench.StateFinished,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w := newWorld("a", "b", "c")
			test.interrupt(w, cancel)
			done, err := w.runWith(t, ctx)
			if err != nil {
				t.Errorf("error is %v", err)
			}
			if ctx.Err() == nil {
				t.Fatal("the campaign was not interrupted")
			}
			if diff := cmp.Diff(test.want, w.numbers()); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
			if w.loads > len(test.want)+1 {
				t.Errorf("%d targets were loaded, the last after the interruption", w.loads)
			}
			last := w.updates[len(w.updates)-1]
			if done.State != test.state || last.State != test.state || last.Rounds != test.rounds || last.Finished.IsZero() {
				t.Errorf("the campaign is %s, stored as %s after %d rounds, finished %s; want %s after %d",
					done.State, last.State, last.Rounds, last.Finished, test.state, test.rounds)
			}
		})
	}
}

// interruptedEngine is cancelled when it runs against name for the nth time and
// returns what it has, as a real engine does.
func interruptedEngine(w *world, name string, nth int, cancel func()) func(context.Context, bench.Plan) (bench.Load, error) {
	load, runs := w.engine, 0
	return func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		if p.Address == name {
			if runs++; runs == nth {
				cancel()
			}
		}
		return load(ctx, p)
	}
}

// Stopping is what interruption must not skip: servers get a context that lives.
func TestServersAreStoppedWithALivingContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := newWorld("a")
	w.engine = interruptedEngine(w, "a", 1, cancel)
	w.serve["a"] = func(s *fakeServer) {
		s.stop = func(ctx context.Context) error {
			w.stopped("a")
			if ctx.Err() != nil {
				t.Error("the context of Stop has ended before it began")
			}
			return nil
		}
	}
	if _, err := w.runWith(t, ctx); err != nil {
		t.Error(err)
	}
}

// Nobody waits for the targets that have not begun.
func TestAnInterruptedPreparationBeginsNoOther(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := newWorld("a", "b", "c", "d")
	w.Parallel = 1
	begun := 0
	for _, e := range w.request.Entrants {
		w.begin[e.Target.Framework] = func(context.Context) error { begun++; cancel(); return nil }
	}
	if _, err := w.runWith(t, ctx); err != nil {
		t.Error(err)
	}
	if begun != 1 || len(w.starts) != 0 {
		t.Errorf("%d targets were prepared and %d started, want 1 and 0", begun, len(w.starts))
	}
}

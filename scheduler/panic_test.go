package scheduler

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

// A bug in one part costs one measurement, or one target; runWith checks that
// no server and no lock is left.
func TestAPanicIsAFailureWithItsStack(t *testing.T) {
	tests := map[string]struct {
		breakIt func(*world)
		want    []string
	}{
		"prepare": {
			func(w *world) { w.begin["b"] = func(context.Context) error { panic("boom") } },
			[]string{"b0 install: panic: boom", "a1", "a2"},
		},
		"start": {
			func(w *world) {
				w.Starter = fakeStarter(func(ctx context.Context, c bench.Command, ready Ready) (Server, error) {
					if c.Name == "b" {
						panic("boom")
					}
					return w.start(ctx, c, ready)
				})
			},
			[]string{"b0 start: panic: boom", "a1", "a2"},
		},
		"engine": {
			func(w *world) {
				load := w.engine
				w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
					if p.Address == "b" {
						panic("boom")
					}
					return load(ctx, p)
				}
			},
			[]string{"a1", "b1 load: panic: boom", "a2", "b2 load: panic: boom"},
		},
		"judge": {
			func(w *world) {
				w.Judge = func(m bench.Measurement) []bench.Mark {
					if m.Target.Framework == "b" {
						panic("boom")
					}
					return nil
				}
			},
			[]string{"a1", "b1 load: panic: boom", "a2", "b2 load: panic: boom"},
		},
		"stop": {
			func(w *world) {
				w.serve["b"] = func(s *fakeServer) { s.stop = func(context.Context) error { w.stopped("b"); panic("boom") } }
			},
			[]string{"a1", "b1", "a2", "b2", "b0 stop: panic: boom"},
		},
		"stop of a server that died": {
			func(w *world) {
				w.dying("b", nil)
				dying := w.serve["b"]
				w.serve["b"] = func(s *fakeServer) {
					dying(s)
					if w.starts["b"] == 1 {
						s.stop = func(context.Context) error { w.stopped("b"); panic("boom") }
					}
				}
			},
			[]string{"a1", "b1 load: ended: signal: killed", "b0 stop: panic: boom", "a2", "b2"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld("a", "b")
			test.breakIt(w)
			if _, err := w.run(t); err != nil {
				t.Error(err)
			}
			var got []string
			for _, line := range w.numbers() {
				first, stack, _ := strings.Cut(line, "\n")
				got = append(got, first)
				if strings.Contains(first, "panic") && !strings.Contains(stack, "_test.go") {
					t.Errorf("%s: the stack does not lead to the panic:\n%s", first, stack)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPanicOfAnObserverOrRecorderIsToldAtTheEnd(t *testing.T) {
	tests := map[string]func(*world){
		"observer": func(w *world) { w.Observe = func(bench.Event) { panic("boom") } },
		"recorder": func(w *world) { w.recorder.record = func(context.Context, bench.Measurement) error { panic("boom") } },
	}
	for name, breakIt := range tests {
		w := newWorld("a")
		breakIt(w)
		done, err := w.run(t)
		if err == nil || !strings.HasPrefix(err.Error(), "keep what was measured: panic: boom\n") {
			t.Errorf("%s: error is %v", name, err)
		}
		if done.Rounds != 2 || w.starts["a"] != 1 {
			t.Errorf("%s: %d rounds, %d starts", name, done.Rounds, w.starts["a"])
		}
	}
}

// A bug between the rounds ends the campaign, but nothing of it is left behind.
func TestAPanicOutsideATurnEndsTheCampaignCleanly(t *testing.T) {
	w := newWorld("a", "b")
	asked := 0
	w.serve["b"] = func(s *fakeServer) {
		s.alive = func() error {
			if asked++; asked == 1 {
				panic("boom")
			}
			return nil
		}
	}
	done, err := w.run(t)
	if err == nil || !strings.HasPrefix(err.Error(), "panic: boom\n") {
		t.Errorf("error is %v", err)
	}
	if done.State != bench.StateStopped || w.updates[len(w.updates)-1].State != bench.StateStopped {
		t.Errorf("the campaign is %s, stored as %s", done.State, w.updates[len(w.updates)-1].State)
	}
}

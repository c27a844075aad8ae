package scheduler

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

// In every case b goes wrong, and a and c must not notice.
func TestAFailureHasItsStageAndCauseAndTheRestGoesOn(t *testing.T) {
	cause := errors.New("bad luck")
	tests := map[string]struct {
		breakIt func(*world)
		want    []string
	}{
		"install": {
			func(w *world) { w.begin["b"] = func(context.Context) error { return cause } },
			[]string{"b0 install: bad luck", "a1", "c1", "a2", "c2"},
		},
		"start": {
			func(w *world) {
				w.Starter = fakeStarter(func(ctx context.Context, c bench.Command, ready Ready) (Server, error) {
					if c.Name == "b" {
						return nil, &bench.Failure{Stage: bench.StageStart, Cause: "ImportError"}
					}
					return w.start(ctx, c, ready)
				})
			},
			[]string{"b0 start: ImportError", "a1", "c1", "a2", "c2"},
		},
		"ready": {
			func(w *world) { w.Verify = failOnce("b", 1, cause) },
			[]string{"b0 ready: bad luck", "a1", "c1", "a2", "c2"},
		},
		"verify after the last round": {
			func(w *world) { w.Verify = failOnce("b", 2, cause) },
			[]string{"a1", "b1", "c1", "a2", "b2", "c2", "b0 verify: bad luck"},
		},
		"load": {
			func(w *world) { w.engine = failingEngine(w, "b", 1, cause) },
			[]string{"a1", "b1 load: bad luck", "c1", "a2", "b2", "c2"},
		},
		"usage": {
			func(w *world) {
				w.serve["b"] = func(s *fakeServer) { s.usage = func() (bench.Reading, error) { return bench.Reading{}, cause } }
			},
			[]string{"a1", "b1 load: bad luck", "c1", "a2", "b2 load: bad luck", "c2"},
		},
		"stop": {
			func(w *world) {
				w.serve["b"] = func(s *fakeServer) {
					s.stop = func(context.Context) error { w.stopped("b"); return cause }
				}
			},
			[]string{"a1", "b1", "c1", "a2", "b2", "c2", "b0 stop: bad luck"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld("a", "b", "c")
			test.breakIt(w)
			done, err := w.run(t)
			if err != nil || done.State != bench.StateFinished {
				t.Errorf("the campaign is %s, error %v", done.State, err)
			}
			if diff := cmp.Diff(test.want, w.numbers()); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, w.shown()); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
			if w.starts["b"] > 1 {
				t.Errorf("a server that lives was started %d times", w.starts["b"])
			}
		})
	}
}

// failOnce is a Verify that fails at the nth time that it asks name.
func failOnce(name string, nth int, cause error) func(context.Context, string, bench.Workload) error {
	asked := 0
	return func(_ context.Context, address string, _ bench.Workload) error {
		if address != name {
			return nil
		}
		if asked++; asked == nth {
			return cause
		}
		return nil
	}
}

func failingEngine(w *world, name string, nth int, cause error) func(context.Context, bench.Plan) (bench.Load, error) {
	load, runs := w.engine, 0
	return func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		if p.Address == name {
			if runs++; runs == nth {
				return bench.Load{Requests: 1}, cause
			}
		}
		return load(ctx, p)
	}
}

func TestFailuresAreRecordedInTheOrderOfTheTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a", "b", "c")
		w.Parallel = 3
		for i, name := range []string{"c", "b", "a"} { // c fails first
			w.begin[name] = func(context.Context) error {
				time.Sleep(time.Duration(i) * time.Second)
				return errors.New("no wheel")
			}
		}
		if _, err := w.run(t); !errors.Is(err, ErrNothingMeasured) {
			t.Errorf("error is %v", err)
		}
		want := []string{"a0 install: no wheel", "b0 install: no wheel", "c0 install: no wheel"}
		if diff := cmp.Diff(want, w.numbers()); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

func TestAServerThatDiesIsStartedAgainAtItsNextTurn(t *testing.T) {
	// Its end is the cause, whether the engine met errors or just fewer answers.
	for name, met := range map[string]error{"counted": nil, "met an error": errors.New("connection refused")} {
		w := newWorld("a", "b")
		w.request.Protocol.Rounds = 3
		w.dying("b", met)
		if _, err := w.run(t); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := []string{"a1", "b1 load: ended: signal: killed", "a2", "b2", "a3", "b3"}
		if diff := cmp.Diff(want, w.numbers()); diff != "" {
			t.Errorf("%s: recorded (-want +got):\n%s", name, diff)
		}
		if w.starts["b"] != 2 || w.starts["a"] != 1 {
			t.Errorf("%s: starts are %v", name, w.starts)
		}
	}
}

func TestATargetThatCannotBeStartedAgainIsOut(t *testing.T) {
	w := newWorld("a", "b")
	w.request.Protocol.Rounds = 4
	w.dying("b", nil)
	w.Verify = failOnce("b", 2, errors.New("wrong body"))
	if _, err := w.run(t); err != nil {
		t.Error(err)
	}
	want := []string{"a1", "b1 load: ended: signal: killed", "a2", "b2 ready: wrong body", "a3", "a4"}
	if diff := cmp.Diff(want, w.numbers()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	if got := w.recorded[3]; got.Position != 1 || got.Campaign != worldID {
		t.Errorf("the failure is at position %d of campaign %d", got.Position, got.Campaign)
	}
}

// A dead server is not loaded: ten seconds of refused connections tell nothing.
func TestAServerThatDiedBetweenItsTurnsIsNotLoaded(t *testing.T) {
	w := newWorld("a", "b")
	w.request.Protocol.Rounds = 3
	dead, loads := false, 0
	w.serve["b"] = func(s *fakeServer) {
		dead = false
		s.alive = func() error {
			if dead {
				return errors.New("ended: exit status 1")
			}
			return nil
		}
	}
	load := w.engine
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		switch {
		case p.Address == "b":
			loads++
		case loads == 1:
			dead = true // while a is measured in round 2
		}
		return load(ctx, p)
	}
	if _, err := w.run(t); err != nil {
		t.Error(err)
	}
	want := []string{"a1", "b1", "a2", "b2 load: ended: exit status 1", "a3", "b3"}
	if diff := cmp.Diff(want, w.numbers()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	if loads != 2 || w.starts["b"] != 2 {
		t.Errorf("b was loaded %d times and started %d times, want 2 and 2", loads, w.starts["b"])
	}
}

func TestAServerThatIsDeadAtTheEndFailsTheLastCheck(t *testing.T) {
	w := newWorld("a")
	loads := 0
	w.serve["a"] = func(s *fakeServer) {
		s.alive = func() error {
			if loads > 2 {
				return errors.New("ended: exit status 3")
			}
			if loads == 2 {
				loads++ // the question after the last measurement is the last that it answers
			}
			return nil
		}
	}
	load := w.engine
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) { loads++; return load(ctx, p) }
	if _, err := w.run(t); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"a1", "a2", "a0 verify: ended: exit status 3"}, w.numbers()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

// A server that ignores every signal must not keep the daemon; that it did is told.
func TestStoppingIsBoundedAndItsFailureRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a", "b")
		w.serve["b"] = func(s *fakeServer) {
			s.stop = func(ctx context.Context) error { <-ctx.Done(); w.stopped("b"); return ctx.Err() }
		}
		begun := time.Now()
		if _, err := w.run(t); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took != stopLimit {
			t.Errorf("the campaign took %s, want %s", took, stopLimit)
		}
		want := []string{"a1", "b1", "a2", "b2", "b0 stop: context deadline exceeded"}
		if diff := cmp.Diff(want, w.numbers()); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

// The same, where what is left of a server that died cannot be stopped.
func TestStoppingADeadServerIsBoundedAndItsFailureRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("b")
		w.dying("b", nil)
		dying := w.serve["b"]
		w.serve["b"] = func(s *fakeServer) {
			dying(s)
			if w.starts["b"] == 1 {
				s.stop = func(ctx context.Context) error { <-ctx.Done(); w.stopped("b"); return ctx.Err() }
			}
		}
		if _, err := w.run(t); err != nil {
			t.Error(err)
		}
		want := []string{"b1 load: ended: signal: killed", "b0 stop: context deadline exceeded", "b2"}
		if diff := cmp.Diff(want, w.numbers()); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

func TestARecorderThatFailsLosesNothingThatIsShown(t *testing.T) {
	full := errors.New("database or disk is full")
	w := newWorld("a", "b")
	w.recorder.record = func(context.Context, bench.Measurement) error { return full }
	done, err := w.run(t)
	if !errors.Is(err, full) || err.Error() != "keep what was measured: database or disk is full" {
		t.Errorf("error is %v", err)
	}
	if done.State != bench.StateFinished || done.Rounds != 2 {
		t.Errorf("the campaign is %s after %d rounds", done.State, done.Rounds)
	}
	if diff := cmp.Diff([]string{"a1", "b1", "a2", "b2"}, w.shown()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestAnUpdateThatFailsIsToldAtTheEnd(t *testing.T) {
	full := errors.New("database or disk is full")
	w := newWorld("a")
	w.recorder.update = func(context.Context, bench.Campaign) error { return full }
	if _, err := w.run(t); !errors.Is(err, full) {
		t.Errorf("error is %v", err)
	}
	if diff := cmp.Diff([]string{"a1", "a2"}, w.numbers()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

func TestACampaignThatLosesAllItsTargetsIsAnError(t *testing.T) {
	w := newWorld("a")
	w.request.Protocol.Rounds = 5
	w.serve["a"] = func(s *fakeServer) {
		s.alive = func() error {
			if w.loads == 2 { // it ends in round 2
				return errors.New("ended: exit status 1")
			}
			return nil
		}
	}
	w.Verify = failOnce("a", 2, errors.New("wrong body")) // and does not start again in round 3
	done, err := w.run(t)
	if err == nil || !strings.Contains(err.Error(), "after 3 of 5 rounds") || done.State != bench.StateStopped {
		t.Errorf("state is %s, error is %v", done.State, err)
	}
}

// A server that stands still does so for the rest of the campaign, unless it is
// started again.
func TestAServerThatHangsIsStartedAgain(t *testing.T) {
	w := newWorld("a", "b")
	w.request.Protocol.Rounds = 3
	hanging := false
	w.serve["b"] = func(s *fakeServer) {
		stop := s.stop
		s.stop = func(ctx context.Context) error { hanging = false; return stop(ctx) }
	}
	w.Verify = func(_ context.Context, address string, _ bench.Workload) error {
		if address == "b" && hanging {
			return context.DeadlineExceeded
		}
		return nil
	}
	load, runs := w.engine, 0
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		if p.Address == "b" {
			if runs++; runs == 2 {
				hanging = true
				return bench.Load{Duration: p.Duration}, nil
			}
		}
		return load(ctx, p)
	}
	if _, err := w.run(t); err != nil {
		t.Error(err)
	}
	want := []string{"a1", "b1", "a2", "b2 load: not one right answer, nor to a request afterwards; it is started again", "a3", "b3"}
	if diff := cmp.Diff(want, w.numbers()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	if w.starts["b"] != 2 {
		t.Errorf("b was started %d times, want 2", w.starts["b"])
	}
}

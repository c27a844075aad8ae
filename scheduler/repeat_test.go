package scheduler

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

type repeatMarked struct{}

func (repeatMarked) Repeat(m bench.Measurement) bool { return len(m.Marks) > 0 }

// noisyOnce marks the first measurement of the named target in every round.
func noisyOnce(name string) func(bench.Measurement) []bench.Mark {
	return func(m bench.Measurement) []bench.Mark {
		if m.Target.Framework != name || m.Attempt > 0 {
			return nil
		}
		return []bench.Mark{{Kind: bench.MarkNoisy, Reason: bench.ReasonSteal}}
	}
}

func TestMarkedMeasurementIsRepeatedAtTheEndOfItsRound(t *testing.T) {
	w := newWorld("a", "b", "c")
	w.Repeat, w.Judge = repeatMarked{}, noisyOnce("b")
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	want := []string{"a1", "b1", "c1", "b1", "a2", "b2", "c2", "b2"}
	if diff := cmp.Diff(want, w.numbers()); diff != "" {
		t.Error(diff)
	}
	var attempts, positions []int
	for _, m := range w.recorded {
		attempts, positions = append(attempts, m.Attempt), append(positions, m.Position)
	}
	if diff := cmp.Diff([]int{0, 0, 0, 1, 0, 0, 0, 1}, attempts); diff != "" {
		t.Error("attempts", diff)
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3, 0, 1, 2, 3}, positions); diff != "" {
		t.Error("positions", diff)
	}
}

func TestRepetitionIsNotRepeated(t *testing.T) {
	w := newWorld("a")
	w.Repeat = repeatMarked{}
	w.Judge = func(bench.Measurement) []bench.Mark {
		return []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonErrors}}
	}
	w.request.Protocol.Rounds = 1
	_, _ = w.run(t) // nothing valid was measured
	if diff := cmp.Diff([]string{"a1", "a1"}, w.numbers()); diff != "" {
		t.Error(diff)
	}
}

// A server that has lost a process is another server: it is replaced before it
// is measured again.
func TestServerThatLostAProcessIsReplaced(t *testing.T) {
	w := newWorld("a", "b")
	w.Repeat = repeatMarked{}
	readings := []bench.Reading{{}, {}, {Ended: 1, Lost: 1}}
	w.serve["a"] = func(s *fakeServer) {
		s.usage = func() (reading bench.Reading, err error) {
			if len(readings) > 0 {
				reading, readings = readings[0], readings[1:]
			}
			return reading, nil
		}
	}
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if w.starts["a"] != 2 || w.starts["b"] != 1 {
		t.Errorf("servers were started %v times, want a twice", w.starts)
	}
	if diff := cmp.Diff([]string{"a1", "b1", "a1", "a2", "b2"}, w.numbers()); diff != "" {
		t.Error(diff)
	}
}

// enoughAfter ends a campaign after so many rounds.
type enoughAfter struct {
	rounds int
	asked  *[]int // how many measurements there were, each time
}

func (e enoughAfter) Enough(c bench.Campaign, ms []bench.Measurement) bool {
	*e.asked = append(*e.asked, len(ms))
	return c.Rounds >= e.rounds
}

func TestCampaignEndsWhenItKnowsEnough(t *testing.T) {
	w := newWorld("a", "b")
	var asked []int
	w.Enough = enoughAfter{3, &asked}
	w.request.Protocol = protocol(9)
	w.request.Protocol.Precision = 0.03
	done, err := w.run(t)
	if err != nil {
		t.Fatal(err)
	}
	if done.State != bench.StateFinished || done.Rounds != 3 {
		t.Errorf("%s after %d rounds, want finished after 3", done.State, done.Rounds)
	}
	if diff := cmp.Diff([]int{2, 4, 6}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestFixedProtocolIsNotCutShort(t *testing.T) {
	w := newWorld("a")
	var asked []int
	w.Enough = enoughAfter{1, &asked}
	done, err := w.run(t)
	if err != nil || done.Rounds != 2 || len(asked) != 0 {
		t.Errorf("%d rounds, asked %v, %v", done.Rounds, asked, err)
	}
}

func TestCampaignEndsWhenItsTimeIsOver(t *testing.T) {
	w := newWorld("a")
	w.request.Protocol = protocol(1000)
	w.request.Protocol.Limit = time.Nanosecond
	done, err := w.run(t)
	if err != nil || done.State != bench.StateFinished || done.Rounds != 1 {
		t.Errorf("%s after %d rounds, %v; want finished after 1", done.State, done.Rounds, err)
	}
}

// The time of a target that takes no part is nobody's.
func TestTimeIsOfThoseThatTakePart(t *testing.T) {
	for name, c := range map[string]struct {
		missing []string
		rounds  int
		state   bench.State
	}{
		"all":  {nil, 4, bench.StateFinished}, // 4 s each, a round takes 3
		"one":  {[]string{"b", "c"}, 4, bench.StateFinished},
		"none": {[]string{"a", "b", "c"}, 0, bench.StateStopped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("a", "b", "c")
				w.request.Protocol = protocol(1000)
				w.request.Protocol.Limit = 4 * time.Second
				for _, missing := range c.missing {
					w.begin[missing] = func(context.Context) error { return errors.New("no wheel") }
				}
				load := w.engine
				w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
					time.Sleep(p.Duration)
					return load(ctx, p)
				}
				done, _ := w.run(t) // an error where none takes part
				if done.State != c.state || done.Rounds != c.rounds {
					t.Errorf("%s after %d rounds, want %s after %d", done.State, done.Rounds, c.state, c.rounds)
				}
			})
		})
	}
}

// A campaign whose last target drops out was not ended by its limit.
func TestNobodyLeftIsNoLimit(t *testing.T) {
	w := newWorld("a")
	w.request.Protocol = protocol(1000)
	w.request.Protocol.Limit = time.Hour
	w.serve["a"] = func(s *fakeServer) {
		s.alive = func() error { return errors.New("it has ended") }
		delete(w.serve, "a")
	}
	start := w.Starter
	w.Starter = fakeStarter(func(ctx context.Context, c bench.Command, ready Ready) (Server, error) {
		if w.starts["a"] > 0 {
			return nil, errors.New("it does not start again")
		}
		return start.Start(ctx, c, ready)
	})
	if done, _ := w.run(t); done.State != bench.StateStopped {
		t.Errorf("%s after %d rounds, want stopped", done.State, done.Rounds)
	}
}

func TestServersAreStartedAnewEverySoManyRounds(t *testing.T) {
	w := newWorld("a", "b")
	w.request.Protocol = protocol(5)
	w.request.Protocol.Restart = 2
	var starts []int
	load := w.engine
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		starts = append(starts, w.starts[p.Address])
		return load(ctx, p)
	}
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 1, 1, 1, 2, 2, 2, 2, 3, 3}, starts); diff != "" {
		t.Error(diff)
	}
}

func control(w *world, name string) {
	e := w.entrant(name)
	e.Target = bench.ControlTarget(name)
	w.request.Entrants = append(w.request.Entrants, e)
}

func TestControlsAloneAreNoCampaign(t *testing.T) {
	w := newWorld("a")
	control(w, bench.ControlGo)
	w.begin["a"] = func(context.Context) error { return context.DeadlineExceeded }
	if _, err := w.run(t); err == nil {
		t.Error("a campaign of controls alone is a success")
	}
	if slices.Contains(w.numbers(), "go1") {
		t.Errorf("measured %v", w.numbers())
	}
}

func TestControlsAreMeasuredInEveryRound(t *testing.T) {
	w := newWorld("a")
	control(w, bench.ControlGo)
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a1", "go1", "a2", "go2"}, w.numbers()); diff != "" {
		t.Error(diff)
	}
}

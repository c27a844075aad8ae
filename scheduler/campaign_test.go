package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"restbench/internal/bench"
)

func TestEveryTargetIsMeasuredInEveryRound(t *testing.T) {
	w := newWorld("a", "b", "c")
	done, err := w.run(t)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a1", "b1", "c1", "a2", "b2", "c2"}
	if diff := cmp.Diff(want, w.numbers()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, w.shown()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if done.ID != worldID || done.State != bench.StateFinished || done.Rounds != 2 || done.Finished.Before(done.Started) {
		t.Errorf("campaign is %+v", done)
	}
	if diff := cmp.Diff(done, w.updates[len(w.updates)-1]); diff != "" {
		t.Errorf("the last update differs from the result (-result +update):\n%s", diff)
	}
	phases := []bench.Phase{bench.PhasePreparing, bench.PhaseStarting, bench.PhaseMeasuring, bench.PhaseStopping, bench.PhaseDone}
	if diff := cmp.Diff(phases, w.phases()); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
}

func TestAMeasurementHasItsCostsAndConditions(t *testing.T) {
	w := newWorld("a")
	w.request.Protocol.Rounds = 1
	w.Pinning = Pinning{Server: []int{0}, Client: []int{1}, Name: "server 0 client 1"}
	w.Window = func() func() bench.Conditions {
		return func() bench.Conditions { return bench.Conditions{Steal: 0.25} }
	}
	w.Judge = func(m bench.Measurement) []bench.Mark {
		return []bench.Mark{{Kind: bench.MarkNoisy, Reason: bench.ReasonSteal, Detail: fmt.Sprint(m.Target, m.Conditions.Steal, m.Server.CPU)}}
	}
	readings := []bench.Usage{
		{CPU: 4 * time.Second, Processes: 3, Busiest: time.Second},
		{CPU: 5 * time.Second, Memory: 100, RunQueue: 2 * time.Second, Processes: 3},
		{CPU: 8 * time.Second, Memory: 150, RunQueue: time.Second, Processes: 4, Busiest: 2 * time.Second}, // a thread that ended took its waiting with it
	}
	w.serve["a"] = func(s *fakeServer) {
		s.usage = func() (bench.Reading, error) {
			defer func() { readings = readings[1:] }()
			return bench.Reading{Usage: readings[0]}, nil
		}
	}
	var plan bench.Plan
	load := w.engine
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) { plan = p; return load(ctx, p) }
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	want := bench.Measurement{
		Campaign: worldID, Round: 1, Target: target("a"),
		Load:       bench.Load{Engine: "fake 1", Requests: 100, Duration: time.Second},
		Server:     bench.Usage{CPU: 3 * time.Second, Memory: 150, RunQueue: 0, Processes: 4, Busiest: 2 * time.Second},
		Conditions: bench.Conditions{Steal: 0.25, Pinning: "server 0 client 1", ServerProcessors: 1, ClientProcessors: 1},
		Marks:      []bench.Mark{{Kind: bench.MarkNoisy, Reason: bench.ReasonSteal, Detail: "a@current 0.25 3s"}},
	}
	if diff := cmp.Diff(want, w.recorded[0], cmpopts.IgnoreFields(bench.Measurement{}, "Started")); diff != "" {
		t.Errorf("measurement (-want +got):\n%s", diff)
	}
	wantPlan := bench.Plan{
		Engine: bench.EngineNative, Address: "a", Workload: w.request.Entrants[0].Workload, Duration: time.Second,
		Threads: 1, Connections: 4, RampUp: bench.RampUp, Timeout: bench.DefaultTimeout, CPUs: []int{1},
	}
	if diff := cmp.Diff(wantPlan, plan); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0}, w.commands[0].CPUs); diff != "" {
		t.Errorf("processors of the server (-want +got):\n%s", diff)
	}
}

func TestRoundsFollowTheOrderOfTheProtocol(t *testing.T) {
	for _, kind := range []bench.Order{bench.OrderFixed, bench.OrderRotated, bench.OrderShuffled} {
		names := []string{"a", "b", "c", "d", "e"}
		w := newWorld(names...)
		w.request.Protocol.Order, w.request.Protocol.Rounds, w.request.Seed = kind, 4, 99
		done, err := w.run(t)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for round := 1; round <= 4; round++ {
			for _, i := range order(kind, 99, round, len(names)) {
				want = append(want, fmt.Sprint(names[i], round))
			}
		}
		if diff := cmp.Diff(want, w.numbers()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
		for i, m := range w.recorded {
			if m.Position != i%len(names) {
				t.Errorf("%s: %s%d has position %d, want %d", kind, m.Target.Framework, m.Round, m.Position, i%len(names))
			}
		}
		if done.Seed != 99 {
			t.Errorf("%s: recorded seed is %d, want 99", kind, done.Seed)
		}
	}
}

// The warm-up must be outside of everything that is read as the measurement.
func TestWarmupIsNotRecorded(t *testing.T) {
	w := newWorld("a")
	w.request.Protocol.Rounds, w.request.Protocol.Warmup = 1, 300*time.Millisecond
	var steps []string
	load := w.engine
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		steps = append(steps, p.Duration.String())
		if p.RampUp == 0 {
			t.Errorf("the %s of a protocol with a warm-up open all connections at once", p.Duration)
		}
		return load(ctx, p)
	}
	w.Window = func() func() bench.Conditions {
		steps = append(steps, "window")
		return func() bench.Conditions { steps = append(steps, "end"); return bench.Conditions{} }
	}
	w.serve["a"] = func(s *fakeServer) {
		s.usage = func() (bench.Reading, error) { steps = append(steps, "usage"); return bench.Reading{}, nil }
	}
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	want := []string{"usage", "usage", "300ms", "usage", "window", "1s", "end", "usage"}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if got := w.recorded; len(got) != 1 || got[0].Load.Duration != time.Second {
		t.Errorf("recorded %v", got)
	}
}

func TestVersionsAndMarksOfEnvironmentsAreKept(t *testing.T) {
	w := newWorld("a")
	mark := bench.Mark{Kind: bench.MarkNote, Reason: bench.ReasonOtherPython}
	versions := bench.Versions{Framework: "20.6.3", Packages: map[string]string{"sanic": "20.6.3"}}
	w.request.Entrants[0].Prepare = func(context.Context) (Prepared, error) {
		return Prepared{Command: bench.Command{Name: "a"}, Versions: versions, Marks: []bench.Mark{mark}}, nil
	}
	w.request.Entrants[0].Signal = bench.SignalServerCPU
	done, err := w.run(t)
	if err != nil {
		t.Fatal(err)
	}
	want := []bench.Participant{{Target: target("a"), Signal: bench.SignalServerCPU, Versions: versions, Marks: []bench.Mark{mark}}}
	if diff := cmp.Diff(want, done.Participants); diff != "" {
		t.Errorf("participants (-want +got):\n%s", diff)
	}
	// Known before the first number: a campaign that is cut off must have them, too.
	if diff := cmp.Diff(want, w.updates[0].Participants); diff != "" || w.updates[0].Rounds != 0 {
		t.Errorf("participants of the first update, after %d rounds (-want +got):\n%s", w.updates[0].Rounds, diff)
	}
}

func TestObserversGetCopies(t *testing.T) {
	w := newWorld("a", "b")
	prepare := w.request.Entrants[0].Prepare
	w.request.Entrants[0].Prepare = func(ctx context.Context) (Prepared, error) {
		p, err := prepare(ctx)
		p.Versions.Packages = map[string]string{"a": "1"}
		p.Marks = []bench.Mark{{Reason: "true"}}
		return p, err
	}
	w.Observe = func(e bench.Event) {
		w.observe(e)
		for i := range e.Campaign.Participants {
			p := &e.Campaign.Participants[i]
			p.Target.Framework = "spoilt"
			for name := range p.Versions.Packages {
				p.Versions.Packages[name] = "spoilt"
			}
			for i := range p.Marks {
				p.Marks[i].Reason = "spoilt"
			}
		}
		if e.Target != nil {
			e.Target.Framework = "spoilt"
		}
		if e.Measurement != nil {
			e.Measurement.Target.Framework = "spoilt"
		}
	}
	done, err := w.run(t)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(done, w.updates, w.recorded, w.request.Entrants[0].Target); strings.Contains(text, "spoilt") {
		t.Errorf("an observer changed the campaign: %s", text)
	}
}

func TestParallelBoundsPreparingAndStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a", "b", "c", "d", "e")
		w.Parallel = 3
		work := func() error { time.Sleep(time.Second); return nil }
		for _, e := range w.request.Entrants {
			w.begin[e.Target.Framework] = func(context.Context) error { return work() }
		}
		w.Verify = func(context.Context, string, bench.Workload) error { return work() }
		begun := time.Now()
		if _, err := w.run(t); err != nil {
			t.Fatal(err)
		}
		// Five at three at once take two seconds: to prepare, to start, to verify at the end.
		if took := time.Since(begun); took != 6*time.Second {
			t.Errorf("the campaign took %s, want 6s", took)
		}
	})
}

func TestNothingMeasuredIsAnError(t *testing.T) {
	broken := newWorld("a", "b")
	broken.engine = func(context.Context, bench.Plan) (bench.Load, error) { return bench.Load{}, errors.New("refused") }
	invalid := newWorld("a", "b")
	invalid.Judge = func(bench.Measurement) []bench.Mark {
		return []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonNoRequests}}
	}
	unprepared := newWorld("a")
	unprepared.begin["a"] = func(context.Context) error { return errors.New("no interpreter") }
	for name, test := range map[string]struct {
		*world
		state bench.State
	}{
		"every measurement fails": {broken, bench.StateFinished},
		"none is valid":           {invalid, bench.StateFinished},
		"no targets":              {newWorld(), bench.StateStopped},
		"nobody can be prepared":  {unprepared, bench.StateStopped},
	} {
		done, err := test.run(t)
		if !errors.Is(err, ErrNothingMeasured) {
			t.Errorf("%s: error is %v, want %v", name, err, ErrNothingMeasured)
		}
		if done.State != test.state {
			t.Errorf("%s: state is %s, want %s", name, done.State, test.state)
		}
	}
}

func TestWaitingForAnotherCampaignIsTold(t *testing.T) {
	w := newWorld("a")
	lock := w.Lock
	w.Lock = func(ctx context.Context, waiting func(string)) (func(), error) {
		waiting("pid 42 (restbench run)")
		if len(w.updates)+len(w.starts) > 0 {
			t.Error("something was done before the lock was held")
		}
		return lock(ctx, waiting)
	}
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	first := w.events[0]
	if first.Phase != bench.PhaseWaiting || first.Detail != "waiting for pid 42 (restbench run)" {
		t.Errorf("the first event is %s %q", first.Phase, first.Detail)
	}
	if first.Campaign.Protocol != w.request.Protocol || len(first.Campaign.Participants) != 1 {
		t.Errorf("the campaign that waits is not described: %+v", first.Campaign)
	}
}

func TestACampaignThatCannotBeginStartsNothing(t *testing.T) {
	cause := errors.New("database or disk is full")
	tests := map[string]struct {
		breakIt func(*world)
		want    string
	}{
		"engine": {func(w *world) { w.Engine = func(string) (Engine, error) { return nil, cause } }, cause.Error()},
		"lock": {
			func(w *world) {
				w.Lock = func(context.Context, func(string)) (func(), error) { return nil, cause }
			},
			"wait for other campaigns on this machine: " + cause.Error(),
		},
		"history": {
			func(w *world) { w.recorder.begin = func(bench.Campaign) (int64, error) { return 0, cause } },
			"record the campaign: " + cause.Error(),
		},
	}
	for name, test := range tests {
		w := newWorld("a")
		test.breakIt(w)
		done, err := w.run(t)
		if !errors.Is(err, cause) || err.Error() != test.want {
			t.Errorf("%s: error is %v, want %s", name, err, test.want)
		}
		if done.ID != 0 || len(w.starts) != 0 {
			t.Errorf("%s: campaign %d was begun, servers started: %v", name, done.ID, w.starts)
		}
		if name != "engine" && len(w.events) == 0 {
			t.Errorf("%s: observers were not told that it is over", name)
		}
	}
}

// The servers that are not measured idle; none is started twice.
func TestServersStartOnceAndStopAfterTheLastRound(t *testing.T) {
	w := newWorld("a", "b")
	load := w.engine
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		if w.running["a"] != 1 || w.running["b"] != 1 {
			t.Errorf("while %s is loaded these run: %v", p.Address, w.running)
		}
		return load(ctx, p)
	}
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"a": 1, "b": 1}, w.starts); diff != "" {
		t.Errorf("starts (-want +got):\n%s", diff)
	}
}

func TestAServerIsReadyWhenItsAnswerIsRight(t *testing.T) {
	w := newWorld("a", "b")
	w.Verify = func(_ context.Context, address string, load bench.Workload) error {
		if load.Expect.Body != address {
			return fmt.Errorf("%s was asked for %q", address, load.Expect.Body)
		}
		return nil
	}
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(w.recorded, func(m bench.Measurement) bool { return m.Failure != nil }) {
		t.Errorf("recorded %v", w.numbers())
	}
}

// What Prepare finds out about the answer takes the place of what was expected.
func TestPrepareMayFindOutTheAnswer(t *testing.T) {
	w := newWorld("a", "b")
	prepare := w.request.Entrants[0].Prepare
	w.request.Entrants[0].Prepare = func(ctx context.Context) (Prepared, error) {
		p, err := prepare(ctx)
		p.Workload = &bench.Workload{Expect: bench.Expect{Body: "found"}}
		return p, err
	}
	var mu sync.Mutex
	expected := map[string]string{}
	w.Verify = func(_ context.Context, address string, work bench.Workload) error {
		mu.Lock()
		defer mu.Unlock()
		expected[address] = work.Expect.Body
		return nil
	}
	load := w.engine
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		if p.Workload.Expect.Body != expected[p.Address] {
			t.Errorf("%s is loaded for %q and verified for %q", p.Address, p.Workload.Expect.Body, expected[p.Address])
		}
		return load(ctx, p)
	}
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if expected["a"] != "found" || expected["b"] != "b" {
		t.Errorf("expected are %v", expected)
	}
}

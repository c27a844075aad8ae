package scheduler

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

func TestAServerThatLostAWorkerIsNotCounted(t *testing.T) {
	w := newWorld("a")
	w.request.Protocol.Rounds = 4
	readings := []bench.Reading{ // at the turn of a server that runs, before and after, in four rounds
		{}, {}, {Usage: bench.Usage{Processes: 4}, Ended: 1, Lost: 1},
		{Usage: bench.Usage{Processes: 24}}, {Usage: bench.Usage{Processes: 9}}, // it forks for requests
		{Ended: 1}, {}, {Usage: bench.Usage{Processes: 3}, Ended: 1}, // what is replaced was missing for a while
		{Usage: bench.Usage{Processes: 4}, Ended: 1, Lost: 1}, {}, {}, // between the rounds
	}
	w.serve["a"] = func(s *fakeServer) {
		s.usage = func() (bench.Reading, error) {
			defer func() { readings = readings[1:] }()
			return readings[0], nil
		}
	}
	steal := bench.Mark{Kind: bench.MarkNoisy, Reason: bench.ReasonSteal}
	w.Judge = func(bench.Measurement) []bench.Mark { return []bench.Mark{steal} }
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	died := bench.Mark{Kind: bench.MarkInvalid, Reason: bench.ReasonServerDied, Detail: "1 of the server's 5 processes ended meanwhile"}
	replaced := bench.Mark{Kind: bench.MarkNoisy, Reason: bench.ReasonServerDied, Detail: "1 of the server's 3 processes ended meanwhile and were replaced"}
	renewed := bench.Mark{Kind: bench.MarkNote, Reason: bench.ReasonServerDied, Detail: "started again: 1 of the server's 5 processes ended while it was not measured"}
	want := [][]bench.Mark{{died, steal}, {steal}, {replaced, steal}, {steal, renewed}}
	var got [][]bench.Mark
	for _, m := range w.recorded {
		got = append(got, m.Marks)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("marks of the rounds (-want +got):\n%s", diff)
	}
	if w.starts["a"] != 3 {
		t.Errorf("it was started %d times, want again where a process was lost", w.starts["a"])
	}
}

// A worker that ends in the warm-up is missing in what follows.
func TestAServerThatLostAWorkerInItsWarmUpIsNotCounted(t *testing.T) {
	w := newWorld("a")
	w.request.Protocol.Rounds, w.request.Protocol.Warmup = 1, time.Second
	readings := []bench.Reading{{}, {}, {Ended: 1, Lost: 1}, {}}
	w.serve["a"] = func(s *fakeServer) {
		s.usage = func() (bench.Reading, error) {
			defer func() { readings = readings[1:] }()
			return readings[0], nil
		}
	}
	if _, err := w.run(t); !errors.Is(err, ErrNothingMeasured) || w.recorded[0].Valid() {
		t.Errorf("%v: %+v", err, w.recorded)
	}
}

// reading makes the servers of a give these readings, one after the other.
func reading(w *world, readings []bench.Reading) {
	w.serve["a"] = func(s *fakeServer) {
		s.usage = func() (bench.Reading, error) {
			defer func() { readings = readings[1:] }()
			return readings[0], nil
		}
	}
}

func living(processes, ended, lost int) bench.Reading {
	return bench.Reading{Usage: bench.Usage{Processes: processes}, Ended: ended, Lost: lost}
}

// Workers that were started for a load end when it is over; one that the server began
// with is missing.
func TestAPoolThatShrinksWhenIdleIsNotStartedAgain(t *testing.T) {
	w := newWorld("a")
	w.request.Protocol.Rounds = 3
	reading(w, []bench.Reading{
		living(5, 0, 0), living(5, 0, 0), living(21, 0, 0),
		living(11, 10, 10), living(9, 2, 2), living(21, 0, 0),
		living(4, 17, 17), living(5, 0, 0), living(21, 0, 0),
	})
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	renewed := bench.Mark{Kind: bench.MarkNote, Reason: bench.ReasonServerDied, Detail: "started again: 1 of the server's 5 processes ended while it was not measured"}
	var got [][]bench.Mark
	for _, m := range w.recorded {
		got = append(got, m.Marks)
	}
	if diff := cmp.Diff([][]bench.Mark{nil, nil, {renewed}}, got); diff != "" || w.starts["a"] != 2 {
		t.Errorf("%d starts; marks of the rounds (-want +got):\n%s", w.starts["a"], diff)
	}
}

// What ends between the look at the server at its turn and its load is missing in the load.
func TestAWorkerLostJustBeforeTheLoadIsMissed(t *testing.T) {
	for name, c := range map[string]struct {
		warmup   time.Duration
		readings []bench.Reading
		detail   string // of the mark; empty: none
	}{
		"lost":                {0, []bench.Reading{living(5, 0, 0), living(4, 1, 1), living(4, 0, 0)}, "1 of the server's 5 processes ended meanwhile"},
		"lost before warm-up": {time.Second, []bench.Reading{living(5, 0, 0), living(4, 1, 1), living(4, 0, 0), living(4, 0, 0)}, "1 of the server's 5 processes ended meanwhile"},
		"replaced":            {0, []bench.Reading{living(5, 0, 0), living(5, 1, 0), living(5, 0, 0)}, ""},
	} {
		w := newWorld("a")
		w.request.Protocol.Rounds, w.request.Protocol.Warmup = 1, c.warmup
		reading(w, c.readings)
		_, _ = w.run(t) // nothing valid was measured
		var want []bench.Mark
		if c.detail != "" {
			want = []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonServerDied, Detail: c.detail}}
		}
		if diff := cmp.Diff(want, w.recorded[0].Marks); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Of wrk's load something is left when it ends; of native's nothing is.
func TestWrkMeetsAServerThatHasSettled(t *testing.T) {
	for engine, want := range map[string][]string{
		bench.EngineWrk:    {"settle a", "1s", "settle a", "2s"},
		bench.EngineNative: {"1s", "2s"},
	} {
		w := newWorld("a")
		w.request.Protocol = bench.Protocol{Name: "x", Rounds: 1, Duration: 2 * time.Second, Warmup: time.Second, Threads: 1, Connections: 1, Engine: engine}
		var steps []string
		w.Settle = func(_ context.Context, address string) error {
			steps = append(steps, "settle "+address)
			return nil
		}
		load := w.engine
		w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
			steps = append(steps, p.Duration.String())
			return load(ctx, p)
		}
		if _, err := w.run(t); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, steps); diff != "" {
			t.Errorf("%s (-want +got):\n%s", engine, diff)
		}
	}
}

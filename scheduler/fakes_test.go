package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"restbench/internal/bench"
)

type fakeServer struct {
	address string
	usage   func() (bench.Reading, error)
	alive   func() error
	stop    func(context.Context) error
}

func (s *fakeServer) Address() string                { return s.address }
func (s *fakeServer) Usage() (bench.Reading, error)  { return s.usage() }
func (s *fakeServer) Alive() error                   { return s.alive() }
func (s *fakeServer) Stop(ctx context.Context) error { return s.stop(ctx) }

type fakeStarter func(context.Context, bench.Command, Ready) (Server, error)

func (f fakeStarter) Start(ctx context.Context, c bench.Command, ready Ready) (Server, error) {
	return f(ctx, c, ready)
}

type fakeEngine func(context.Context, bench.Plan) (bench.Load, error)

func (f fakeEngine) Run(ctx context.Context, p bench.Plan) (bench.Load, error) { return f(ctx, p) }

type fakeRecorder struct {
	begin  func(bench.Campaign) (int64, error)
	record func(context.Context, bench.Measurement) error
	update func(context.Context, bench.Campaign) error
}

func (f *fakeRecorder) Begin(_ context.Context, c bench.Campaign) (int64, error) { return f.begin(c) }
func (f *fakeRecorder) Record(ctx context.Context, m bench.Measurement) error {
	return f.record(ctx, m)
}
func (f *fakeRecorder) Update(ctx context.Context, c bench.Campaign) error { return f.update(ctx, c) }

// world is a machine on which everything works; a test breaks what it is about.
// Targets are named by one word, which is their address as well.
type world struct {
	*Runner
	request  Request
	recorder *fakeRecorder

	engine func(ctx context.Context, p bench.Plan) (bench.Load, error)
	begin  map[string]func(context.Context) error // what Prepare does besides
	serve  map[string]func(*fakeServer)           // changes a server that has just been started

	mu       sync.Mutex
	running  map[string]int // servers that were started and not stopped
	starts   map[string]int
	loads    int
	commands []bench.Command
	recorded []bench.Measurement
	updates  []bench.Campaign
	events   []bench.Event
	locked   bool
}

const worldID = 7

func newWorld(names ...string) *world {
	w := &world{
		begin: map[string]func(context.Context) error{}, serve: map[string]func(*fakeServer){},
		running: map[string]int{}, starts: map[string]int{},
	}
	w.engine = func(_ context.Context, p bench.Plan) (bench.Load, error) {
		return bench.Load{Engine: "fake 1", Requests: 100, Duration: p.Duration}, nil
	}
	w.recorder = &fakeRecorder{begin: func(bench.Campaign) (int64, error) { return worldID, nil }, record: w.record, update: w.update}
	w.Runner = &Runner{
		Starter: fakeStarter(w.start), Recorder: w.recorder, Observe: w.observe, Parallel: 2,
		Engine: func(string) (Engine, error) {
			return fakeEngine(func(ctx context.Context, p bench.Plan) (bench.Load, error) {
				w.loads++
				return w.engine(ctx, p)
			}), nil
		},
		Verify:  func(context.Context, string, bench.Workload) error { return nil },
		Window:  func() func() bench.Conditions { return func() bench.Conditions { return bench.Conditions{} } },
		Judge:   func(bench.Measurement) []bench.Mark { return nil },
		Lock:    w.lock,
		Pinning: Pinning{Name: "none"},
	}
	w.request = Request{Kind: bench.KindManual, Protocol: protocol(2)}
	for _, name := range names {
		w.request.Entrants = append(w.request.Entrants, w.entrant(name))
	}
	return w
}

func protocol(rounds int) bench.Protocol {
	return bench.Protocol{Name: "quick", Rounds: rounds, Duration: time.Second, Threads: 1, Connections: 4,
		Order: bench.OrderFixed, Engine: bench.EngineNative}
}

func target(name string) bench.Target {
	return bench.Target{Framework: name, Edition: "current", Serving: bench.ServingDocumented, Workload: bench.WorkloadHello}
}

func (w *world) entrant(name string) Entrant {
	return Entrant{
		Target:   target(name),
		Workload: bench.Workload{Expect: bench.Expect{Status: 200, Body: name}},
		Prepare: func(ctx context.Context) (Prepared, error) {
			if do := w.begin[name]; do != nil {
				if err := do(ctx); err != nil {
					return Prepared{}, err
				}
			}
			return Prepared{Command: bench.Command{Name: name}, Versions: bench.Versions{Framework: "1.0"}}, nil
		},
	}
}

func (w *world) lock(context.Context, func(string)) (func(), error) {
	w.locked = true
	return func() { w.locked = false }, nil
}

func (w *world) start(ctx context.Context, c bench.Command, ready Ready) (Server, error) {
	if err := ready(ctx, c.Name); err != nil {
		return nil, &bench.Failure{Stage: bench.StageReady, Cause: err.Error()}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[c.Name]++
	w.starts[c.Name]++
	w.commands = append(w.commands, c)
	s := &fakeServer{
		address: c.Name,
		usage:   func() (bench.Reading, error) { return bench.Reading{}, nil },
		alive:   func() error { return nil },
		stop:    func(context.Context) error { w.stopped(c.Name); return nil },
	}
	if change := w.serve[c.Name]; change != nil {
		change(s)
	}
	return s, nil
}

func (w *world) stopped(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[name]--
}

func (w *world) record(ctx context.Context, m bench.Measurement) error {
	w.recorded = append(w.recorded, m)
	return ctx.Err()
}

func (w *world) update(ctx context.Context, c bench.Campaign) error {
	w.updates = append(w.updates, c)
	return ctx.Err()
}

func (w *world) observe(e bench.Event) { w.events = append(w.events, e) }

func (w *world) run(t *testing.T) (bench.Campaign, error) { return w.runWith(t, t.Context()) }

// runWith checks what must hold after every campaign, however it went.
func (w *world) runWith(t *testing.T, ctx context.Context) (bench.Campaign, error) {
	t.Helper()
	done, err := w.Run(ctx, w.request)
	for name, n := range w.running {
		if n != 0 {
			t.Errorf("%d servers of %s run after the campaign", n, name)
		}
	}
	if w.locked {
		t.Error("the lock is held after the campaign")
	}
	if len(w.events) > 0 && w.events[len(w.events)-1].Phase != bench.PhaseDone {
		t.Errorf("the last phase that observers saw is %q, want %q", w.events[len(w.events)-1].Phase, bench.PhaseDone)
	}
	return done, err
}

// numbers lists what was recorded: "a1" is a measurement of a in round 1, and
// "a1 load: gone" a failure there.
func (w *world) numbers() []string { return describe(w.recorded) }

func describe(all []bench.Measurement) []string {
	var lines []string
	for _, m := range all {
		line := fmt.Sprintf("%s%d", m.Target.Framework, m.Round)
		if m.Failure != nil {
			line += " " + m.Failure.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

// shown lists what observers were told, in the same words.
func (w *world) shown() []string {
	var all []bench.Measurement
	for _, e := range w.events {
		if e.Measurement != nil {
			all = append(all, *e.Measurement)
		}
	}
	return describe(all)
}

func (w *world) phases() []bench.Phase {
	var phases []bench.Phase
	for _, e := range w.events {
		phases = append(phases, e.Phase)
	}
	return slices.Compact(phases)
}

// dying makes the first server of name end when its engine runs; later ones live.
func (w *world) dying(name string, during error) (gone error) {
	gone = errors.New("ended: signal: killed")
	dead := false
	w.serve[name] = func(s *fakeServer) {
		if w.starts[name] == 1 {
			s.alive = func() error {
				if dead {
					return gone
				}
				return nil
			}
		}
	}
	load := w.engine
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		if p.Address == name && w.starts[name] == 1 {
			dead = true
			return bench.Load{Requests: 40, Duration: p.Duration}, during
		}
		return load(ctx, p)
	}
	return gone
}

package scheduler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"restbench/internal/bench"
)

// Runner carries campaigns out. Its fields are set once, by the one who wires
// it; it holds no state between campaigns.
type Runner struct {
	Starter  Starter
	Engine   func(name string) (Engine, error) // by the protocol's engine
	Recorder Recorder
	Verify   func(ctx context.Context, address string, w bench.Workload) error
	Window   func() (end func() bench.Conditions)            // watches the machine during a measurement
	Settle   func(ctx context.Context, address string) error // waits until nothing is left of wrk's load; nil: nobody does
	Judge    func(bench.Measurement) []bench.Mark
	Repeat   Repeater // nil: nothing is repeated
	Enough   Stopper  // nil: campaigns have all their rounds
	// Lock waits until no other campaign runs on this machine; waiting tells for whom.
	Lock     func(ctx context.Context, waiting func(holder string)) (unlock func(), err error)
	Observe  func(bench.Event)
	Machine  bench.Machine
	Pinning  Pinning
	Parallel int // how many targets are prepared, and how many are started, at once
}

// Pinning says which processors servers and clients use; all when empty.
type Pinning struct {
	Server, Client []int
	Name           string // "none", or "server 0 client 1"
}

// Request is what a campaign is to do.
type Request struct {
	Kind     bench.Kind
	Protocol bench.Protocol
	Seed     uint64 // of the order, when shuffled
	Entrants []Entrant
}

// ErrNothingMeasured means that a campaign ended without a single number.
var ErrNothingMeasured = errors.New("nothing was measured")

// campaign is one campaign under way.
type campaign struct {
	*Runner
	Request
	engine   Engine
	bench    bench.Campaign
	entries  []*entry
	phase    bench.Phase
	measured int                 // valid ones, controls left out
	began    time.Time           // of the first round
	enough   bool                // ended before its last round, as its protocol wants
	taken    []bench.Measurement // of this campaign, for Enough; without their histograms
	kept     error               // the first failure of the recorder or of the observer
}

// entry is an entrant under way. Its server is nil while it does not run.
type entry struct {
	Entrant
	prepared Prepared
	learned  *Learned // at the first start, where there was something to learn
	server   Server
	address  string
	first    int  // processes of the server at its first reading; 0 before it
	out      bool // takes no further part
}

// Run carries out one campaign. When ctx ends it stops where it is, keeps what
// there is and returns no error for that; the campaign's state tells. Failures
// of targets are recorded and do not end the campaign, nor does a recorder that
// fails: observers still get every measurement, and the error is returned at the
// end. A campaign that could not begin has no ID. Observers are called by one
// goroutine at a time; the last event of a campaign is PhaseDone.
func (r *Runner) Run(ctx context.Context, q Request) (bench.Campaign, error) {
	c := newCampaign(r, q)
	engine, err := r.Engine(q.Protocol.Engine)
	if err != nil {
		return c.bench, err
	}
	c.engine = engine
	unlock, err := r.Lock(ctx, func(holder string) { c.enter(bench.PhaseWaiting, "waiting for "+holder) })
	if err != nil {
		return c.abandon(fmt.Errorf("wait for other campaigns on this machine: %w", err))
	}
	defer unlock()
	if err := c.begin(ctx); err != nil {
		return c.abandon(err)
	}
	return c.run(ctx)
}

func newCampaign(r *Runner, q Request) *campaign {
	c := &campaign{Runner: r, Request: q}
	c.bench = bench.Campaign{
		Kind: c.Kind, State: bench.StateRunning, Protocol: c.Protocol,
		Machine: c.Machine, Seed: c.Seed, Started: time.Now().UTC(),
	}
	for _, e := range c.Entrants {
		c.entries = append(c.entries, &entry{Entrant: e})
		c.bench.Participants = append(c.bench.Participants, bench.Participant{Target: e.Target, Signal: e.Signal})
	}
	return c
}

// abandon ends a campaign that did not begin.
func (c *campaign) abandon(err error) (bench.Campaign, error) {
	c.bench.State = bench.StateStopped
	c.enter(bench.PhaseDone, "")
	return c.bench, err
}

func (c *campaign) begin(ctx context.Context) error {
	c.bench.Started = time.Now().UTC() // it may have waited for long
	id, err := c.Recorder.Begin(ctx, c.snapshot())
	if err != nil {
		return fmt.Errorf("record the campaign: %w", err)
	}
	c.bench.ID = id
	return nil
}

// run stops all servers and ends the campaign whatever happened before.
func (c *campaign) run(ctx context.Context) (bench.Campaign, error) {
	err := guard(func() error {
		for _, step := range []func(context.Context){c.prepare, c.start, c.rounds, c.verifyAgain} {
			if ctx.Err() == nil {
				step(ctx)
			}
		}
		return nil
	})
	c.stop(ctx)
	c.finish(ctx)
	switch {
	case err != nil:
		return c.bench, err
	case c.kept != nil:
		return c.bench, fmt.Errorf("keep what was measured: %w", c.kept)
	case c.measured == 0 && ctx.Err() == nil:
		return c.bench, ErrNothingMeasured
	case !c.enough && c.bench.Rounds < c.Protocol.Rounds && ctx.Err() == nil:
		return c.bench, fmt.Errorf("ended after %d of %d rounds: no target was left to be measured", c.bench.Rounds, c.Protocol.Rounds)
	}
	return c.bench, nil
}

// anybody reports whether a target still takes part. Controls alone are not worth
// a campaign.
func (c *campaign) anybody() bool {
	return slices.ContainsFunc(c.entries, func(e *entry) bool { return !e.out && !e.Target.Control() })
}

func (c *campaign) finish(ctx context.Context) {
	c.bench.State = bench.StateFinished
	if !c.enough && c.bench.Rounds < c.Protocol.Rounds {
		c.bench.State = bench.StateStopped
	}
	c.bench.Finished = time.Now().UTC()
	c.update(ctx)
	c.enter(bench.PhaseDone, "")
}

// update and record go on after ctx has ended: what was measured is kept.
func (c *campaign) update(ctx context.Context) {
	c.keep(func() error { return c.Recorder.Update(context.WithoutCancel(ctx), c.snapshot()) })
}

func (c *campaign) record(ctx context.Context, m bench.Measurement) {
	c.keep(func() error { return c.Recorder.Record(context.WithoutCancel(ctx), m) })
	c.observe(bench.Event{Round: m.Round, Target: &m.Target, Measurement: &m})
}

// keep goes on after a failure: the measuring is not worth less for it.
func (c *campaign) keep(do func() error) {
	if err := guard(do); err != nil && c.kept == nil {
		c.kept = err
	}
}

func (c *campaign) enter(phase bench.Phase, detail string) {
	c.phase = phase
	c.observe(bench.Event{Detail: detail})
}

func (c *campaign) observe(e bench.Event) {
	e.Time, e.Campaign, e.Phase = time.Now().UTC(), c.snapshot(), c.phase
	c.keep(func() error { c.Observe(e); return nil })
}

// snapshot shares nothing with the campaign under way.
func (c *campaign) snapshot() bench.Campaign {
	s := c.bench
	s.Participants = slices.Clone(s.Participants)
	for i := range s.Participants {
		p := &s.Participants[i]
		p.Marks, p.Versions.Packages = slices.Clone(p.Marks), maps.Clone(p.Versions.Packages)
	}
	return s
}

package scheduler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"restbench/internal/bench"
)

// place is where in a campaign something happened; zero is outside the rounds.
type place struct{ round, position, attempt int }

// turn measures e once, or records why it could not. A server that has ended
// fails the turn in which that shows and is started again at the next one; a
// target whose server cannot be started takes no further part. It reports whether
// the measurement is to be repeated.
func (c *campaign) turn(ctx context.Context, e *entry, at place) (again bool) {
	if e.out {
		return false
	}
	if e.server == nil {
		if err := c.launch(ctx, e); err != nil {
			e.out = true
			c.fail(ctx, e, at, asFailure(bench.StageStart, err))
			return false
		}
	}
	target := e.Target
	c.observe(bench.Event{Round: at.round, Target: &target})
	m, err := c.measure(ctx, e, at)
	switch {
	case ctx.Err() != nil: // a part of a measurement is none
		return false
	case err != nil:
		c.fail(ctx, e, at, asFailure(bench.StageLoad, err))
		c.drop(ctx, e)
		return false
	case m.Load.Requests == 0 && c.hangs(ctx, e) != nil:
		c.fail(ctx, e, at, &bench.Failure{Stage: bench.StageLoad, Cause: "not one right answer, nor to a request afterwards; it is started again"})
		c.discard(ctx, e)
		return false
	}
	c.take(m)
	c.record(ctx, m)
	if lostProcess(m) {
		c.discard(ctx, e)
	}
	return c.repeats(m)
}

// lostProcess reports whether a part of the server has ended.
func lostProcess(m bench.Measurement) bool {
	return slices.ContainsFunc(m.Marks, func(mark bench.Mark) bool { return mark.Reason == bench.ReasonServerDied })
}

// answerLimit is how long a server may take to answer one request when nobody
// else asks; a first packet that was dropped is sent again after one second and
// after three.
const answerLimit = 5 * time.Second

// hangs asks a server for one answer. A server that takes one connection at a
// time and waits for its request for ever stands still as soon as a client is
// lost; it would give nothing for the rest of the campaign.
func (c *campaign) hangs(ctx context.Context, e *entry) error {
	limited, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return guard(func() error { return c.Verify(limited, e.address, e.Workload) })
}

// drop discards a server that has ended.
func (c *campaign) drop(ctx context.Context, e *entry) {
	if e.server.Alive() != nil {
		c.discard(ctx, e)
	}
}

// discard stops a server, and what is left of its processes, so that its next
// turn begins anew.
func (c *campaign) discard(ctx context.Context, e *entry) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if err := guard(func() error { return e.halt(limited) }); err != nil {
		c.fail(ctx, e, place{}, asFailure(bench.StageStop, err))
	}
}

// measure asks before and after whether the server lives: its end is the cause
// of whatever the engine meets.
func (c *campaign) measure(ctx context.Context, e *entry, at place) (bench.Measurement, error) {
	m := bench.Measurement{Campaign: c.bench.ID, Round: at.round, Position: at.position, Attempt: at.attempt, Target: e.Target}
	if err := e.server.Alive(); err != nil {
		return m, err
	}
	err := guard(func() error { return c.load(ctx, e, &m) })
	if ended := e.server.Alive(); ended != nil {
		return m, ended
	}
	return m, err
}

// load runs the engine once and notes what it cost and what the machine did
// meanwhile.
func (c *campaign) load(ctx context.Context, e *entry, m *bench.Measurement) error {
	if err := c.warmUp(ctx, e); err != nil {
		return err
	}
	before, err := e.server.Usage()
	if err != nil {
		return err
	}
	m.Started = time.Now().UTC()
	end := c.Window()
	m.Load, err = c.engine.Run(ctx, c.plan(e))
	m.Conditions = end()
	if err != nil {
		return err
	}
	m.Conditions.Pinning, m.Conditions.ClientProcessors = c.Pinning.Name, len(c.Pinning.Client)
	after, err := e.server.Usage()
	if err != nil {
		return err
	}
	m.Server = used(before, after)
	m.Marks = append(shrunk(before, after), c.Judge(*m)...)
	return nil
}

func (c *campaign) warmUp(ctx context.Context, e *entry) error {
	if c.Protocol.Warmup == 0 {
		return nil
	}
	plan := c.plan(e)
	plan.Duration = c.Protocol.Warmup
	_, err := c.engine.Run(ctx, plan)
	return err
}

func (c *campaign) plan(e *entry) bench.Plan {
	return bench.Plan{
		Engine: c.Protocol.Engine, Address: e.address, Workload: e.Workload,
		Duration: c.Protocol.Duration, Threads: c.Protocol.Threads, Connections: c.Protocol.Connections,
		RampUp: c.Protocol.RampUp(), Timeout: bench.DefaultTimeout, CPUs: c.Pinning.Client,
	}
}

// used is what lies between two readings. A process that ended meanwhile takes
// its share with it; the difference is never shown as negative.
func used(before, after bench.Usage) bench.Usage {
	return bench.Usage{
		CPU:       max(0, after.CPU-before.CPU),
		RunQueue:  max(0, after.RunQueue-before.RunQueue),
		Memory:    after.Memory,
		Processes: after.Processes,
		Busiest:   after.Busiest,
	}
}

// shrunk marks a server that has lost a process: what is left of it would look
// like a slower one.
func shrunk(before, after bench.Usage) []bench.Mark {
	if after.Processes >= before.Processes {
		return nil
	}
	return []bench.Mark{{
		Kind: bench.MarkInvalid, Reason: bench.ReasonServerDied,
		Detail: fmt.Sprintf("%d of the server's %d processes ended meanwhile", before.Processes-after.Processes, before.Processes),
	}}
}

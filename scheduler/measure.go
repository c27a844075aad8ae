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
// fails the turn in which that shows and is started again at the next one, and one
// that has lost a part of itself between its turns is started again before; a
// target whose server cannot be started takes no further part. It reports whether
// the measurement is to be repeated.
func (c *campaign) turn(ctx context.Context, e *entry, at place) (again bool) {
	if e.out {
		return false
	}
	renewed := c.renew(ctx, e)
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
	m.Marks = append(m.Marks, renewed...)
	c.take(m)
	c.record(ctx, m)
	if lostProcess(m) {
		c.discard(ctx, e)
	}
	return c.repeats(m)
}

// renew ends a server that has lost a part since its last turn: what is left of it would
// look like a slower one.
func (c *campaign) renew(ctx context.Context, e *entry) []bench.Mark {
	if e.server == nil {
		return nil
	}
	now, err := e.server.Usage()
	if err != nil { // of its end the measurement tells
		return nil
	}
	if now = e.atRest(now); now.Lost == 0 {
		return nil
	}
	c.discard(ctx, e)
	return []bench.Mark{{
		Kind: bench.MarkNote, Reason: bench.ReasonServerDied,
		Detail: fmt.Sprintf("started again: %d of the server's %d processes ended while it was not measured", now.Lost, now.Processes+now.Lost),
	}}
}

// atRest judges a reading before a load. A pool of workers that has grown for requests
// shrinks when there are none, and has lost only what it is smaller than at the server's
// first reading.
func (e *entry) atRest(now bench.Reading) bench.Reading {
	if e.first == 0 {
		e.first = now.Processes
	}
	now.Lost = min(now.Lost, max(0, e.first-now.Processes))
	return now
}

// lostProcess reports whether a part of the server has ended for good.
func lostProcess(m bench.Measurement) bool {
	return slices.ContainsFunc(m.Marks, func(mark bench.Mark) bool {
		return mark.Reason == bench.ReasonServerDied && mark.Kind == bench.MarkInvalid
	})
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
	before, err := c.warmUp(ctx, e)
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
	m.Conditions.Pinning = c.Pinning.Name
	m.Conditions.ServerProcessors, m.Conditions.ClientProcessors = len(c.Pinning.Server), len(c.Pinning.Client)
	after, err := e.server.Usage()
	if err != nil {
		return err
	}
	m.Server = used(before.Usage, after.Usage)
	m.Marks = append(died(before, after), c.Judge(*m)...)
	return nil
}

// warmUp brings the server to where its measurement begins, and reads what it has used
// until then, and what it has lost since it was looked at in renew. What was replaced
// before the load is not missing in it.
func (c *campaign) warmUp(ctx context.Context, e *entry) (bench.Reading, error) {
	before, err := c.settled(ctx, e)
	if err != nil {
		return before, err
	}
	before = e.atRest(before)
	before.Ended = before.Lost
	if c.Protocol.Warmup == 0 {
		return before, nil
	}
	plan := c.plan(e)
	plan.Duration = c.Protocol.Warmup
	if _, err := c.engine.Run(ctx, plan); err != nil {
		return before, err
	}
	warm, err := c.settled(ctx, e)
	warm.Ended, warm.Lost = warm.Ended+before.Ended, warm.Lost+before.Lost
	return warm, err
}

// settled reads what a server has used when nothing is left of the load before. wrk
// leaves connections behind for which a server that takes one at a time stands still.
func (c *campaign) settled(ctx context.Context, e *entry) (bench.Reading, error) {
	if c.Settle != nil && c.Protocol.Engine == bench.EngineWrk {
		if err := c.Settle(ctx, e.address); err != nil {
			return bench.Reading{}, err
		}
	}
	return e.server.Usage()
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

// died marks a measurement in which a part of the server ended. If nothing has replaced
// it, what is left would look like a slower server. A replaced one was missing for a
// while; some servers replace theirs all the time.
func died(before, after bench.Reading) []bench.Mark {
	ended, lost := before.Ended+after.Ended, before.Lost+after.Lost
	mark := bench.Mark{Kind: bench.MarkInvalid, Reason: bench.ReasonServerDied}
	switch {
	case ended == 0:
		return nil
	case lost == 0:
		mark.Kind = bench.MarkNoisy
		mark.Detail = fmt.Sprintf("%d of the server's %d processes ended meanwhile and were replaced", ended, after.Processes)
	default:
		mark.Detail = fmt.Sprintf("%d of the server's %d processes ended meanwhile", ended, after.Processes+lost)
	}
	return []bench.Mark{mark}
}

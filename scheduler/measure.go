package scheduler

import (
	"context"
	"time"

	"restbench/internal/bench"
)

// turn measures e once in round, or records why it could not. A server that
// ended since its last turn is started again; one that cannot be started takes
// no further part.
func (c *campaign) turn(ctx context.Context, e *entry, round, position int) {
	if e.out {
		return
	}
	if e.server == nil {
		if err := c.launch(ctx, e); err != nil {
			e.out = true
			c.fail(ctx, e, round, asFailure(bench.StageStart, err))
			return
		}
	}
	c.observe(bench.Event{Round: round, Target: &e.Target})
	m, err := c.measure(ctx, e)
	if ctx.Err() != nil {
		return // a part of a measurement is none
	}
	if err == nil {
		err = e.server.Alive()
	}
	if err != nil {
		c.fail(ctx, e, round, asFailure(bench.StageLoad, err))
		c.drop(ctx, e)
		return
	}
	m.Campaign, m.Round, m.Position, m.Target = c.bench.ID, round, position, e.Target
	m.Marks = c.Judge(m)
	c.measured++
	c.record(ctx, m)
}

// drop stops a server that has failed, so that its next turn begins anew.
func (c *campaign) drop(ctx context.Context, e *entry) {
	if e.server.Alive() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if err := e.halt(ctx); err != nil {
		c.fail(ctx, e, 0, asFailure(bench.StageStop, err))
	}
}

// measure runs the engine once and notes what it cost and what the machine did
// meanwhile.
func (c *campaign) measure(ctx context.Context, e *entry) (bench.Measurement, error) {
	plan := c.plan(e)
	if c.Protocol.Warmup > 0 {
		warm := plan
		warm.Duration = c.Protocol.Warmup
		if _, err := c.engine.Run(ctx, warm); err != nil {
			return bench.Measurement{}, err
		}
	}
	before, err := e.server.Usage()
	if err != nil {
		return bench.Measurement{}, err
	}
	m := bench.Measurement{Started: time.Now().UTC()}
	end := c.Window()
	m.Load, err = c.engine.Run(ctx, plan)
	m.Conditions = end()
	if err != nil {
		return m, err
	}
	m.Conditions.Pinning = c.Pinning.Name
	after, err := e.server.Usage()
	m.Server = used(before, after)
	return m, err
}

func (c *campaign) plan(e *entry) bench.Plan {
	return bench.Plan{
		Engine: c.Protocol.Engine, Address: e.address, Workload: e.Workload,
		Duration: c.Protocol.Duration, Threads: c.Protocol.Threads, Connections: c.Protocol.Connections,
		Timeout: bench.DefaultTimeout, CPUs: c.Pinning.Client,
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
	}
}

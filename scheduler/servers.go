package scheduler

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"restbench/internal/bench"
)

// stopLimit bounds the stopping of all servers, also when the campaign was
// interrupted: nothing may be left behind.
const stopLimit = 30 * time.Second

func (c *campaign) prepare(ctx context.Context) {
	c.enter(bench.PhasePreparing, "")
	c.together(ctx, bench.StageInstall, func(e *entry) error {
		prepared, err := e.Prepare(ctx)
		e.prepared = prepared
		if prepared.Workload != nil {
			e.Workload = *prepared.Workload
		}
		return err
	})
	for i, e := range c.entries {
		c.bench.Participants[i].Versions = e.prepared.Versions
		c.bench.Participants[i].Marks = e.prepared.Marks
	}
	c.update(ctx)
}

func (c *campaign) start(ctx context.Context) {
	c.enter(bench.PhaseStarting, "")
	c.together(ctx, bench.StageStart, func(e *entry) error { return c.launch(ctx, e) })
	c.tellLearned(ctx)
}

// tellLearned says which answers nobody has told before: a server that gives another
// one than its users get is measured all the same.
func (c *campaign) tellLearned(ctx context.Context) {
	for i, e := range c.entries {
		if e.learned == nil {
			continue
		}
		if len(e.learned.Marks) > 0 {
			c.bench.Participants[i].Marks = slices.Concat(e.prepared.Marks, e.learned.Marks)
			c.update(ctx)
		}
		c.observe(bench.Event{Detail: e.learned.Detail})
	}
}

// launch starts the server of e and checks its answer.
func (c *campaign) launch(ctx context.Context, e *entry) error {
	command := e.prepared.Command
	command.CPUs = c.Pinning.Server
	return guard(func() error {
		server, err := c.Starter.Start(ctx, command, c.ready(e))
		if err != nil {
			return err
		}
		e.server, e.address, e.first = server, server.Address(), 0
		return nil
	})
}

// ready asks the server of e for the right answer. What is learned at its first start
// is the right one from then on.
func (c *campaign) ready(e *entry) Ready {
	return func(ctx context.Context, address string) error {
		if e.Learn == nil {
			return c.Verify(ctx, address, e.Workload)
		}
		learned, err := e.Learn(ctx, address)
		if err == nil {
			e.learned, e.Workload, e.Learn = &learned, learned.Workload, nil
		}
		return err
	}
}

// verifyAgain checks every answer after the last round: a server that has gone
// wrong meanwhile must not look right.
func (c *campaign) verifyAgain(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	c.together(ctx, bench.StageVerify, func(e *entry) error {
		if e.server == nil {
			return nil
		}
		if err := e.server.Alive(); err != nil {
			return err
		}
		return c.Verify(ctx, e.address, e.Workload)
	})
}

// stop goes on after ctx has ended. Only the stopping itself is limited in time:
// that a limit was reached is recorded, too.
func (c *campaign) stop(ctx context.Context) {
	c.enter(bench.PhaseStopping, "")
	ctx = context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	for _, e := range c.entries {
		e.out = false
	}
	c.together(ctx, bench.StageStop, func(e *entry) error { return e.halt(limited) })
}

func (e *entry) halt(ctx context.Context) error {
	if e.server == nil {
		return nil
	}
	server := e.server
	e.server = nil
	return server.Stop(ctx)
}

// together does the same to all entries that still take part, several at once,
// and records as failures of the stage what goes wrong, in the entries' order.
func (c *campaign) together(ctx context.Context, stage bench.Stage, do func(*entry) error) {
	failures := make([]error, len(c.entries))
	places := make(chan struct{}, max(1, c.Parallel))
	var all sync.WaitGroup
	for i, e := range c.entries {
		if e.out {
			continue
		}
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			if ctx.Err() == nil {
				failures[i] = guard(func() error { return do(e) })
			}
		})
	}
	all.Wait()
	for i, err := range failures {
		if err != nil {
			c.entries[i].out = true
			c.fail(ctx, c.entries[i], place{}, asFailure(stage, err))
		}
	}
}

// fail records a failure of e, unless the campaign was interrupted: then it is
// the interruption that failed it.
func (c *campaign) fail(ctx context.Context, e *entry, at place, f *bench.Failure) {
	if ctx.Err() != nil {
		return
	}
	c.record(ctx, bench.Measurement{
		Campaign: c.bench.ID, Round: at.round, Position: at.position, Attempt: at.attempt,
		Target: e.Target, Started: time.Now().UTC(), Failure: f,
	})
}

func asFailure(stage bench.Stage, err error) *bench.Failure {
	if f, ok := errors.AsType[*bench.Failure](err); ok {
		return f
	}
	return &bench.Failure{Stage: stage, Cause: err.Error()}
}

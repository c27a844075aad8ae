package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"restbench/internal/bench"
)

// awaitStart returns when the guard has started the server.
func (v *Server) awaitStart(ctx context.Context, limit time.Duration) error {
	select {
	case err := <-v.started:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(limit):
		return fmt.Errorf("the guard did not start it within %s", limit)
	}
}

// awaitReady asks again and again, ever less often, until the server is ready,
// has ended, or time is up.
func (v *Server) awaitReady(ctx context.Context, limit time.Duration, ready func(context.Context, string) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer context.AfterFunc(v.life, cancel)()
	problem := errors.New("it was not asked")
	strangers := 0
	for delay := 5 * time.Millisecond; ; delay = min(delay*3/2, 100*time.Millisecond) {
		err := v.probe(bounded, limit/4, ready)
		if err == nil {
			return nil
		}
		if bounded.Err() == nil {
			problem = err
		}
		// One look may be torn: a worker that was forked between two readings.
		if strangers = nextStrangers(strangers, err); strangers == 3 {
			return err
		}
		select {
		case <-time.After(delay):
		case <-bounded.Done():
			return v.whyNot(ctx, limit, problem)
		}
	}
}

func nextStrangers(before int, err error) int {
	if _, taken := errors.AsType[*portTakenError](err); taken {
		return before + 1
	}
	return 0
}

// probe asks once.
func (v *Server) probe(ctx context.Context, limit time.Duration, ready func(context.Context, string) error) error {
	if err := v.ownsPort(); err != nil || ready == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return ready(ctx, v.Address())
}

// ownsPort proves that every socket that a connection to the server's address may
// reach belongs to its tree. An answer alone would not: a left-over worker or
// another program may give the right one.
func (v *Server) ownsPort() error {
	inodes, err := listeners(v.port)
	if err != nil {
		return err
	}
	if len(inodes) == 0 {
		return fmt.Errorf("nothing listens on %s", v.Address())
	}
	others := notHeldBy(inodes, descendants(snapshot(), v.guard.pid()))
	if len(others) > 0 {
		return &portTakenError{fmt.Sprintf("port %d is in use by %s", v.port, holder(others[0]))}
	}
	return nil
}

// whyNot tells apart why waiting has ended.
func (v *Server) whyNot(ctx context.Context, limit time.Duration, problem error) error {
	switch {
	case v.life.Err() != nil:
		return fmt.Errorf("%w before it was ready", context.Cause(v.life))
	case ctx.Err() != nil:
		return fmt.Errorf("stopped before it was ready: %w", ctx.Err())
	default:
		return fmt.Errorf("%s was not ready within %g seconds: %w", v.Address(), limit.Seconds(), problem)
	}
}

// giveUp removes the server and makes a failure of why it did not start.
func (v *Server) giveUp(ctx context.Context, stage bench.Stage, why error) error {
	_, taken := errors.AsType[*portTakenError](why)
	// Whoever took the port still has it: that is no news.
	if err := v.Stop(ctx); err != nil && !taken {
		v.log.Error().Err(err).Msg("a server that did not start left something behind")
	}
	lines := v.stderr.lines()
	if !taken && saysInUse(lines) {
		why = &portTakenError{why.Error()}
	}
	return startError(stage, withLines(why.Error(), lines), why)
}

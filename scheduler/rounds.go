package scheduler

import (
	"context"
	"slices"
	"time"

	"restbench/internal/bench"
)

func (c *campaign) rounds(ctx context.Context) {
	c.enter(bench.PhaseMeasuring, "")
	c.began = time.Now()
	for round := 1; round <= c.Protocol.Rounds && !c.enough && c.anybody(); round++ {
		if round > 1 && c.Protocol.Start(round) != c.Protocol.Start(round-1) {
			c.restart(ctx)
		}
		c.round(ctx, round)
		if ctx.Err() != nil {
			return
		}
		c.bench.Rounds = round
		c.update(ctx)
		c.observe(bench.Event{Round: round})
		c.enough = c.stopsHere()
	}
}

// round measures every target once, and those that were marked a second time
// after all the others: what disturbed them may have passed by then.
func (c *campaign) round(ctx context.Context, round int) {
	var again []*entry
	indices := order(c.Protocol.Order, c.Seed, round, len(c.entries))
	for position, i := range indices {
		if ctx.Err() != nil {
			return
		}
		if c.turn(ctx, c.entries[i], place{round: round, position: position}) {
			again = append(again, c.entries[i])
		}
	}
	for i, e := range again {
		if ctx.Err() != nil {
			return
		}
		c.turn(ctx, e, place{round: round, position: len(indices) + i, attempt: 1})
	}
}

// repeats reports whether m is to be made once more. A repetition never is.
func (c *campaign) repeats(m bench.Measurement) bool {
	return c.Repeat != nil && m.Attempt == 0 && c.Repeat.Repeat(m)
}

// restart starts the servers of all targets anew: what one start happened to be
// like (addresses, hashes, caches) must not pass for the framework's speed.
func (c *campaign) restart(ctx context.Context) {
	c.observe(bench.Event{Detail: "starting the servers anew"})
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	c.together(ctx, bench.StageStop, func(e *entry) error { return e.halt(limited) })
	c.together(ctx, bench.StageStart, func(e *entry) error { return c.launch(ctx, e) })
}

// stopsHere reports whether the campaign has done what its protocol wants, or
// taken the time that it may take.
func (c *campaign) stopsHere() bool {
	p := c.Protocol
	n := c.ranked()
	if p.Limit > 0 && n > 0 && time.Since(c.began) >= p.Limit*time.Duration(n) {
		return true
	}
	if p.Precision <= 0 || c.Enough == nil {
		return false
	}
	enough := false
	c.keep(func() error {
		enough = c.Enough.Enough(c.snapshot(), slices.Clone(c.taken))
		return nil
	})
	return enough
}

// take remembers m for Enough.
func (c *campaign) take(m bench.Measurement) {
	if m.Ranked() {
		c.measured++
	}
	if c.Protocol.Precision > 0 && m.Round > 0 {
		m.Load.Latency = nil
		c.taken = append(c.taken, m)
	}
}

// ranked is the number of targets that were asked for and still take part; the
// controls' time is taken out of theirs.
func (c *campaign) ranked() int {
	n := 0
	for _, e := range c.entries {
		if !e.out && !e.Target.Control() {
			n++
		}
	}
	return n
}

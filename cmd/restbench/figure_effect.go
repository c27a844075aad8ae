//go:build linux && (amd64 || arm64)

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/host"
	"restbench/internal/report"
)

// conditions brings about what server i is to be measured under, and says which
// processors the client gets.
type conditions func(i int, changed bool) (client []int, err error)

// clientTax is what it changes when client and server get processors of their
// own: what they took from each other before.
func (g figureCheck) clientTax(ctx context.Context) (string, error) {
	allowed := host.AllowedCPUs()
	server, client, err := apart(allowed)
	if err != nil {
		return "", err
	}
	return g.withServers(ctx, func(a *among) (string, error) {
		effect, err := a.effect(ctx, func(i int, changed bool) ([]int, error) {
			if changed {
				return client, a.all[i].server.SetCPUs(server)
			}
			return allowed, a.all[i].server.SetCPUs(allowed)
		})
		return line(fmt.Sprintf("pinned apart (%s) ÷ not pinned", host.PinningText(server, client)), effect, err)
	})
}

// apart divides the processors as automatic pinning does, or into halves where
// there are too few for that.
func apart(allowed []int) (server, client []int, err error) {
	if len(allowed) < 2 {
		return nil, nil, errors.New("pinning apart needs two processors, and only one may be used")
	}
	if server, client, err = host.Pin(host.PinAuto, allowed); server != nil || err != nil {
		return server, client, err
	}
	half := (len(allowed) + 1) / 2
	return allowed[:half], allowed[half:], nil
}

// neighbours is what it costs a server that the others run and are idle, beside
// being stopped.
func (g figureCheck) neighbours(ctx context.Context) (string, error) {
	return g.withServers(ctx, func(a *among) (text string, err error) {
		if len(a.all) < 2 {
			return "", errors.New("there are no neighbours: only one server runs")
		}
		paused := make([]bool, len(a.all))
		defer func() { // a server that is paused ends only after its grace
			for i := range a.all {
				if paused[i] {
					err = errors.Join(err, a.all[i].server.Resume())
				}
			}
		}()
		effect, err := a.effect(ctx, func(i int, changed bool) ([]int, error) {
			return a.plan.pinning.Client, a.pauseOthers(paused, i, !changed)
		})
		return line(fmt.Sprintf("neighbours (%d) idle ÷ stopped", len(a.all)-1), effect, err)
	})
}

// pauseOthers pauses all but one, or lets all go on.
func (a *among) pauseOthers(paused []bool, but int, wanted bool) error {
	for i, s := range a.all {
		pause := wanted && i != but
		if pause == paused[i] {
			continue
		}
		do := s.server.Resume
		if pause {
			do = s.server.Pause
		}
		if err := do(); err != nil {
			return err
		}
		paused[i] = pause
	}
	return nil
}

// idleStates is what it changes that processors stay out of the idle states that are
// slow to leave.
func (g figureCheck) idleStates(ctx context.Context) (string, error) {
	plan := *g.plan
	plan.config.IdleStates = config.IdleAny
	g.plan = &plan
	return g.withServers(ctx, func(a *among) (text string, err error) {
		limit, err := host.LimitIdle()
		if err != nil {
			return "", fmt.Errorf("limit idle states: %w", err)
		}
		what := fmt.Sprintf("idle states no deeper than %s ÷ all", limit)
		defer func() { err = errors.Join(err, limit.Close()) }()
		effect, err := a.effect(ctx, func(_ int, changed bool) ([]int, error) {
			return a.plan.pinning.Client, limit.Set(changed)
		})
		return line(what, effect, err)
	})
}

// line is of what was measured, also where something ended it early.
func line(what string, e report.Effect, err error) (string, error) {
	if e.Blocks == 0 {
		return "", err
	}
	return what + ": " + e.Line(), err
}

// Shape of the measuring of an effect.
const (
	effectRounds  = 8 // that are aimed at
	mostEffect    = 1000
	longestEffect = time.Second // of one measurement
	leastEffect   = 100 * time.Millisecond
)

// trial is how an effect is measured.
type trial struct {
	*among
	set    conditions
	length time.Duration // of one measurement
}

// effect measures all servers in turn under both conditions, round after round
// until the time is over; at least two rounds, below which nothing can be said. What
// ends it early leaves the effect in the rounds before.
func (a *among) effect(ctx context.Context, set conditions) (report.Effect, error) {
	// A third goes into warm-ups, starts of the engine and changes of conditions.
	length := a.time * 2 / 3 / time.Duration(effectRounds*4*len(a.all))
	t := trial{a, set, min(longestEffect, max(leastEffect, length))}
	rounds, ended := t.rounds(ctx)
	if len(rounds) == 0 {
		return report.Effect{}, cmp.Or(ended, errors.New("no round in which every server has answered under both conditions"))
	}
	effect, err := report.NewEffect(a.names(), rounds)
	if err != nil {
		return report.Effect{}, err
	}
	for _, text := range effect.Lines() {
		fmt.Fprintln(a.err, text)
	}
	return effect, ended
}

// rounds are those that count, until the time is over or something ends them.
func (t trial) rounds(ctx context.Context) (rounds [][]report.Block, ended error) {
	end := time.Now().Add(t.time)
	var longest time.Duration
	for n := 0; n < mostEffect && (n < 2 || time.Now().Add(longest).Before(end)); n++ {
		begun := time.Now()
		round, err := t.round(ctx, n%2 == 1)
		if err != nil {
			return rounds, fmt.Errorf("ended in round %d: %w", n+1, err)
		}
		if _, err := report.NewEffect(t.names(), [][]report.Block{round}); err != nil {
			fmt.Fprintf(t.err, "round %d does not count: %s\n", n+1, err)
		} else {
			rounds = append(rounds, round)
		}
		longest = max(longest, time.Since(begun))
		fmt.Fprintf(t.err, "round %d done, %s left\n", n+1, max(0, time.Until(end)).Round(time.Second))
	}
	return rounds, nil
}

func (a *among) names() []string {
	var names []string
	for _, s := range a.all {
		names = append(names, s.target.String())
	}
	return names
}

func (t trial) round(ctx context.Context, mirrored bool) ([]report.Block, error) {
	var round []report.Block
	for i, s := range t.all {
		block, err := t.block(ctx, i, mirrored)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.target, err)
		}
		round = append(round, block)
	}
	return round, nil
}

// block is plain, changed, changed, plain, or the mirror of it.
func (t trial) block(ctx context.Context, i int, mirrored bool) (b report.Block, err error) {
	for turn := range 4 {
		side, changed := &b.Plain, (turn == 1 || turn == 2) != mirrored
		if changed {
			side = &b.Changed
		}
		if side[turn/2], err = t.under(ctx, i, changed); err != nil {
			return b, err
		}
	}
	return b, nil
}

// under measures server i under one of the conditions, after a warm-up that is
// not counted.
func (t trial) under(ctx context.Context, i int, changed bool) (bench.Measurement, error) {
	client, err := t.set(i, changed)
	if err == nil {
		_, err = t.measure(ctx, t.all[i], t.length/4, client)
	}
	if err != nil {
		return bench.Measurement{}, err
	}
	return t.measure(ctx, t.all[i], t.length, client)
}

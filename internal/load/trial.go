package load

import (
	"context"
	"fmt"
	"time"

	"restbench/internal/bench"
)

// Loader is an engine.
type Loader interface {
	Run(ctx context.Context, plan bench.Plan) (bench.Load, error)
}

// Trial lets two engines take turns on one live server.
type Trial struct {
	Native, Wrk Loader
	Plan        bench.Plan    // its Engine is set by the trial
	Pause       time.Duration // before each run: sockets and queues of the one before empty
}

// turns is which of the engines runs, in even and in odd blocks: 0 native, 1 wrk.
// Mirrored blocks take turns, so that neither engine is always the first.
func turns(block int) [4]int {
	if block%2 == 0 {
		return [4]int{0, 1, 1, 0}
	}
	return [4]int{1, 0, 0, 1}
}

// mostBlocks bounds a trial, however short its runs are.
const mostBlocks = 1000

// Run makes whole blocks until the next one would end after until; at least two,
// below which nothing can be said. When it ends early it returns the whole blocks
// that there are, with the error.
func (t Trial) Run(ctx context.Context, until time.Time) ([]bench.EngineBlock, error) {
	var blocks []bench.EngineBlock
	length := 4 * (t.Plan.Duration + t.Pause)
	for n := 0; n < mostBlocks && (n < 2 || time.Now().Add(length).Before(until)); n++ {
		begun := time.Now()
		block, err := t.block(ctx, n)
		if err != nil {
			return blocks, err
		}
		blocks = append(blocks, block)
		length = max(length, time.Since(begun))
	}
	return blocks, nil
}

func (t Trial) block(ctx context.Context, n int) (bench.EngineBlock, error) {
	var block bench.EngineBlock
	var done [2]int
	for _, turn := range turns(n) {
		if err := pause(ctx, t.Pause); err != nil {
			return block, err
		}
		engine, plan, loads := t.Native, t.Plan, &block.Native
		plan.Engine = bench.EngineNative
		if turn == 1 {
			engine, loads, plan.Engine = t.Wrk, &block.Wrk, bench.EngineWrk
		}
		load, err := engine.Run(ctx, plan)
		if err != nil {
			return block, fmt.Errorf("compare engines: %w", err)
		}
		loads[done[turn]] = load
		done[turn]++
	}
	return block, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

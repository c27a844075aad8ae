package load

import (
	"context"
	"fmt"

	"restbench/internal/bench"
)

// Loader is an engine.
type Loader interface {
	Run(ctx context.Context, plan bench.Plan) (bench.Load, error)
}

// Trial lets two engines take turns on one live server.
type Trial struct {
	Native, Wrk Loader
	Plan        bench.Plan                  // its Engine is set by the trial
	Settle      func(context.Context) error // waits before each run until nothing is left of the one before
}

// turns is which of the engines runs, in even and in odd blocks: 0 native, 1 wrk.
// Mirrored blocks take turns, so that neither engine is always the first.
func turns(block int) [4]int {
	if block%2 == 0 {
		return [4]int{0, 1, 1, 0}
	}
	return [4]int{1, 0, 0, 1}
}

// Block is the nth block, from 0: two runs of each engine.
func (t Trial) Block(ctx context.Context, n int) (bench.EngineBlock, error) {
	var block bench.EngineBlock
	var done [2]int
	for _, turn := range turns(n) {
		if err := t.Settle(ctx); err != nil {
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

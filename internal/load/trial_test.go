package load

import (
	"context"
	"errors"
	"strings"
	"testing"

	"restbench/internal/bench"
)

// scribe notes which engine was asked for.
type scribe struct {
	runs  *[]string
	after int // fails from this run on; 0: never
}

func (s scribe) Run(_ context.Context, p bench.Plan) (bench.Load, error) {
	*s.runs = append(*s.runs, p.Engine)
	if s.after > 0 && len(*s.runs) >= s.after {
		return bench.Load{}, errors.New("broken")
	}
	return bench.Load{Engine: p.Engine, Requests: int64(len(*s.runs))}, nil
}

func TestTrialTakesTurns(t *testing.T) {
	var runs []string
	settled := 0
	trial := Trial{Native: scribe{runs: &runs}, Wrk: scribe{runs: &runs}, Settle: func(context.Context) error {
		if settled++; settled != len(runs)+1 {
			t.Errorf("settled %d times before run %d", settled, len(runs)+1)
		}
		return nil
	}}
	var blocks []bench.EngineBlock
	for n := range 2 {
		block, err := trial.Block(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, block)
	}
	if got := strings.Join(runs, " "); got != "native wrk wrk native wrk native native wrk" {
		t.Errorf("turns: %s", got)
	}
	for i, want := range []int64{1, 4, 2, 3, 6, 7, 5, 8} {
		block := blocks[i/4]
		got := []bench.Load{block.Native[0], block.Native[1], block.Wrk[0], block.Wrk[1]}[i%4]
		if got.Requests != want {
			t.Errorf("place %d holds run %d, want %d", i, got.Requests, want)
		}
	}
}

func TestTrialTellsWhatWentWrong(t *testing.T) {
	var runs []string
	broken := scribe{&runs, 3}
	settle := func(ctx context.Context) error { return ctx.Err() }
	if _, err := (Trial{Native: broken, Wrk: broken, Settle: settle}).Block(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("%v after an engine failed", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Trial{Native: scribe{runs: &runs}, Wrk: scribe{runs: &runs}, Settle: settle}).Block(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v after the end of its context", err)
	}
}

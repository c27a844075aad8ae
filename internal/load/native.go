package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"restbench/internal/bench"
)

// EngineCommand is the hidden command that runs Engine.
const EngineCommand = "__engine"

// grace is how long an engine may take beyond its window: to start, to write its
// result, to end.
const grace = 10 * time.Second

// shownOutput is how much of an engine's unreadable output an error shows.
const shownOutput = 200

// Native runs restbench's own engine in a process of its own.
type Native struct {
	Runner     Runner
	Executable string // path of restbench
}

// Run puts the load on the server and waits for its end. No error, wrong answer
// or dead server makes Run itself fail: all of that is in the load. Where
// plan.Workload.Expect has no status, any status below 400 with any body is right.
func (n Native) Run(ctx context.Context, plan bench.Plan) (bench.Load, error) {
	if err := validPlan(plan); err != nil {
		return bench.Load{}, err
	}
	input, err := json.Marshal(toSend(plan))
	if err != nil {
		return bench.Load{}, fmt.Errorf("write the plan: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, plan.RampUp+plan.Duration+grace)
	defer cancel()
	out, err := n.Runner.Run(ctx, bench.Command{
		Name: "native engine", Argv: []string{n.Executable, EngineCommand}, Stdin: input, CPUs: plan.CPUs,
		// The loops are never to be interrupted for the sake of others: there are none.
		Env: []string{"GODEBUG=asyncpreemptoff=1", "GOGC=off"},
	})
	if err != nil {
		return bench.Load{}, fmt.Errorf("run the native engine: %w", err)
	}
	return readLoad(out)
}

// sentPlan is a plan on its way to the child. A body need not be UTF-8, which is all
// that a string in JSON can be.
type sentPlan struct {
	bench.Plan
	Body []byte `json:"body"`
}

func toSend(plan bench.Plan) sentPlan {
	body := []byte(plan.Workload.Expect.Body)
	plan.Workload.Expect.Body = ""
	return sentPlan{plan, body}
}

func (s sentPlan) plan() bench.Plan {
	s.Workload.Expect.Body = string(s.Body)
	return s.Plan
}

// readLoad reads what the child wrote. The child knows what its window cost;
// ClientCPU is the whole child's, as wait4 says, in the same way as for wrk.
func readLoad(out bench.Output) (bench.Load, error) {
	var load bench.Load
	if err := json.Unmarshal(out.Stdout, &load); err != nil {
		return bench.Load{}, fmt.Errorf("read the native engine's result: %w: %s", err, shown(out.Stdout))
	}
	if load.Engine == "" || load.Duration <= 0 {
		return bench.Load{}, fmt.Errorf("read the native engine's result: it is incomplete: %s", shown(out.Stdout))
	}
	load.ClientCPU, load.ClientStartCPU = out.CPU, max(out.CPU-load.ClientCPU, 0)
	return load, nil
}

func shown(output []byte) string {
	if len(output) == 0 {
		return "no output"
	}
	return fmt.Sprintf("%q", bytes.TrimSpace(output[:min(len(output), shownOutput)]))
}

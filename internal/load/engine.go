package load

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"restbench/internal/bench"
)

const (
	nativeName = "native 2" // a change that shifts results gets the next number
	readSize   = 8 << 10    // of one read, as wrk's

	// memoryFuse makes the garbage collector, which is off, step in before the
	// machine suffers. A run needs a few MiB.
	memoryFuse = 1 << 30
)

// Engine is the native engine's own process, the hidden command __engine: a plan
// as JSON comes in, a load as JSON goes out. It changes the settings of the whole
// process. The result is the exit status; errors go to stderr, one line.
func Engine(stdin io.Reader, stdout io.Writer) int {
	load, err := runEngine(stdin)
	if err == nil {
		err = json.NewEncoder(stdout).Encode(load)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "native engine:", err)
		return 1
	}
	return 0
}

func runEngine(stdin io.Reader) (bench.Load, error) {
	var sent sentPlan
	if err := json.NewDecoder(stdin).Decode(&sent); err != nil {
		return bench.Load{}, fmt.Errorf("read the plan: %w", err)
	}
	plan := sent.plan()
	if err := validPlan(plan); err != nil {
		return bench.Load{}, err
	}
	// Nothing but the loops shall run while they run: no collector, and one more
	// place to run than there are loops, so that none waits for another.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryFuse)
	runtime.GOMAXPROCS(plan.Threads + 1)
	return runLoops(plan)
}

func validPlan(plan bench.Plan) error {
	_, err := loopback(plan.Address)
	switch {
	case err != nil:
		return err
	case plan.Duration <= 0:
		return fmt.Errorf("plan: duration is %s", plan.Duration)
	case plan.Threads < 1 || plan.Connections < plan.Threads:
		return fmt.Errorf("plan: %d connections over %d threads, want at least one each", plan.Connections, plan.Threads)
	case plan.RampUp < 0:
		return fmt.Errorf("plan: ramp_up is %s", plan.RampUp)
	case plan.Timeout < 0:
		return fmt.Errorf("plan: timeout is %s", plan.Timeout)
	}
	return plan.Workload.Request.Validate()
}

func timeoutOf(plan bench.Plan) time.Duration {
	if plan.Timeout == 0 {
		return bench.DefaultTimeout
	}
	return plan.Timeout
}

// count is what one loop counted.
type count struct {
	requests   int64
	bytes      int64
	reconnects int64
	away       time.Duration   // sum over the connections: when they were not there, or their request was in vain
	unanswered []time.Duration // how long requests had waited at the end, where that was most of the window
	errors     map[bench.ErrorKind]int64
	firstWrong string
	wrongAt    time.Duration // when firstWrong came, to find the first of all loops
	latency    latency
}

// collect adds the loops' counts up.
func collect(counts []*count, plan bench.Plan) (bench.Load, error) {
	load := bench.Load{Engine: nativeName, Duration: plan.Duration, Errors: map[bench.ErrorKind]int64{}, Unconnected: new(float64)}
	all := plan.Duration * time.Duration(len(counts)*(plan.Connections/plan.Threads))
	total := newLatency()
	first, away := time.Duration(math.MaxInt64), time.Duration(0)
	for _, c := range counts {
		load.Requests += c.requests
		load.Bytes += c.bytes
		load.Reconnects += c.reconnects
		away += c.away
		for kind, n := range c.errors {
			load.Errors[kind] += n
		}
		if c.firstWrong != "" && c.wrongAt < first {
			first, load.FirstWrong = c.wrongAt, c.firstWrong
		}
		total.merge(c.latency)
	}
	for _, c := range counts {
		away += hung(c.unanswered, total)
	}
	*load.Unconnected = away.Seconds() / all.Seconds()
	var err error
	if load.Latency, err = total.encode(); err != nil {
		return load, fmt.Errorf("encode latencies: %w", err)
	}
	load.Quantiles = total.quantiles()
	return load, nil
}

// hung is the time of those requests that waited much longer than answers took: a
// server that answers them all one after the other is slow, and turns to each.
func hung(unanswered []time.Duration, answers latency) (sum time.Duration) {
	usual := answers.usual()
	for _, waited := range unanswered {
		if waited > 2*usual {
			sum += waited
		}
	}
	return sum
}

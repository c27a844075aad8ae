package load

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"restbench/internal/bench"
)

// TestMain makes the test binary answer the hidden command, as restbench does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == EngineCommand {
		os.Exit(Engine(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// execRunner runs programs plainly.
type execRunner struct{}

func (execRunner) Run(ctx context.Context, c bench.Command) (bench.Output, error) {
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, c.Env...)
	cmd.Stdin = bytes.NewReader(c.Stdin)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	out := bench.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}
	if s := cmd.ProcessState; s != nil {
		out.CPU = s.UserTime() + s.SystemTime()
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return out, err
}

func native(t *testing.T) Native {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Native{Runner: execRunner{}, Executable: executable}
}

// run puts a short load on the server.
func run(t *testing.T, plan bench.Plan) bench.Load {
	t.Helper()
	load, err := native(t).Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests, %d reconnects, errors %v, %s", load.Requests, load.Reconnects, load.Errors, load.FirstWrong)
	return load
}

// planFor is a quarter of a second with 2 threads and 8 connections.
func planFor(address string, want bench.Expect) bench.Plan {
	return bench.Plan{
		Address: address, Workload: bench.Workload{Request: bench.Request{Path: "/"}, Expect: want},
		Duration: 250 * time.Millisecond, Threads: 2, Connections: 8, Timeout: bench.DefaultTimeout,
	}
}

// listen opens a free port for the length of the test.
func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"restbench/internal/bench"
)

func TestRun(t *testing.T) {
	t.Setenv("SOME_PROXY", "kept")
	s := newSupervisor(t, Options{})
	c := faulty("echo")
	c.Stdin, c.Env, c.CPUs = bytes.Repeat([]byte("x"), 1<<20), []string{"GIVEN=given"}, []int{0}
	before := allowedCPUs()
	out, err := s.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Stdout, c.Stdin) || string(out.Stderr) != "0 kept given" {
		t.Errorf("%d bytes, %q", len(out.Stdout), out.Stderr)
	}
	if out.CPU <= 0 || out.Elapsed <= 0 {
		t.Errorf("CPU %s, elapsed %s", out.CPU, out.Elapsed)
	}
	if now := allowedCPUs(); now != before {
		t.Errorf("processors of the caller: %s, were %s", now, before)
	}
	emptyDir(t, s.options.RunDir)
}

func TestRunMeasuresProcessorTime(t *testing.T) {
	s := newSupervisor(t, Options{})
	out, err := s.Run(t.Context(), faulty("burn"))
	// Some of it is the runtime's, on another processor, at the same time.
	if err != nil || out.CPU < burnTime || out.CPU > 5*burnTime || out.Elapsed < burnTime/2 {
		t.Errorf("CPU %s in %s, %v", out.CPU, out.Elapsed, err)
	}
}

func TestRunThatDoesNotSucceed(t *testing.T) {
	tests := map[string]bench.Command{
		"test exit exited with status 7: ModuleNotFoundError: No module named 'x'\n": faulty("exit", "7"),
		"a tool: not an executable":                                 {Name: "a tool", Argv: []string{"no-such-program"}},
		"file: no such file or directory":                           {Argv: []string{"/no/such/file"}},
		"wrote more than 16 MiB to stdout":                          faulty("big"),
		"sh exited (signal: killed)":                                {Argv: []string{"sh", "-c", "kill -9 $$"}},
		"sh: working directory /no/such: no such file or directory": {Argv: []string{"sh"}, Dir: "/no/such"},
	}
	for want, c := range tests {
		s := newSupervisor(t, Options{})
		out, err := s.Run(t.Context(), c)
		if err == nil || !strings.Contains(strings.Replace(err.Error(), "no-such-program: ", "", 1), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if len(out.Stdout) > maxStdout {
			t.Errorf("%d bytes of stdout", len(out.Stdout))
		}
		emptyDir(t, s.options.RunDir)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := newSupervisor(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := s.Run(ctx, bench.Command{Argv: []string{"sh", "-c", "trap '' TERM; sleep 1000 & sleep 1000"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begin); took > patience/2 {
		t.Errorf("took %s", took)
	}
	if _, err := s.Run(ctx, faulty("echo")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	emptyDir(t, s.options.RunDir)
}

// A child that left the group holds stdout: Run neither waits for it nor leaves it.
func TestRunDoesNotWaitForAHeldPipe(t *testing.T) {
	s := newSupervisor(t, Options{})
	out, err := s.Run(t.Context(), faulty("hold"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out.Stdout)))
	if err != nil {
		t.Fatal(err)
	}
	if state, err := readStat(pid); err == nil && state.alive() {
		t.Errorf("left behind: %s", state)
	}
}

// The kernel sends the parent-death signal when the thread ends that started the
// process: golang/go#27505.
func TestChildSurvivesTheThreadThatAskedForIt(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", faultCommand, "echo", "0")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	cmd.Stdout = &output
	var c *child
	inDyingThread(func() { c, err = launch(cmd, nil, syscall.SIGKILL) })
	if err != nil {
		t.Fatal(err)
	}
	// Had the signal been sent, the child could not answer any more.
	_, _ = input.Write([]byte("are you there?"))
	_ = input.Close()
	<-c.done
	if c.err != nil || output.String() != "are you there?" {
		t.Errorf("got %q, %v", output.String(), c.err)
	}
}

func TestLimitsAreNamed(t *testing.T) {
	err := explain(fmt.Errorf("fork: %w", syscall.EMFILE))
	if !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "the limit of open files (ulimit -n) is ") {
		t.Errorf("got %v", err)
	}
	if other := errors.New("other"); !errors.Is(explain(other), other) {
		t.Error("changed")
	}
}

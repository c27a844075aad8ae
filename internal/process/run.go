package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"restbench/internal/bench"
)

// maxStdout is how many bytes of a program's stdout are kept.
const maxStdout = 16 << 20

// Run runs a program to its end: an engine, or a tool such as uv. Unlike a server
// it gets restbench's whole environment besides Env, because tools take proxies,
// certificates and their own settings from there. What it has started ends with
// it. When ctx ends, its group is killed.
//
// The output is there with an error, too. An error says how the program ended,
// with the last lines of stderr, or wraps that of ctx.
func (s *Supervisor) Run(ctx context.Context, c bench.Command) (bench.Output, error) {
	if c.Name == "" && len(c.Argv) > 0 {
		c.Name = filepath.Base(c.Argv[0])
	}
	if err := ctx.Err(); err != nil {
		return bench.Output{}, fmt.Errorf("run %s: %w", c.Name, err)
	}
	argv, err := lookUp(c)
	if err != nil {
		return bench.Output{}, fmt.Errorf("run %s: %w", c.Name, err)
	}
	e, err := s.newEntry(c.Name, 0)
	if err != nil { // a full disk: what the program does is worth more than the note of it
		s.options.Log.Warn().Err(err).Msg("run a program without a note of it")
	}
	r := program{name: c.Name, log: s.options.Log, entry: e, stdout: headWriter{limit: maxStdout}}
	r.cmd = exec.Cmd{Path: argv[0], Args: argv, Dir: c.Dir, Stdout: &r.stdout, Stderr: &r.stderr}
	r.cmd.Env = append(append(os.Environ(), c.Env...), cookieName+"="+e.Cookie)
	if len(c.Stdin) > 0 {
		r.cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	return r.run(ctx, c.CPUs)
}

// program is one run.
type program struct {
	name   string
	log    zerolog.Logger
	cmd    exec.Cmd
	entry  *entry
	stdout headWriter
	stderr tailWriter
}

func (r *program) run(ctx context.Context, cpus []int) (bench.Output, error) {
	begin := time.Now()
	c, err := launch(&r.cmd, cpus, syscall.SIGKILL)
	if err != nil {
		r.entry.remove()
		return bench.Output{}, fmt.Errorf("run %s: %w", r.name, err)
	}
	stop := context.AfterFunc(ctx, c.kill)
	if err := r.note(c.pid()); err != nil {
		r.log.Warn().Err(err).Msg("run a program without a note of it")
	}
	<-c.done
	stop()
	_, left := r.entry.destroy(identity{})
	if len(left) == 0 {
		r.entry.remove()
	}
	out := bench.Output{Stdout: r.stdout.text, Stderr: r.stderr.text, Elapsed: c.ended.Sub(begin)}
	if state := r.cmd.ProcessState; state != nil {
		out.CPU = state.UserTime() + state.SystemTime()
	}
	return out, errors.Join(r.verdict(ctx, c.err), leftBehind(left))
}

func (r *program) note(pid int) error {
	s, err := readStat(pid)
	if err != nil {
		return nil // it has ended, and has been waited for
	}
	return r.entry.started(s.identity)
}

// verdict makes one error of how the program ended. A program that succeeded at
// the moment at which ctx ended has succeeded.
func (r *program) verdict(ctx context.Context, err error) error {
	state := r.cmd.ProcessState
	switch {
	case state != nil && state.Success() && r.stdout.overflow:
		return fmt.Errorf("%s wrote more than %d MiB to stdout", r.name, maxStdout>>20)
	case state != nil && state.Success():
		return nil // also when something that it started held its output open
	case ctx.Err() != nil:
		return fmt.Errorf("%s was stopped: %w", r.name, ctx.Err())
	case state == nil:
		return fmt.Errorf("run %s: %w", r.name, err)
	case state.ExitCode() >= 0:
		return errors.New(withLines(fmt.Sprintf("%s exited with status %d", r.name, state.ExitCode()), lastLines(r.stderr.text)))
	default:
		return errors.New(withLines(fmt.Sprintf("%s %s", r.name, describe(state)), lastLines(r.stderr.text)))
	}
}

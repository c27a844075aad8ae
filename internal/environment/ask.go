package environment

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"restbench/internal/bench"
)

// question makes an interpreter describe itself, one value a line. An
// interpreter of a virtual environment names the one that it was made from.
const question = `
import os, sys
v = sys.version_info
print(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
print("%d.%d.%d" % v[:3])
print(v.releaselevel == "final" and sys.implementation.name == "cpython" and sys.abiflags == "")
`

// ask returns what an executable says of itself, from memory where its file is
// still the same.
func (m *Manager) ask(ctx context.Context, path string) (interpreter, error) {
	if known, ok := m.memory.recall(path, time.Now()); ok {
		return known.interpreter()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, m.answerLimit, fmt.Errorf("no answer within %s", m.answerLimit))
	defer cancel()
	stamp := stampOf(path)
	// The whole environment is passed on: a shim decides by variables that only
	// its version manager knows.
	out, err := m.options.Runner.Run(ctx, bench.Command{
		Name: path, Argv: []string{path, "-I", "-c", question}, Env: m.env.all(),
	})
	python, err := readAnswer(out, err)
	switch {
	case err == nil:
		m.memory.remember(path, answer{Stamp: stamp, Python: python, Real: stampOf(python.Path)})
	case ctx.Err() == nil:
		m.memory.remember(path, answer{Stamp: stamp, Silent: err.Error()})
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = context.Cause(ctx)
	}
	return python, err
}

func readAnswer(out bench.Output, err error) (interpreter, error) {
	if err != nil {
		return interpreter{}, fmt.Errorf("does not answer: %s", firstLine(err.Error()))
	}
	lines := strings.Split(strings.TrimSpace(string(out.Stdout)), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "/") || bench.CompareVersions(lines[1], "3") < 0 {
		return interpreter{}, fmt.Errorf("is not Python 3: it answers %.60q", out.Stdout)
	}
	return interpreter{Path: lines[0], Version: lines[1], Usual: lines[2] == "True"}, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}

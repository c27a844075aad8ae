package environment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"restbench/internal/bench"
)

// LockRequest says what to resolve.
type LockRequest struct {
	Name         string   // for errors and progress: "sanic@current"
	Requirements []string // "sanic==20.6.3"
	Python       string   // the oldest version that the lock is for: "3.10"
	ExcludeNewer string   // the index as it stood at this UTC time: "2020-08-11T00:00:00Z"; as it is when empty
}

// Lock resolves requirements to exact releases with hashes, for every platform
// and for every Python from the given one on. The same index gives the same
// bytes; no address and no path is in them.
func (m *Manager) Lock(ctx context.Context, r LockRequest) ([]byte, error) {
	content, err := m.lock(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", r.Name, err)
	}
	return content, nil
}

func (m *Manager) lock(ctx context.Context, r LockRequest) ([]byte, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	uv, err := m.findUV(ctx, func(detail string) { m.options.Progress(r.Name, detail) })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, installLimit, fmt.Errorf("not done after %s", installLimit))
	defer cancel()
	// Metadata of old source distributions can only be built by a Python of
	// their time.
	wish := bench.PythonWish{Version: r.Python, AtLeast: r.Python}
	python, err := m.python(ctx, bench.Recipe{Name: r.Name, Python: wish})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(m.options.Dir, 0o755); err != nil {
		return nil, err
	}
	m.options.Progress(r.Name, "resolving")
	command := m.uvCommand(uv, r.args(python.Path))
	command.Name, command.Dir = "uv pip compile for "+r.Name, m.options.Dir
	command.Stdin = []byte(strings.Join(r.Requirements, "\n") + "\n")
	out, err := m.runUV(ctx, command)
	if err != nil {
		return nil, withHint(err)
	}
	if len(bytes.TrimSpace(out.Stdout)) == 0 {
		return nil, errors.New("uv resolved nothing")
	}
	return out.Stdout, nil
}

func (r LockRequest) args(python string) []string {
	args := []string{
		"pip", "compile", "--universal", "--generate-hashes", "--no-header", "--no-annotate",
		"--no-emit-index-url", "--no-emit-find-links", "--python", python, "--python-version", r.Python,
	}
	if r.ExcludeNewer != "" {
		args = append(args, "--exclude-newer", r.ExcludeNewer)
	}
	return append(args, "-")
}

// validate refuses a date without a time: uv would read it in the time zone of
// this machine.
func (r LockRequest) validate() error {
	if len(r.Requirements) == 0 {
		return errors.New("there are no requirements")
	}
	if r.ExcludeNewer == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, r.ExcludeNewer)
	if err != nil || !strings.HasSuffix(r.ExcludeNewer, "Z") {
		return fmt.Errorf("exclude-newer is %q, must be a UTC time such as 2020-08-11T00:00:00Z", r.ExcludeNewer)
	}
	if at.After(time.Now()) {
		return fmt.Errorf("exclude-newer is %s, which is in the future", r.ExcludeNewer)
	}
	return nil
}

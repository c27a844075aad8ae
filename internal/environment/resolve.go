package environment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"restbench/internal/bench"
)

// ResolveRequest says what to resolve for this machine alone.
type ResolveRequest struct {
	Name         string           // for errors and progress: "sanic==21.12.0"
	Requirements []string         // as PEP 508 has them; paths may stand behind @
	Python       bench.PythonWish // of the environment that is made of it
	Prefer       []byte           // a lock whose releases are taken where they fit
	ExcludeNewer string           // the index as it stood at this UTC time: "2022-12-31T00:00:00Z"; as it is when empty
	Wheels       bool             // releases without a wheel for this machine do not count, and nothing is built
	Built        []string         // packages whose source distributions count all the same, and whose wheels do not
}

// Resolution is what uv made of a request, ready for a Recipe.
type Resolution struct {
	Lock   []byte // releases with hashes
	Direct []byte // what has no hash: folders and repositories, these at their commit
}

// Resolve is Lock for one comparison: it asks for this machine and the
// interpreter that the environment will have, and keeps what Prefer has, so that
// two resolutions differ in what was asked for and in what that needs. A folder
// that is named has its content in the result: another content is another one.
func (m *Manager) Resolve(ctx context.Context, r ResolveRequest) (Resolution, error) {
	found, err := m.resolve(ctx, r)
	switch {
	case err == nil:
		return found, nil
	case ctx.Err() != nil:
		return Resolution{}, fmt.Errorf("resolve %s: %w", r.Name, context.Cause(ctx))
	}
	failure := &bench.Failure{Stage: bench.StageInstall, Cause: fmt.Sprintf("resolve %s: %s", r.Name, err)}
	refused, ok := errors.AsType[*refusal](err)
	switch {
	case ok && refused.network:
		return Resolution{}, &unasked{failure, ErrUnreachable}
	case ok && refused.unavailable:
		return Resolution{}, &unasked{failure, ErrUnavailable}
	}
	return Resolution{}, failure
}

// ErrUnreachable means that the package index could not be asked; what it would
// have answered is not known.
var ErrUnreachable = errors.New("the package index cannot be reached")

// ErrUnavailable means that the package index, or a proxy in its place, could not serve
// this now (502, 503, 504). It may serve others: a proxy that keeps what it has fetched
// does, when the index behind it is gone.
var ErrUnavailable = errors.New("the package index cannot serve this now")

// unasked is a failure that is one of these, too.
type unasked struct {
	*bench.Failure
	why error
}

func (u *unasked) Unwrap() []error { return []error{u.Failure, u.why} }

func (m *Manager) resolve(ctx context.Context, r ResolveRequest) (Resolution, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, installLimit, fmt.Errorf("not done after %s", installLimit))
	defer cancel()
	requirements, folders, err := absolute(ctx, r.Requirements)
	if err != nil {
		return Resolution{}, err
	}
	uv, err := m.findUV(ctx, func(detail string) { m.options.Progress(r.Name, detail) })
	if err != nil {
		return Resolution{}, err
	}
	python, err := m.python(ctx, bench.Recipe{Name: r.Name, Python: r.Python})
	if err != nil {
		return Resolution{}, err
	}
	m.options.Progress(r.Name, "resolving")
	text, err := m.compile(ctx, uv, python.Path, requirements, r)
	if err != nil {
		return Resolution{}, err
	}
	found := part(text)
	for _, folder := range folders {
		found.Direct = fmt.Appendf(found.Direct, "# %s\n", folder)
	}
	return found, nil
}

// compile runs uv. It reads what is preferred from the file that it would write.
func (m *Manager) compile(ctx context.Context, uv, python string, requirements []string, r ResolveRequest) (string, error) {
	if err := os.MkdirAll(m.options.Dir, 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(m.options.Dir, ".resolve-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	lock := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(lock, r.Prefer, 0o600); err != nil {
		return "", err
	}
	args := []string{
		"pip", "compile", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url",
		"--no-emit-find-links", "--python", python, "--output-file", lock,
	}
	if r.ExcludeNewer != "" {
		args = append(args, "--exclude-newer", r.ExcludeNewer)
	}
	if r.Wheels {
		args = append(args, onlyWheels(r.Built)...)
	}
	command := m.uvCommand(uv, append(args, "-"))
	command.Name, command.Dir = "uv pip compile for "+r.Name, dir
	command.Stdin = []byte(strings.Join(requirements, "\n") + "\n")
	if _, err := m.runUV(ctx, command); err != nil {
		return "", withHint(err)
	}
	text, err := os.ReadFile(lock)
	return string(text), err
}

// part puts what is no release into Direct: a line that begins at the margin
// begins an entry.
func part(text string) Resolution {
	release := regexp.MustCompile(`^[A-Za-z0-9._-]+(\[[^\]]*\])?==`)
	var found Resolution
	to := &found.Lock
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		switch {
		case line[0] == ' ' || line[0] == '\t':
		case release.MatchString(line):
			to = &found.Lock
		default:
			to = &found.Direct
		}
		*to = append(*to, line...)
	}
	return found
}

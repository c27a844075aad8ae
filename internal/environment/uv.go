package environment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
)

// uvOldest is the oldest uv that has all that is asked of it.
const uvOldest = "0.5.0"

// tool is a program that answered, and how its file looked then.
type tool struct{ path, stamp string }

// holds is so as long as the file is the same.
func (t tool) holds(time.Duration) bool { return t.stamp == stampOf(t.path) }

// findUV returns the path of uv: the first on PATH that answers and is not too
// old, else restbench's own, which is fetched once.
func (m *Manager) findUV(ctx context.Context, report func(string)) (string, error) {
	found, err := m.uv.get(ctx, "", func(tool) (tool, error) {
		path, err := m.lookForUV(ctx, report)
		return tool{path, stampOf(path)}, err
	})
	return found.path, err
}

func (m *Manager) lookForUV(ctx context.Context, report func(string)) (string, error) {
	for _, dir := range m.env.path() {
		path := filepath.Join(dir, "uv")
		if !executable(path) {
			continue
		}
		err := m.checkUV(ctx, path)
		if err == nil {
			return path, nil
		}
		m.options.Log.Debug().Str("path", path).Err(err).Msg("uv passed over")
	}
	return m.ownUV(ctx, report)
}

// checkUV proves that a file is a uv that can be used here.
func (m *Manager) checkUV(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, m.answerLimit)
	defer cancel()
	out, err := m.options.Runner.Run(ctx, bench.Command{
		Name: path, Argv: []string{path, "--version"}, Env: m.env.all(),
	})
	if err != nil {
		return fmt.Errorf("does not answer: %s", firstLine(err.Error()))
	}
	words := strings.Fields(string(out.Stdout))
	if len(words) < 2 || words[0] != "uv" {
		return fmt.Errorf("is not uv: it answers %.60q", out.Stdout)
	}
	if bench.CompareVersions(words[1], uvOldest) < 0 {
		return fmt.Errorf("is uv %s, older than %s", words[1], uvOldest)
	}
	return nil
}

func (m *Manager) ownUV(ctx context.Context, report func(string)) (string, error) {
	path := filepath.Join(m.options.Dir, "uv", m.pin.version(), "uv")
	if executable(path) {
		return path, nil
	}
	if m.options.Offline {
		return "", errors.New("uv is not on PATH, and fetching it is switched off")
	}
	report("fetching uv " + m.pin.version())
	unlock, err := acquire(ctx, filepath.Join(m.options.Dir, "uv.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if executable(path) {
		return path, nil
	}
	if err := m.fetchUV(ctx, path); err != nil {
		return "", fmt.Errorf("uv is not on PATH, and fetching it from the package index did not work: %w", err)
	}
	return path, nil
}

// uvCommand is uv with what it needs of the user's environment.
func (m *Manager) uvCommand(uv string, args []string) bench.Command {
	argv := append(m.env.without(changesUV), uv, "--no-progress", "--color", "never")
	if m.options.Offline {
		argv = append(argv, "--offline")
	}
	if args[0] == "pip" && !m.env.configuresUV() && m.env.pip().noIndex() { // an option that has no variable
		args = slices.Concat(args[:2], []string{"--no-index"}, args[2:])
	}
	return bench.Command{Argv: append(argv, args...), Env: m.uvEnv()}
}

// uvEnv lets uv use the index that the user has configured for pip, where there
// is no configuration of uv's own.
func (m *Manager) uvEnv() []string {
	env := m.env.filter(forUV)
	env = append(env, "UV_PYTHON_DOWNLOADS=manual")
	if m.env.get("UV_HTTP_RETRIES") == "" {
		env = append(env, "UV_HTTP_RETRIES=2")
	}
	if m.env.get("UV_CACHE_DIR") == "" && !writable(m.env.base("XDG_CACHE_HOME", ".cache")) {
		env = append(env, "UV_CACHE_DIR="+filepath.Join(m.options.Dir, "cache"))
	}
	if m.env.configuresUV() {
		return env
	}
	return append(env, m.env.pip().forUV(m.env)...)
}

// writable tries it: permissions do not tell about read-only file systems.
func writable(dir string) bool {
	if dir == "" || os.MkdirAll(dir, 0o755) != nil {
		return false
	}
	f, err := os.CreateTemp(dir, ".restbench-*")
	if err != nil {
		return false
	}
	_ = f.Close()
	return os.Remove(f.Name()) == nil
}

// runUV turns what uv says of a failure into one line.
func (m *Manager) runUV(ctx context.Context, command bench.Command) (bench.Output, error) {
	out, err := m.options.Runner.Run(ctx, command)
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return out, fmt.Errorf("%s: %w", command.Name, context.Cause(ctx))
	}
	m.options.Log.Debug().Str("command", command.Name).Bytes("stderr", out.Stderr).Msg("uv did not succeed")
	report := string(out.Stderr)
	if strings.TrimSpace(report) == "" {
		report = err.Error()
	}
	return out, &refusal{line: explain(report), network: unreachable(report), unavailable: unavailable(report)}
}

// refusal is what uv could not do.
type refusal struct {
	line        string
	network     bool // the network, not the content, was the trouble
	unavailable bool // the index cannot serve this now
}

func (r *refusal) Error() string { return r.line }

// withHint adds what to do where the index, and not a download of another kind,
// could not be reached.
func withHint(err error) error {
	if r, ok := errors.AsType[*refusal](err); ok && r.network {
		return fmt.Errorf("%w (the package index cannot be reached: check the network, or name a mirror with UV_DEFAULT_INDEX)", err)
	}
	return err
}

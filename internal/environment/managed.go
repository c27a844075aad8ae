package environment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// ownPythons is where uv puts interpreters for restbench.
func (m *Manager) ownPythons() string { return filepath.Join(m.options.Dir, "python") }

// managed lists the interpreters that uv keeps, the user's and restbench's own.
// Their folders are read without uv, so that a second start need not run it.
func (m *Manager) managed() []string {
	name := regexp.MustCompile(`^python3\.\d+$`)
	var found []string
	for _, dir := range []string{m.env.uvPythons(), m.ownPythons()} {
		if dir == "" {
			continue
		}
		paths, _ := filepath.Glob(filepath.Join(dir, "cpython-3.*", "bin", "python3.*")) // the pattern is well-formed
		for _, path := range paths {
			if name.MatchString(filepath.Base(path)) && executable(path) {
				found = append(found, path)
			}
		}
	}
	return found
}

// download has uv fetch an interpreter. A failure is remembered for a day where
// there is another interpreter to go on with; where there is none, the user
// waits for nothing else and the next start tries again.
func (m *Manager) download(ctx context.Context, version string, dispensable bool, report func(string)) (interpreter, error) {
	if m.options.Offline || m.env.noPythonDownloads() {
		return interpreter{}, errors.New("switched off")
	}
	if cause, ok := m.memory.failed(version, time.Now()); ok && dispensable {
		return interpreter{}, fmt.Errorf("failed before: %s", cause)
	}
	report("downloading Python " + version)
	limit := m.options.DownloadLimit
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %s", limit))
	defer cancel()
	found, err := m.fetchPython(limited, version)
	if err != nil && limited.Err() != nil {
		err = context.Cause(limited)
	}
	if err != nil && ctx.Err() == nil {
		m.memory.rememberFailure(version, err)
	}
	return found, err
}

func (m *Manager) fetchPython(ctx context.Context, version string) (interpreter, error) {
	uv, err := m.findUV(ctx, func(string) {})
	if err != nil {
		return interpreter{}, err
	}
	unlock, err := acquire(ctx, m.ownPythons()+".lock")
	if err != nil {
		return interpreter{}, err
	}
	defer unlock()
	own := []string{
		"UV_PYTHON_INSTALL_DIR=" + m.ownPythons(),
		"UV_PYTHON_INSTALL_BIN=0", // nothing is put on the user's PATH
		"UV_PYTHON_PREFERENCE=only-managed",
	}
	install := m.uvCommand(uv, []string{"python", "install", version})
	install.Name, install.Env = "uv python install "+version, append(install.Env, own...)
	if _, err := m.runUV(ctx, install); err != nil {
		return interpreter{}, err
	}
	find := m.uvCommand(uv, []string{"python", "find", "--no-project", version})
	find.Name, find.Env = "uv python find "+version, append(find.Env, own...)
	out, err := m.runUV(ctx, find)
	if err != nil {
		return interpreter{}, err
	}
	return m.ask(ctx, strings.TrimSpace(string(out.Stdout)))
}

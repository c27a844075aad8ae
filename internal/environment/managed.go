package environment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
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
	install := m.uvCommand(uv, []string{"python", "install", version})
	install.Name = "uv python install " + version
	install.Env = append(install.Env,
		"UV_PYTHON_INSTALL_DIR="+m.ownPythons(),
		"UV_PYTHON_INSTALL_BIN=0", // nothing is put on the user's PATH
	)
	if _, err := m.runUV(ctx, install); err != nil {
		return interpreter{}, err
	}
	for _, python := range m.askAll(ctx, m.managed()) {
		if matches(python.Version, version) {
			return python, nil
		}
	}
	return interpreter{}, fmt.Errorf("uv has put none into %s", m.ownPythons())
}

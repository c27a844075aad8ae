package environment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/rs/zerolog"

	"restbench/internal/bench"
)

// Runner runs a program to its end.
type Runner interface {
	Run(context.Context, bench.Command) (bench.Output, error)
}

// Options say where environments are kept and how they are made.
type Options struct {
	Dir      string   // everything is kept below it; made absolute
	Runner   Runner   // runs uv, pip and interpreters
	Pythons  []string // interpreters that the user named: paths, or names on PATH; they go before all others
	Offline  bool     // nothing is fetched
	Progress func(name, detail string)
	Log      zerolog.Logger

	Env           []string      // restbench's own environment, os.Environ() when nil
	Parallel      int           // environments made at a time, one a processor when 0
	DownloadLimit time.Duration // of one interpreter, 60 s when 0
}

// Bounds of what can hang.
const (
	installLimit  = 15 * time.Minute // of one environment, source builds included
	answerLimit   = 10 * time.Second // of a program that is asked for its version; a cold disk needs seconds
	downloadLimit = time.Minute
)

// Manager makes and keeps environments. It is safe for concurrent use, also by
// several processes on one folder.
type Manager struct {
	options Options
	env     settings
	slots   chan struct{} // one for each environment being made
	memory  *memory
	pythons memo[bench.PythonWish, choice]
	uv      memo[string, tool]
	pin     pin // of the uv that is fetched where there is none

	answerLimit time.Duration
}

// New makes a Manager. It touches nothing: the folder is made when it is needed.
func New(o Options) *Manager {
	if dir, err := filepath.Abs(o.Dir); err == nil {
		o.Dir = dir
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.Parallel <= 0 {
		o.Parallel = runtime.NumCPU()
	}
	if o.DownloadLimit <= 0 {
		o.DownloadLimit = downloadLimit
	}
	if o.Progress == nil {
		o.Progress = func(string, string) {}
	}
	return &Manager{
		options: o,
		env:     newSettings(o.Env),
		slots:   make(chan struct{}, o.Parallel),
		memory:  openMemory(filepath.Join(o.Dir, "interpreters.json")),
		pin:     pin(uvLock),

		answerLimit: answerLimit,
	}
}

// Prepare returns the environment of a recipe and makes it first where it is
// missing. The error names the recipe and wraps a *bench.Failure, or the
// context's cause when that ended.
func (m *Manager) Prepare(ctx context.Context, r bench.Recipe) (bench.Environment, error) {
	env, err := m.prepare(ctx, r)
	switch {
	case err == nil:
		return env, nil
	case ctx.Err() != nil:
		return bench.Environment{}, fmt.Errorf("%s: %s: %w", r.Name, bench.StageInstall, context.Cause(ctx))
	}
	return bench.Environment{}, fmt.Errorf("%s: %w", r.Name, &bench.Failure{Stage: bench.StageInstall, Cause: err.Error()})
}

func (m *Manager) prepare(ctx context.Context, r bench.Recipe) (bench.Environment, error) {
	if r.Python.Version == "" {
		return bench.Environment{}, errors.New("the edition names no Python version")
	}
	python, err := m.python(ctx, r)
	if err != nil {
		return bench.Environment{}, err
	}
	files, err := readFiles(r.Files)
	if err != nil {
		return bench.Environment{}, fmt.Errorf("read the application: %w", err)
	}
	place := m.place(r, python.interpreter, files)
	env, err := place.load()
	if errors.Is(err, errIncomplete) {
		env, err = m.make(ctx, r, place)
	}
	if err != nil {
		return bench.Environment{}, err
	}
	env.Marks = python.marks()
	m.options.Progress(r.Name, "ready")
	return env, nil
}

func (m *Manager) python(ctx context.Context, r bench.Recipe) (choice, error) {
	return m.pythons.get(ctx, r.Python, func(before choice) (choice, error) {
		report := func(detail string) { m.options.Progress(r.Name, detail) }
		found, err := m.choose(ctx, r.Python, report)
		if found.instead != "" && found.interpreter != before.interpreter {
			m.options.Log.Warn().Str("wanted", r.Python.Version).Str("used", found.Version).
				Str("reason", found.instead).Msg("another Python is used")
		}
		return found, err
	})
}

// make installs under the environment's lock. Whoever waited for it finds the
// environment made.
func (m *Manager) make(ctx context.Context, r bench.Recipe, p place) (bench.Environment, error) {
	m.options.Progress(r.Name, "waiting")
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return bench.Environment{}, ctx.Err()
	}
	unlock, err := acquire(ctx, p.dir+".lock")
	if err != nil {
		return bench.Environment{}, err
	}
	defer unlock()
	if env, err := p.load(); !errors.Is(err, errIncomplete) {
		return env, err
	}
	if err := m.install(ctx, r, p); err != nil {
		return bench.Environment{}, err
	}
	return p.load()
}

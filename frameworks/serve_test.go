package frameworks_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/environment"
	"restbench/internal/load"
	"restbench/internal/need"
	"restbench/internal/process"
)

// The supervisor starts this program again as the guard of each server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == process.GuardCommand {
		os.Exit(process.Guard(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// answers is how often each server is asked: an answer with a counter, a date or
// a token in it would not be the same every time.
const answers = 100

func TestEveryFrameworkServesInEveryEdition(t *testing.T) {
	if testing.Short() {
		t.Skip("installs and starts 22 servers")
	}
	entries, err := catalogue(t).Select(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	controls, err := catalogue(t).Controls()
	if err != nil {
		t.Fatal(err)
	}
	entries = append(entries, controls...)
	supervisor, err := process.New(process.Options{RunDir: t.TempDir(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	manager := environment.New(environment.Options{Dir: state(t), Runner: supervisor, Log: zerolog.Nop()})
	t.Run("group", func(t *testing.T) {
		for _, e := range entries {
			t.Run(e.Target.String(), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				serve(ctx, t, supervisor, e, prepare(ctx, t, manager, e))
			})
		}
	})
}

// state is kept between runs, as a user's is: installing everything anew each
// time would ask much of the package index.
func state(t *testing.T) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return t.TempDir()
	}
	return filepath.Join(cache, "restbench-test")
}

func prepare(ctx context.Context, t *testing.T, m *environment.Manager, e frameworks.Entry) bench.Environment {
	t.Helper()
	env, err := m.Prepare(ctx, e.Recipe)
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "is needed and not on this machine"):
		need.That(t, false, "a Python "+e.Recipe.Python.Version+" on PATH")
	default:
		t.Fatal(err)
	}
	if want := e.LockedVersion(); env.Version != want && len(env.Marks) == 0 {
		t.Errorf("%s is installed, %s is locked", env.Version, want)
	}
	return env
}

func serve(ctx context.Context, t *testing.T, s *process.Supervisor, e frameworks.Entry, env bench.Environment) {
	t.Helper()
	server, err := s.Start(ctx, e.Command(env), func(ctx context.Context, address string) error {
		return load.Verify(ctx, address, e.Workload)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range answers {
		if err := load.Verify(ctx, server.Address(), e.Workload); err != nil {
			t.Errorf("answer %d: %v", i+1, err)
			break
		}
	}
	if err := server.Alive(); err != nil {
		t.Error(err)
	}
	if err := server.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

package environment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

func TestPrepare(t *testing.T) {
	greeter, helper := newWheel(t, "greeter", "1.2", ""), newWheel(t, "helper", "3.0", "")
	w := newWorld(t, newIndex(t, greeter, helper).simple())
	env, err := w.manager().Prepare(t.Context(), w.recipe(lockOf(greeter, helper)))
	if err != nil {
		t.Fatal(err)
	}
	if env.Version != "1.2" || env.PythonVersion != w.python.Version || env.Marks != nil {
		t.Errorf("got version %q, Python %q, marks %v", env.Version, env.PythonVersion, env.Marks)
	}
	if diff := cmp.Diff(map[string]string{"greeter": "1.2", "helper": "3.0"}, env.Packages); diff != "" {
		t.Error(diff)
	}
	out, err := w.runner.Run(t.Context(), bench.Command{Argv: []string{env.Python, "app.py"}, Dir: env.App})
	if err != nil || string(out.Stdout) != "1.2\n" {
		t.Errorf("the application prints %q, %v", out.Stdout, err)
	}
	if env.Bin != filepath.Dir(env.Python) {
		t.Errorf("bin is %s", env.Bin)
	}
}

func TestPrepareAgainRunsNothing(t *testing.T) {
	greeter := newWheel(t, "greeter", "1.2", "")
	index := newIndex(t, greeter)
	w := newWorld(t, index.simple())
	unnamed := func(o *Options) { o.Pythons = nil }
	first, err := w.manager(unnamed).Prepare(t.Context(), w.recipe(lockOf(greeter)))
	if err != nil {
		t.Fatal(err)
	}
	index.Close()
	w.runner.runs = nil
	again, err := w.manager(unnamed).Prepare(t.Context(), w.recipe(lockOf(greeter)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
	if len(w.runner.runs) != 0 {
		t.Errorf("the second start ran %q", w.runner.runs)
	}
}

func TestPrepareKeepsContentsApart(t *testing.T) {
	old, recent := newWheel(t, "greeter", "1.2", ""), newWheel(t, "greeter", "1.3", "")
	w := newWorld(t, newIndex(t, old, recent).simple())
	m := w.manager()
	var apps []string
	for _, lock := range []string{lockOf(old), lockOf(recent)} {
		env, err := m.Prepare(t.Context(), w.recipe(lock))
		if err != nil {
			t.Fatal(err)
		}
		apps = append(apps, env.App)
	}
	other := w.recipe(lockOf(recent))
	other.Name = "greeter@own"
	env, err := m.Prepare(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	if apps[0] == apps[1] || env.App != apps[1] {
		t.Errorf("environments are %v and %s", apps, env.App)
	}
}

func TestPrepareTogether(t *testing.T) {
	greeter := newWheel(t, "greeter", "1.2", "")
	w := newWorld(t, newIndex(t, greeter).simple())
	var group sync.WaitGroup
	for range 4 { // each as if it were a process of its own
		m := w.manager()
		group.Go(func() {
			if _, err := m.Prepare(t.Context(), w.recipe(lockOf(greeter))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := w.runner.count("pip sync"); n != 1 {
		t.Errorf("installed %d times", n)
	}
}

// An installation that is killed leaves a folder that looks almost whole.
func TestPrepareAfterKill(t *testing.T) {
	greeter := newWheel(t, "greeter", "1.2", "")
	w := newWorld(t, newIndex(t, greeter).simple())
	ctx, cancel := context.WithCancel(t.Context())
	w.runner.before = func(c bench.Command) error {
		if strings.Contains(strings.Join(c.Argv, " "), "pip sync") {
			cancel()
		}
		return nil
	}
	_, err := w.manager().Prepare(ctx, w.recipe(lockOf(greeter)))
	var failure *bench.Failure
	if !errors.Is(err, context.Canceled) || errors.As(err, &failure) {
		t.Fatalf("got %v, want the cancellation and no failure", err)
	}
	left, _ := filepath.Glob(filepath.Join(w.dir, "environments", "greeter-*", "venv", "bin", "python"))
	if len(left) != 1 {
		t.Fatalf("the killed installation left %v, so this test shows nothing", left)
	}
	w.runner.before = nil
	env, err := w.manager().Prepare(t.Context(), w.recipe(lockOf(greeter)))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := w.runner.Run(t.Context(), bench.Command{Argv: []string{env.Python, "app.py"}, Dir: env.App}); err != nil {
		t.Errorf("taken for whole: the application prints %q, %v", out.Stdout, err)
	}
}

func TestPrepareMovedAndBroken(t *testing.T) {
	greeter := newWheel(t, "greeter", "1.2", "")
	w := newWorld(t, newIndex(t, greeter).simple())
	env, err := w.manager().Prepare(t.Context(), w.recipe(lockOf(greeter)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(env.Python); err != nil { // as when its interpreter was uninstalled
		t.Fatal(err)
	}
	if _, err := w.manager().Prepare(t.Context(), w.recipe(lockOf(greeter))); err != nil {
		t.Fatal(err)
	}
	if n := w.runner.count("pip sync"); n != 2 {
		t.Errorf("installed %d times, want once more after its interpreter went", n)
	}
	moved := w.dir + "-moved"
	if err := os.Rename(w.dir, moved); err != nil {
		t.Fatal(err)
	}
	w.dir = moved
	if _, err := w.manager().Prepare(t.Context(), w.recipe(lockOf(greeter))); err != nil {
		t.Fatal(err)
	}
	if n := w.runner.count("pip sync"); n != 3 {
		t.Errorf("installed %d times, want once more after the move", n)
	}
}

// Errors are one line each, with the recipe's full name and the stage.
func TestPrepareErrors(t *testing.T) {
	greeter := newWheel(t, "greeter", "1.2", "")
	tampered := strings.Replace(lockOf(greeter), "sha256:", "sha256:00", 1)
	tampered = tampered[:len(tampered)-3] + "\n"
	tests := []struct {
		name   string
		change func(*testing.T, *world)
		lock   string
		want   string
	}{
		{"tampered", nil, tampered, "Hash mismatch for `greeter==1.2`"},
		{"no hash", nil, "greeter==1.2\n", "--require-hashes"},
		{"not there", nil, strings.ReplaceAll(lockOf(greeter), "greeter", "stranger"), "stranger"},
		{"other package", nil, lockOf(newWheel(t, "helper", "1.0", "")), "the lock does not contain Greeter"},
		{"unreachable", func(t *testing.T, w *world) {
			w.env["UV_DEFAULT_INDEX"], w.env["UV_HTTP_RETRIES"] = closedPort(t)+"/simple", "0"
		}, lockOf(greeter), "the package index cannot be reached"},
		{"unusable folder", func(t *testing.T, w *world) {
			if err := os.WriteFile(w.dir, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}, lockOf(greeter), "not a directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, newIndex(t, greeter, newWheel(t, "helper", "1.0", "")).simple())
			if test.change != nil {
				test.change(t, w)
			}
			_, err := w.manager().Prepare(t.Context(), w.recipe(test.lock))
			var failure *bench.Failure
			if !errors.As(err, &failure) || failure.Stage != bench.StageInstall {
				t.Fatalf("got %v, want a failure of stage install", err)
			}
			if !strings.HasPrefix(err.Error(), "greeter@current: install: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q in it", err, test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("not one line: %q", err)
			}
		})
	}
}

func TestPrune(t *testing.T) {
	old, recent := newWheel(t, "greeter", "1.2", ""), newWheel(t, "greeter", "1.3", "")
	w := newWorld(t, newIndex(t, old, recent).simple())
	m := w.manager()
	unused, err := m.Prepare(t.Context(), w.recipe(lockOf(old)))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := m.Prepare(t.Context(), w.recipe(lockOf(recent)))
	if err != nil {
		t.Fatal(err)
	}
	if young, err := m.Unused(time.Now().Add(-time.Hour), kept); err != nil || young != nil {
		t.Errorf("used within the hour, but listed: %v, %v", young, err)
	}
	removed, err := m.Prune(time.Now().Add(time.Hour), kept)
	if diff := cmp.Diff([]string{filepath.Dir(unused.App)}, removed); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if !executable(kept.Python) || executable(unused.Python) {
		t.Error("the wrong environment was removed")
	}
}

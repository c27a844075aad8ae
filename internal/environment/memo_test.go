package environment

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"restbench/internal/bench"
)

// fakePython answers as the interpreter of a release does.
func fakePython(t *testing.T, dir, name, version string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	script(t, path, fmt.Sprintf("echo %s; echo %s; echo True", path, version))
	return path
}

// chosen is the release that recipes get which want 3.13 and accept any from 3.10 on.
func chosen(t *testing.T, m *Manager) string {
	t.Helper()
	got, err := m.python(t.Context(), bench.Recipe{Name: "a", Python: bench.PythonWish{Version: "3.13", AtLeast: "3.10"}})
	if err != nil {
		t.Fatal(err)
	}
	return got.Version
}

// A daemon runs for months, and its interpreters are replaced and removed meanwhile.
func TestAnInterpreterIsForgottenWithItsFile(t *testing.T) {
	dir, r := t.TempDir(), &runner{}
	m := New(Options{Dir: t.TempDir(), Runner: r, Offline: true, Env: []string{"PATH=" + dir}})
	fakePython(t, dir, "python3.12", "3.12.1")
	wanted := fakePython(t, dir, "python3.13", "3.13.1")
	for range 2 {
		if got := chosen(t, m); got != "3.13.1" {
			t.Errorf("at first: %s", got)
		}
	}
	if n := r.count(wanted); n != 1 {
		t.Errorf("asked %d times while the file was the same", n)
	}
	fakePython(t, dir, "python3.13", "3.13.10")
	if got := chosen(t, m); got != "3.13.10" {
		t.Errorf("after it was replaced: %s", got)
	}
	if err := os.Remove(wanted); err != nil {
		t.Fatal(err)
	}
	if got := chosen(t, m); got != "3.12.1" {
		t.Errorf("after it was removed: %s", got)
	}
}

// An interpreter that was taken for want of another is not taken for ever.
func TestTheWantedInterpreterIsLookedForAgain(t *testing.T) {
	dir := t.TempDir()
	m := New(Options{Dir: t.TempDir(), Runner: &runner{}, Offline: true, Env: []string{"PATH=" + dir}})
	fakePython(t, dir, "python3.12", "3.12.1")
	if got := chosen(t, m); got != "3.12.1" {
		t.Errorf("at first: %s", got)
	}
	fakePython(t, dir, "python3.13", "3.13.1")
	if got := chosen(t, m); got != "3.12.1" {
		t.Errorf("a moment later: %s", got)
	}
	m.pythons.entry(bench.PythonWish{Version: "3.13", AtLeast: "3.10"}).asked = time.Now().Add(-refusalLasts)
	if got := chosen(t, m); got != "3.13.1" {
		t.Errorf("after a while: %s", got)
	}
}

func TestUVIsForgottenWithItsFile(t *testing.T) {
	one, other := t.TempDir(), t.TempDir()
	m := New(Options{Dir: t.TempDir(), Runner: &runner{}, Offline: true, Env: []string{"PATH=" + one + ":" + other}})
	for _, dir := range []string{one, other} {
		script(t, filepath.Join(dir, "uv"), "echo uv 0.9.0")
		got, err := m.findUV(t.Context(), func(string) {})
		if err != nil || got != filepath.Join(dir, "uv") {
			t.Errorf("got %s, %v", got, err)
		}
		if err := os.Remove(filepath.Join(dir, "uv")); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := m.findUV(t.Context(), func(string) {}); err == nil {
		t.Errorf("got %s after all are gone", got)
	}
}

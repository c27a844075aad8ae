package store

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

func TestFileThatCannotBeWritten(t *testing.T) {
	prepare := func(path string) (err error) {
		asNobody(func() { err = prepareFile(path) })
		return err
	}
	closed := filepath.Join(openDir(t), "closed")
	if err := os.Mkdir(closed, 0o755); err != nil {
		t.Fatal(err)
	}
	inClosed := filepath.Join(closed, "there.db")
	alone := filepath.Join(openDir(t), "history.db")
	if err := errors.Join(os.WriteFile(inClosed, nil, 0o666), os.Chmod(inClosed, 0o666), os.Chmod(closed, 0o555), os.WriteFile(alone, nil, 0o444)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(closed, "new.db"), inClosed, alone} {
		if err := prepare(path); !errors.Is(err, os.ErrPermission) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), filepath.Join(file, "below", "history.db")); !errors.Is(err, unix.ENOTDIR) || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

// openDir is a folder that every user may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // the test's own, above dir
		t.Fatal(err)
	}
	return dir
}

// asNobody runs do without root's rights over files, on a thread of its own that
// the runtime then throws away.
func asNobody(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if os.Getuid() == 0 {
			_ = unix.Setfsuid(65534)
		}
		do()
	}()
	<-done
}

// TestFullDiskByLimit needs no rights: the limit of a process for its files
// stands for the disk.
func TestFullDiskByLimit(t *testing.T) {
	got := start(t, "limited", historyPath(t)).rest()
	want := "full: true, errors counted: true\nlost: 0, pending: 0, last error: <nil>"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "512k")
	s := mustOpen(t, filepath.Join(dir, "history.db"))
	w := NewWriter(s, nil)
	c, err := w.Begin(t.Context(), bench.Campaign{State: bench.StateRunning})
	if err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	rounds := 0
	for ; w.Pending() < 20 && rounds < 1000; rounds++ {
		if err := w.Record(t.Context(), small(c, rounds)); err != nil {
			t.Fatal(err)
		}
	}
	if !errors.Is(w.LastErr(), ErrFull) || w.Pending() == 0 {
		t.Errorf("%d pending, last error %v", w.Pending(), w.LastErr())
	}
	begun, err := w.Begin(t.Context(), bench.Campaign{State: bench.StateRunning})
	if err != nil || begun >= 0 {
		t.Errorf("begun without space: %d, %v", begun, err)
	}
	if err := errors.Join(w.Record(t.Context(), small(begun, 1)), os.Remove(ballast), w.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, c); got != rounds || w.Pending() != 0 || w.LastErr() != nil {
		t.Errorf("%d of %d stored, %d pending, last error %v", got, rounds, w.Pending(), w.LastErr())
	}
	if err := w.Update(t.Context(), bench.Campaign{ID: begun, State: bench.StateFinished}); err != nil {
		t.Error(err)
	}
	newest, err := s.Campaigns(t.Context(), Filter{Limit: 1})
	if err != nil || newest[0].State != bench.StateFinished || count(t, s, newest[0].ID) != 1 {
		t.Errorf("the campaign begun without space: %+v, %v", newest, err)
	}
}

func TestDiskFullAtStart(t *testing.T) {
	dir := smallDisk(t, "64k")
	fill(t, filepath.Join(dir, "ballast"))
	_, err := Open(t.Context(), filepath.Join(dir, "history.db"))
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

// fill writes until there is no space left.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

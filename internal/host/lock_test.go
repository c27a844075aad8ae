package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func mustLock(t *testing.T, path string) *Lock {
	t.Helper()
	lock, heldBy, err := TryLock(path, "pid 1 (test)")
	if err != nil || lock == nil {
		t.Fatalf("not taken: %q, %v", heldBy, err)
	}
	t.Cleanup(func() { lock.Unlock() })
	return lock
}

func TestSecondProcessIsToldWhoHoldsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := holder(t, path)
	lock, heldBy, err := TryLock(path, "me")
	if want := fmt.Sprintf("pid %d (other)", cmd.Process.Pid); lock != nil || heldBy != want || err != nil {
		t.Errorf("got %v, %q, %v; want nil, %q, nil", lock, heldBy, err, want)
	}
}

func TestLockIsFreeWhenItsHolderIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := holder(t, path)
	var told []string
	lock, err := Wait(t.Context(), path, "me", func(heldBy string) {
		told = append(told, heldBy)
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	if len(told) != 1 {
		t.Errorf("told %q, want one holder", told)
	}
	if _, heldBy, _ := TryLock(path, "third"); heldBy != "me" {
		t.Errorf("held by %q, want %q: the dead holder's text must be gone", heldBy, "me")
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	mustLock(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Wait(ctx, path, "me", func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestUnlock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock := mustLock(t, path)
	for range 2 {
		if err := lock.Unlock(); err != nil {
			t.Error(err)
		}
	}
	mustLock(t, path)
}

func TestLockFileServesAllUsers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	old := unix.Umask(0o077)
	lock := mustLock(t, path)
	unix.Umask(old)
	info, err := lock.file.Stat()
	if err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("got mode %v, %v", info.Mode(), err)
	}
}

// Anyone may put something at the path first in a folder that all share. None
// of it may be written to, and none may block.
func TestLockRefusesWhatIsNotAPlainFile(t *testing.T) {
	victim := func(dir string) string { return filepath.Join(dir, "victim") }
	for name, put := range map[string]func(dir, at string) error{
		"symbolic link": func(dir, at string) error { return os.Symlink(victim(dir), at) },
		"hard link":     func(dir, at string) error { return os.Link(victim(dir), at) },
		"pipe":          func(_, at string) error { return unix.Mkfifo(at, 0o666) },
		"folder":        func(_, at string) error { return os.Mkdir(at, 0o777) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "lock")
			if err := errors.Join(os.WriteFile(victim(dir), []byte("precious"), 0o666), put(dir, path)); err != nil {
				t.Fatal(err)
			}
			lock, _, err := TryLock(path, "me")
			if lock != nil || err == nil {
				t.Errorf("got %v, %v; want an error", lock, err)
			}
			if content, _ := os.ReadFile(victim(dir)); string(content) != "precious" {
				t.Errorf("the other file was changed to %q", content)
			}
		})
	}
}

func TestHolderTextCannotTalkToTheTerminal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock := mustLock(t, path)
	writeHolder(lock.file, "pid 1\x1b[2J\a\n(evil)")
	if _, heldBy, _ := TryLock(path, "me"); heldBy != "pid 1[2J(evil)" {
		t.Errorf("got %q", heldBy)
	}
}

// TestLockOfAnotherUser: a file of someone else without write permission can be
// locked all the same, else one user's campaign would disturb another's.
func TestLockOfAnotherUser(t *testing.T) {
	path := filepath.Join(openDir(t), "lock")
	if err := os.WriteFile(path, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		lock, _, err := TryLock(path, "me")
		if lock == nil || err != nil {
			t.Errorf("got %v, %v", lock, err)
			return
		}
		lock.Unlock()
	})
}

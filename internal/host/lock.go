package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sys/unix"
)

// Lock is held by one process on the machine at a time. The kernel releases it
// when the process ends, however it ends; the file stays.
type Lock struct{ file *os.File }

// lockPoll is how long a free lock may go unnoticed by Wait.
const lockPoll = 500 * time.Millisecond

// TryLock takes the lock at path, which may be in a folder like /tmp that all
// users share. holder says who takes it, for people: "pid 42 (restbench run)".
// When another process has it, Lock and error are nil, and heldBy is what that
// one said.
func TryLock(path, holder string) (lock *Lock, heldBy string, err error) {
	file, err := openLock(path)
	if err != nil {
		return nil, "", fmt.Errorf("lock %s: %w", path, err)
	}
	err = flock(file)
	if errors.Is(err, unix.EWOULDBLOCK) {
		heldBy := readHolder(file)
		return nil, heldBy, file.Close()
	}
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	writeHolder(file, holder+"\n")
	return &Lock{file}, "", nil
}

// Wait takes the lock as soon as it is free. onWait is told who has it, once for
// each holder.
func Wait(ctx context.Context, path, holder string, onWait func(heldBy string)) (*Lock, error) {
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	told := ""
	for {
		lock, heldBy, err := TryLock(path, holder)
		if lock != nil || err != nil {
			return lock, err
		}
		if heldBy != told && onWait != nil {
			onWait(heldBy)
		}
		told = heldBy
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %s: %w", heldBy, ctx.Err())
		case <-poll.C:
		}
	}
}

// Unlock frees the lock. It may be called more than once.
func (l *Lock) Unlock() error {
	writeHolder(l.file, "")
	if err := l.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// openLock opens the file or creates it. In a shared folder someone may have put
// something else there: a link or a second name for another file would have us
// write into that, a pipe would block. Opening an existing file does without
// O_CREATE, because kernels with fs.protected_regular forbid that for files of
// other users in /tmp.
func openLock(path string) (*os.File, error) {
	const flags = os.O_RDWR | unix.O_NOFOLLOW | unix.O_NONBLOCK
	for range 10 { // another process may create or remove it in between
		file, err := os.OpenFile(path, flags, 0)
		if errors.Is(err, fs.ErrPermission) { // enough to lock it, not to sign it
			file, err = os.OpenFile(path, flags&^os.O_RDWR|os.O_RDONLY, 0)
		}
		if errors.Is(err, fs.ErrNotExist) {
			file, err = os.OpenFile(path, flags|os.O_CREATE|os.O_EXCL, 0o666)
			if err == nil {
				err = file.Chmod(0o666) // for other users, whatever the umask
			}
			if errors.Is(err, fs.ErrExist) {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		return file, checkLockFile(file)
	}
	return nil, errors.New("the file comes and goes")
}

func checkLockFile(file *os.File) error {
	var stat unix.Stat_t
	err := unix.Fstat(int(file.Fd()), &stat)
	if err == nil && (stat.Mode&unix.S_IFMT != unix.S_IFREG || stat.Nlink > 1) {
		err = errors.New("not a plain file with one name: remove it")
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	return nil
}

func flock(file *os.File) error {
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// writeHolder signs the file; that is a courtesy, so errors do not matter.
func writeHolder(file *os.File, text string) {
	_ = file.Truncate(0)
	_, _ = file.WriteAt([]byte(text), 0)
}

// readHolder: anyone may have written the file, so what it says is cut short
// and cleaned of what a terminal would obey.
func readHolder(file *os.File) string {
	content, _ := io.ReadAll(io.NewSectionReader(file, 0, 200))
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, string(content))
	if text == "" {
		return "another process"
	}
	return text
}

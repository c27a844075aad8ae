package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Names of the steps of a replacement. A process may die between any two of
// them: only a whole new file is ever called recoveredSuffix, and the damaged
// one is moved only when that exists.
const (
	salvageSuffix    = ".salvage"    // copy of the damaged file, worked on
	recoveringSuffix = ".recovering" // new file, incomplete
	recoveredSuffix  = ".recovered"  // new file, complete
)

// Count is how many of something there were, as far as can be known, and how
// many of them are in the new history.
type Count struct{ Found, Recovered int64 }

func (c Count) String() string { return fmt.Sprintf("%d of %d", c.Recovered, c.Found) }

// Recovery tells what became of a damaged history.
type Recovery struct {
	Cause        string
	Aside        string // where the damaged file is now; its log is beside it
	Campaigns    Count
	Measurements Count
}

func (r Recovery) String() string {
	return fmt.Sprintf("the history was damaged (%s) and is now %s; %s campaigns and %s measurements were recovered into a new one",
		r.Cause, r.Aside, r.Campaigns, r.Measurements)
}

// inspectFiles keeps copies of what SQLite would silently throw away: a log that
// it cannot read, or that belongs to an emptied file.
func (s *Store) inspectFiles() error {
	log := s.path + walSuffix
	bad, err := unreadableLog(log)
	if err != nil || !bad && !s.emptied() {
		return err
	}
	aside := asideName(s.path) + walSuffix
	if err := copyFile(log, aside); err != nil {
		return fmt.Errorf("set the damaged log aside: %w", err)
	}
	s.info.Notes = append(s.info.Notes, "the log of the history was damaged: the last writes may be missing; a copy of it is "+aside)
	return nil
}

// emptied: no bytes in the database, but some in its log.
func (s *Store) emptied() bool {
	info, err := os.Stat(s.path)
	return err == nil && info.Size() == 0 && s.hasLog()
}

// unreadableLog: a log begins with one of two magic numbers.
func unreadableLog(path string) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	var magic [4]byte
	if _, err := io.ReadFull(file, magic[:]); err != nil {
		return false, nil // empty, as a fresh one is
	}
	return binary.BigEndian.Uint32(magic[:])&^1 != 0x377f0682, nil
}

// replaceDamaged recovers what can be read into a new file, sets the damaged one
// aside and connects to the new one. The folder is locked.
func (s *Store) replaceDamaged(ctx context.Context, cause error, steps []migration) error {
	if err := s.Close(); err != nil {
		return err
	}
	if pid := user(s.path); pid != 0 {
		return fmt.Errorf("%w, and process %d has it open: end that first", cause, pid)
	}
	recovery, err := salvage(ctx, s.path, steps)
	if err != nil {
		return fmt.Errorf("%w, and recovering what can be read did not work: %w", cause, err)
	}
	recovery.Cause, recovery.Aside = oneLine(cause), asideName(s.path)
	if err := swap(s.path, recovery.Aside); err != nil {
		return err
	}
	s.info.Recovery = recovery
	s.info.Notes = append(s.info.Notes, recovery.String())
	return s.connect(ctx, steps)
}

// oneLine: SQLite describes damage in several.
func oneLine(cause error) string {
	text := strings.ReplaceAll(cause.Error(), "*** in database main ***", "")
	return strings.TrimPrefix(strings.Join(strings.Fields(text), " "), errDamaged.Error()+": ")
}

// swap moves the damaged file and its log away and the recovered one in.
func swap(path, aside string) error {
	for _, suffix := range []string{"", walSuffix, shmSuffix} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return finishReplacement(path)
}

// finishReplacement takes the last step of a replacement, also of one that
// another process began and did not live to end.
func finishReplacement(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := os.Rename(path+recoveredSuffix, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncPath(filepath.Dir(path)))
}

func asideName(path string) string { return path + ".corrupt-" + stamp(time.Now()) }

// lockFolder lets one process at a time create, migrate or replace a file in it.
func lockFolder(ctx context.Context, dir string) (unlock func(), err error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	const poll = 20 * time.Millisecond
	for {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // the lock goes with the process at the latest
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(err, file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-time.After(poll):
		}
	}
}

// user is the process that has the database open, 0 when none has: each
// connection holds a read lock on SQLite's lock bytes. Closing the file here
// would drop the locks of this process's own connections, so there must be none.
func user(path string) int {
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: 0x40000000, Len: 512}
	if err := unix.FcntlFlock(file.Fd(), unix.F_GETLK, &lock); err != nil || lock.Type == unix.F_UNLCK {
		return 0
	}
	return int(lock.Pid)
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Sync(), target.Close())
}

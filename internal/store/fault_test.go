package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

// secondStep is a migration that does not exist yet.
const secondStep = "CREATE TABLE later (x INTEGER); INSERT INTO later VALUES (1); ALTER TABLE campaigns ADD COLUMN note TEXT"

// written is a closed history with one running campaign of n measurements.
func written(t *testing.T, n int) string {
	t.Helper()
	path := historyPath(t)
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	c := mustBegin(t, s, filled[bench.Campaign](1))
	for round := 1; round <= n; round++ {
		if err := s.Record(t.Context(), small(c.ID, round)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func count(t *testing.T, s *Store, campaign int64) int {
	t.Helper()
	ms, err := s.Measurements(t.Context(), campaign)
	if err != nil {
		t.Fatal(err)
	}
	return len(ms)
}

func TestKilledInTheMiddleOfWrites(t *testing.T) {
	path := historyPath(t)
	writer := start(t, "record", path)
	stored := 0
	for stored < 40 {
		n, err := strconv.Atoi(writer.line())
		if err != nil {
			t.Fatal(err)
		}
		stored = n
	}
	writer.kill(t)
	s := mustOpen(t, path)
	if got := count(t, s, 1); got < stored {
		t.Errorf("%d measurements, but %d were stored before the kill", got, stored)
	}
	if s.Info().Recovery != nil {
		t.Errorf("a kill is not damage: %v", s.Info().Recovery)
	}
	if n, err := s.CutOff(t.Context()); n != 1 || err != nil {
		t.Errorf("cut off: %d, %v", n, err)
	}
	c, err := s.Campaign(t.Context(), 1)
	if err != nil || c.State != bench.StateCutOff {
		t.Errorf("state %q, %v", c.State, err)
	}
}

// TestTruncatedLog cuts the log of a killed process at many places: the
// transactions before the cut are there, whole, and nothing is damaged.
func TestTruncatedLog(t *testing.T) {
	path := historyPath(t)
	writer := start(t, "record", path)
	for line := ""; line != "30"; line = writer.line() {
	}
	writer.kill(t)
	info, err := os.Stat(path + walSuffix)
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, part := range []int64{100, 95, 60, 25, 0} {
		at := filepath.Join(t.TempDir(), "history.db")
		if err := errors.Join(copyFile(path, at), copyFile(path+walSuffix, at+walSuffix), os.Truncate(at+walSuffix, info.Size()*part/100)); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, at)
		got := 0
		if found, err := s.Campaigns(t.Context(), Filter{}); err != nil {
			t.Error(err)
		} else if len(found) > 0 {
			got = count(t, s, 1)
		}
		if s.Info().Recovery != nil || last >= 0 && got > last {
			t.Errorf("at %d %%: %d measurements after %d, recovery %v", part, got, last, s.Info().Recovery)
		}
		last = got
	}
	if last != 0 {
		t.Errorf("%d measurements without a log: the test cuts nothing", last)
	}
}

func TestZeroedLogIsKeptAndReported(t *testing.T) {
	path := historyPath(t)
	writer := start(t, "record", path)
	for line := ""; line != "30"; line = writer.line() {
	}
	writer.kill(t)
	info, err := os.Stat(path + walSuffix)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+walSuffix, make([]byte, info.Size()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path)
	notes := strings.Join(s.Info().Notes, "\n")
	if !strings.Contains(notes, "the log of the history was damaged") {
		t.Errorf("notes: %q", notes)
	}
	copies, _ := filepath.Glob(path + ".corrupt-*-wal")
	if len(copies) != 1 {
		t.Errorf("copies of the log: %v", copies)
	}
}

func TestDamagedHistoryIsSetAsideAndRecovered(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(file *os.File, size int64) error
		atMost int // measurements that may be lost of 300
	}{
		"magic":          {func(f *os.File, _ int64) error { return scribble(f, 0, 16) }, 0},
		"header":         {func(f *os.File, _ int64) error { return scribble(f, 0, 24) }, 0},
		"a page inside":  {func(f *os.File, size int64) error { return scribble(f, size/2/4096*4096, 64) }, 30},
		"half truncated": {func(f *os.File, size int64) error { return f.Truncate(size / 2 / 4096 * 4096) }, 250},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t, 300)
			damage(t, path, c.damage)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := mustOpen(t, path)
			r := s.Info().Recovery
			if r == nil {
				t.Fatal("not seen as damaged")
			}
			t.Log(r)
			if r.Campaigns != (Count{1, 1}) || r.Measurements.Recovered < int64(300-c.atMost) {
				t.Errorf("recovered %v campaigns, %v measurements", r.Campaigns, r.Measurements)
			}
			if got := count(t, s, 1); int64(got) != r.Measurements.Recovered {
				t.Errorf("%d measurements in the new history, %v said", got, r.Measurements)
			}
			if aside, err := os.ReadFile(r.Aside); err != nil || string(aside) != string(before) {
				t.Errorf("what was set aside is not what was there: %v", err)
			}
			checkNoLeftovers(t, path)
			if err := s.Record(t.Context(), small(1, 1000)); err != nil {
				t.Errorf("the new history takes no writes: %v", err)
			}
		})
	}
}

func TestNothingCanBeReadOfADamagedHistory(t *testing.T) {
	path := written(t, 10)
	damage(t, path, func(f *os.File, size int64) error { return scribble(f, 0, int(size)) })
	s := mustOpen(t, path)
	if r := s.Info().Recovery; r == nil || r.Measurements.Recovered != 0 {
		t.Errorf("recovery: %v", r)
	}
	mustBegin(t, s, bench.Campaign{})
}

func damage(t *testing.T, path string, do func(*os.File, int64) error) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := do(file, info.Size()); err != nil {
		t.Fatal(err)
	}
}

// scribble inverts n bytes.
func scribble(f *os.File, at int64, n int) error {
	content := make([]byte, n)
	if _, err := f.ReadAt(content, at); err != nil {
		return err
	}
	for i := range content {
		content[i] ^= 0xff
	}
	_, err := f.WriteAt(content, at)
	return err
}

func checkNoLeftovers(t *testing.T, path string) {
	t.Helper()
	for _, suffix := range []string{salvageSuffix, recoveringSuffix, recoveredSuffix} {
		if left, _ := filepath.Glob(path + suffix + "*"); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestDamagedHistoryThatIsInUseStays(t *testing.T) {
	path := written(t, 300)
	holder := start(t, "keep", path)
	if said := holder.line(); said != "open" {
		t.Fatal(said)
	}
	damage(t, path, func(f *os.File, size int64) error { return scribble(f, size/2/4096*4096, 64) })
	_, err := Open(t.Context(), path)
	if want := fmt.Sprintf("process %d has it open", holder.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestReplacementEndsAfterAKill leaves the files as a process does that dies
// between its two renames.
func TestReplacementEndsAfterAKill(t *testing.T) {
	path := written(t, 5)
	if err := os.Rename(path, path+recoveredSuffix); err != nil {
		t.Fatal(err)
	}
	if got := count(t, mustOpen(t, path), 1); got != 5 {
		t.Errorf("%d measurements", got)
	}
	checkNoLeftovers(t, path)
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := written(t, 1)
	execute(t, path, "PRAGMA user_version = 7")
	for name, open := range map[string]func(context.Context, string) (*Store, error){"write": Open, "read": OpenReadOnly} {
		_, err := open(t.Context(), path)
		want := "was written by a newer restbench (schema 7, this one knows 1): use that version or another --storage.path"
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestForeignDatabaseIsRefused(t *testing.T) {
	path := historyPath(t)
	execute(t, path, "CREATE TABLE something (x)")
	if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "database of another program") {
		t.Errorf("got %v", err)
	}
}

func execute(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func TestMigrationKilledInTheMiddle(t *testing.T) {
	path := written(t, 5)
	migrating := start(t, "migrate", path)
	if said := migrating.line(); said != "migrating" {
		t.Fatal(said)
	}
	for !hasWriter(path) {
		runtime.Gosched()
	}
	migrating.kill(t)
	s := mustOpen(t, path)
	if got := count(t, s, 1); got != 5 || s.Info().Recovery != nil {
		t.Errorf("%d measurements, recovery %v", got, s.Info().Recovery)
	}
	s.Close()
	migrateAgain(t, path)
}

// hasWriter: a process is in a transaction that writes. The byte of that lock is
// part of SQLite's format.
func hasWriter(path string) bool {
	file, err := os.Open(path + shmSuffix)
	if err != nil {
		return false
	}
	defer file.Close()
	lock := unix.Flock_t{Type: unix.F_RDLCK, Start: 120, Len: 1}
	return unix.FcntlFlock(file.Fd(), unix.F_GETLK, &lock) == nil && lock.Type != unix.F_UNLCK && backedUp(path)
}

func backedUp(path string) bool {
	found, _ := filepath.Glob(path + ".schema-1-*Z")
	return len(found) > 0
}

func migrateAgain(t *testing.T, path string) {
	t.Helper()
	steps, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), path, append(steps, migration{"0002_later.sql", secondStep}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := count(t, s, 1); got != 5 {
		t.Errorf("%d measurements after the migration", got)
	}
	backup, err := OpenReadOnly(t.Context(), s.Info().Backup)
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	if got := count(t, backup, 1); got != 5 {
		t.Errorf("%d measurements in the backup", got)
	}
}

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
	dir := t.TempDir()
	require(t, unix.Mount("restbench", dir, "tmpfs", 0, "size=512k"), "root, to mount a small filesystem")
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
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
	dir := t.TempDir()
	require(t, unix.Mount("restbench", dir, "tmpfs", 0, "size=64k"), "root, to mount a small filesystem")
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
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

// TestReaderHoldsATransaction: a reader that never ends does not stop writes,
// and the log is emptied as soon as it has.
func TestReaderHoldsATransaction(t *testing.T) {
	path := written(t, 1)
	s := mustOpen(t, path)
	reader, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	tx, err := reader.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM measurements").Scan(&n); err != nil {
		t.Fatal(err)
	}
	for round := 2; round <= 500; round++ {
		if err := s.Record(t.Context(), small(1, round)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), bench.Campaign{ID: 1, State: bench.StateFinished}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path + walSuffix); err != nil || info.Size() != 0 {
		t.Errorf("the log still has %d bytes, %v", info.Size(), err)
	}
	if got := count(t, reader, 1); got != 500 {
		t.Errorf("%d measurements", got)
	}
}

// TestWriterOutlivesALock: another program keeps the file locked for longer
// than a write waits.
func TestWriterOutlivesALock(t *testing.T) {
	path := written(t, 1)
	s := mustOpen(t, path)
	if _, err := s.write.ExecContext(t.Context(), "PRAGMA busy_timeout = 10"); err != nil {
		t.Fatal(err)
	}
	intruder, err := openPool(t.Context(), path, writing)
	if err != nil {
		t.Fatal(err)
	}
	defer intruder.Close()
	lock, err := intruder.BeginTx(t.Context(), nil) // immediate: takes the write lock
	if err != nil {
		t.Fatal(err)
	}
	w := NewWriter(s, nil)
	if err := w.Record(t.Context(), small(1, 2)); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(w.LastErr(), ErrBusy) || w.Pending() != 1 {
		t.Errorf("%d pending, last error %v", w.Pending(), w.LastErr())
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := w.Record(t.Context(), small(1, 3)); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, 1); got != 3 || w.Pending() != 0 {
		t.Errorf("%d stored, %d pending", got, w.Pending())
	}
}

func TestProcessesWriteAtOnce(t *testing.T) {
	path := historyPath(t) // that all of them create
	var writers []*other
	for range 4 {
		writers = append(writers, start(t, "few", path))
	}
	for _, w := range writers {
		if said := w.rest(); said != "" {
			t.Error(said)
		}
	}
	s := mustOpen(t, path)
	found, err := s.Campaigns(t.Context(), Filter{})
	if err != nil || len(found) != len(writers) {
		t.Fatalf("%d campaigns, %v", len(found), err)
	}
	for _, c := range found {
		if got := count(t, s, c.ID); got != 25 {
			t.Errorf("campaign %d has %d measurements", c.ID, got)
		}
	}
}

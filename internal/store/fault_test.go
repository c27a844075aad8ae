package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

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

func TestNewerSchemaIsRefused(t *testing.T) {
	path := written(t, 1)
	execute(t, path, "PRAGMA user_version = 7")
	for name, open := range map[string]func(context.Context, string) (*Store, error){"write": Open, "read": OpenReadOnly} {
		_, err := open(t.Context(), path)
		want := "was written by a newer restbench (schema 7, this one knows 4): use that version or another --storage.path"
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
	for end := time.Now().Add(30 * time.Second); !hasWriter(path); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("no migration after a backup")
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Open(short, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("opened while another process migrates: %v", err)
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
	found, _ := filepath.Glob(path + ".schema-4-*Z")
	return len(found) > 0
}

func migrateAgain(t *testing.T, path string) {
	t.Helper()
	steps, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), path, append(steps, migration{"0003_later.sql", secondStep}))
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
	writers := make([]*other, 0, 8)
	for range 8 {
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
		if got := count(t, s, c.ID); got != 10 {
			t.Errorf("campaign %d has %d measurements", c.ID, got)
		}
	}
}

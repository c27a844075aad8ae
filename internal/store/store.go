package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
	sqlite3 "modernc.org/sqlite/lib"
)

// Store is an open history. It is safe for concurrent use; writes happen one
// after another, reads beside them.
type Store struct {
	path  string
	read  *sql.DB
	write *sql.DB // nil when opened for reading only
	info  Info
}

// Info is what opening a history came upon.
type Info struct {
	Backup   string    // copy made before a migration, empty when there was none
	Recovery *Recovery // set when the file was damaged
	Notes    []string  // sentences for people, about these and lesser things
}

// Open opens the history for reading and writing and creates it, with its
// folder, when there is none. Several processes may have it open.
func Open(ctx context.Context, path string) (*Store, error) {
	steps, err := embedded()
	if err != nil {
		return nil, err
	}
	return open(ctx, path, steps)
}

func open(ctx context.Context, path string, steps []migration) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("open history %s: %w", path, err)
	}
	unlock, err := lockFolder(ctx, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("open history %s: %w", path, err)
	}
	defer unlock()
	s := &Store{path: path}
	if err := s.connectOrReplace(ctx, steps); err != nil {
		return nil, errors.Join(fmt.Errorf("open history %s: %w", path, explain(err)), s.Close())
	}
	return s, nil
}

func (s *Store) connectOrReplace(ctx context.Context, steps []migration) error {
	if err := prepareFile(s.path); err != nil {
		return err
	}
	if err := s.inspectFiles(); err != nil {
		return err
	}
	err := s.connect(ctx, steps)
	if isDamage(err) {
		return s.replaceDamaged(ctx, err, steps)
	}
	return err
}

// OpenReadOnly opens an existing history for reading, also while another
// process writes it. It never changes the file, not even a damaged one.
func OpenReadOnly(ctx context.Context, path string) (*Store, error) {
	steps, err := embedded()
	if err != nil {
		return nil, err
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	s := &Store{path: path}
	if err := s.connectReadOnly(ctx, len(steps)); err != nil {
		return nil, errors.Join(fmt.Errorf("open history %s: %w", path, explain(err)), s.Close())
	}
	return s, nil
}

// Info tells what opening came upon.
func (s *Store) Info() Info { return s.info }

// Path is the absolute path of the history file.
func (s *Store) Path() string { return s.path }

// Size is how many bytes the history takes on disk, its write-ahead log
// included.
func (s *Store) Size() int64 {
	var total int64
	for _, name := range []string{s.path, s.path + walSuffix} {
		if info, err := os.Stat(name); err == nil {
			total += info.Size()
		}
	}
	return total
}

// Close waits for what is under way and closes the files.
func (s *Store) Close() error {
	var failures []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			failures = append(failures, db.Close())
		}
	}
	s.read, s.write = nil, nil
	return errors.Join(failures...)
}

func (s *Store) connect(ctx context.Context, steps []migration) error {
	write, err := openPool(ctx, s.path, writing)
	if err != nil {
		return err
	}
	s.write = write
	if err := quickCheck(ctx, write); err != nil {
		return err
	}
	if err := s.migrate(ctx, steps); err != nil {
		return err
	}
	s.read, err = openPool(ctx, s.path, reading)
	return err
}

func (s *Store) connectReadOnly(ctx context.Context, known int) error {
	err := s.connectReader(ctx, reading, known)
	if code(err) == sqlite3.SQLITE_CANTOPEN && !s.hasLog() {
		// No one writes, and this user may not create the files beside the
		// database that a live one needs.
		err = errors.Join(s.Close(), s.connectReader(ctx, frozen, known))
	}
	return err
}

func (s *Store) connectReader(ctx context.Context, how access, known int) error {
	var err error
	s.read, err = openPool(ctx, s.path, how)
	if err != nil {
		return err
	}
	version, err := schemaVersion(ctx, s.read, s.path, known)
	if err == nil && version < known {
		err = fmt.Errorf("written by an older restbench (schema %d, this one reads %d): `restbench serve` or `restbench run` brings it up to date", version, known)
	}
	return err
}

func (s *Store) hasLog() bool {
	info, err := os.Stat(s.path + walSuffix)
	return err == nil && info.Size() > 0
}

// prepareFile makes sure that the file can be written, because SQLite would
// say no more than "unable to open database file".
func prepareFile(path string) error {
	if err := finishReplacement(path); err != nil {
		return err
	}
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return writable(filepath.Dir(path))
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}

// writable: SQLite creates its log beside the database.
func writable(dir string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("write into %s: %w", dir, err)
	}
	return nil
}

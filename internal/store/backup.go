package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy of the history to a new file, also while it
// is being written. The copy appears whole or not at all.
func (s *Store) Backup(ctx context.Context, to string) error {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("back up the history: %s exists", to), err)
	}
	part := to + ".part"
	if err := s.copyTo(ctx, part); err != nil {
		return fmt.Errorf("back up the history: %w", errors.Join(explain(err), removeIfThere(part)))
	}
	if err := os.Rename(part, to); err != nil {
		return fmt.Errorf("back up the history: %w", err)
	}
	return syncPath(filepath.Dir(to))
}

func (s *Store) copyTo(ctx context.Context, path string) error {
	if err := removeIfThere(path); err != nil {
		return err
	}
	db := s.write
	if db == nil {
		db = s.read
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return err
	}
	return syncPath(path)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncPath makes a file, or the names in a folder, survive a power cut.
func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

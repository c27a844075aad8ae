package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"sort"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// applicationID marks the file as restbench's ("rbnc").
const applicationID = 0x72626e63

// migration brings a history from one schema to the next. The first one leads
// to schema 1.
type migration struct {
	name string
	sql  string
}

// embedded reads the migrations in the order of their names: a new one is a new
// file.
func embedded() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	steps := make([]migration, 0, len(names))
	for _, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, migration{name, string(text)})
	}
	return steps, nil
}

// schemaVersion refuses files that are not restbench's, or not this one's.
func schemaVersion(ctx context.Context, db *sql.DB, path string, known int) (int, error) {
	var application, version, tables int
	for query, to := range map[string]*int{
		"PRAGMA application_id":              &application,
		"PRAGMA user_version":                &version,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := db.QueryRowContext(ctx, query).Scan(to); err != nil {
			return 0, err
		}
	}
	switch {
	case tables > 0 && application != applicationID:
		return 0, fmt.Errorf("%s is the database of another program: use another --storage.path", path)
	case version > known:
		return 0, fmt.Errorf("%s was written by a newer restbench (schema %d, this one knows %d): use that version or another --storage.path", path, version, known)
	}
	return version, nil
}

func (s *Store) migrate(ctx context.Context, steps []migration) error {
	version, err := schemaVersion(ctx, s.write, s.path, len(steps))
	if err != nil || version == len(steps) {
		return err
	}
	if version > 0 {
		if err := s.backupBeforeMigration(ctx, version); err != nil {
			return err
		}
	}
	for next := version + 1; next <= len(steps); next++ {
		if err := s.apply(ctx, steps[next-1], next); err != nil {
			return fmt.Errorf("migrate to schema %d (%s): %w", next, steps[next-1].name, err)
		}
	}
	return nil
}

func (s *Store) backupBeforeMigration(ctx context.Context, version int) error {
	name := fmt.Sprintf("%s.schema-%d-%s", s.path, version, stamp(time.Now()))
	if err := s.Backup(ctx, name); err != nil {
		return fmt.Errorf("back up before migration: %w", err)
	}
	s.info.Backup = name
	s.info.Notes = append(s.info.Notes, fmt.Sprintf("the history was migrated from schema %d; a copy of it as it was is %s", version, name))
	return nil
}

// apply runs one step in one transaction with the version that it leads to, so
// that a process that dies in it leaves the earlier schema. Another process may
// have done it meanwhile.
func (s *Store) apply(ctx context.Context, step migration, to int) error {
	return s.try(ctx, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version >= to {
			return err
		}
		text := fmt.Sprintf("%s;\nPRAGMA application_id = %d; PRAGMA user_version = %d", step.sql, applicationID, to)
		_, err := tx.ExecContext(ctx, text)
		return err
	})
}

// stamp is a time for file names.
func stamp(t time.Time) string { return t.UTC().Format("20060102T150405.000Z") }

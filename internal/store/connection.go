package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"modernc.org/sqlite"
)

const (
	walSuffix = "-wal"
	shmSuffix = "-shm"

	// busyTimeout is how long a statement waits for another process's lock.
	busyTimeout = 5 * time.Second
	// walLimit is what is left of the log file, in bytes, after it was copied
	// into the database.
	walLimit = 4 << 20
	// checkTime bounds the check at start; a history of a year is checked in
	// part, and the rest shows itself when it is read.
	checkTime = 3 * time.Second
)

// access is how a pool uses the file.
type access int

const (
	writing   access = iota
	reading          // beside a process that writes
	frozen           // no process writes, and the folder cannot be written
	salvaging        // a damaged file of which this process has a copy to itself
)

// Pragmas hold for one connection each, so they stand in the name that every
// connection of a pool is opened by. busy_timeout comes first, because the
// switch to the write-ahead log may already have to wait.
func (a access) dataSource(path string) string {
	values := url.Values{}
	pragma := func(text string) { values.Add("_pragma", text) }
	pragma(fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()))
	switch a {
	case writing:
		pragma("journal_mode(WAL)")
		pragma("synchronous(FULL)")
		pragma("foreign_keys(1)")
		pragma(fmt.Sprintf("journal_size_limit(%d)", walLimit))
		values.Set("_txlock", "immediate")
	case frozen:
		values.Set("immutable", "1")
		fallthrough
	case reading:
		values.Set("mode", "ro")
		pragma("query_only(1)")
	case salvaging:
		pragma("cell_size_check(1)")
		pragma("writable_schema(1)") // else SQLite reads nothing of a file that lacks its end
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + values.Encode()
}

func (a access) connections() int {
	if a == writing || a == salvaging {
		return 1
	}
	return 4
}

func openPool(ctx context.Context, path string, a access) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(a.dataSource(path))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(a.connections())
	db.SetMaxIdleConns(1)
	if err := verifyPragmas(ctx, db, a); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// verifyPragmas reads back what was asked for: SQLite does not complain about a
// pragma that it cannot or will not follow.
func verifyPragmas(ctx context.Context, db *sql.DB, a access) error {
	want := map[string]string{"busy_timeout": fmt.Sprint(busyTimeout.Milliseconds())}
	switch a {
	case writing:
		want["journal_mode"] = "wal"
		want["synchronous"] = "2"
		want["foreign_keys"] = "1"
		want["journal_size_limit"] = fmt.Sprint(walLimit)
	case reading, frozen:
		want["query_only"] = "1"
	}
	for name, value := range want {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+name).Scan(&got); err != nil {
			return err
		}
		if !strings.EqualFold(got, value) {
			return fmt.Errorf("SQLite answers %s=%s where %s is needed: is this a local filesystem?", name, got, value)
		}
	}
	return nil
}

// quickCheck looks for damage, for checkTime at most.
func quickCheck(ctx context.Context, db *sql.DB) error {
	limited, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var first string
	err := db.QueryRowContext(limited, "PRAGMA quick_check(1)").Scan(&first)
	switch {
	case err != nil && limited.Err() != nil:
		return ctx.Err() // nil when only the time for the check is over
	case err != nil:
		return err
	case first != "ok":
		return fmt.Errorf("%w: %s", errDamaged, strings.TrimSpace(first))
	}
	return nil
}

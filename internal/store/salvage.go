package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"

	sqlite3 "modernc.org/sqlite/lib"

	"restbench/internal/bench"
)

const (
	// salvageBatch is how many rows are read at once; where that meets damage,
	// they are read one by one.
	salvageBatch = 64
	// salvageBlind is how many numbers are tried where the highest is unknown.
	salvageBlind = 10_000
)

// salvage reads a copy of the damaged file, so that the file stays as it was
// found, and leaves a whole new one with recoveredSuffix.
func salvage(ctx context.Context, path string, steps []migration) (*Recovery, error) {
	for _, suffix := range []string{salvageSuffix, recoveringSuffix, recoveredSuffix} {
		if err := removeDatabase(path + suffix); err != nil {
			return nil, err
		}
	}
	defer func() { _ = removeDatabase(path + salvageSuffix) }() // the next salvage removes it, too
	if err := copyDatabase(path, path+salvageSuffix); err != nil {
		return nil, err
	}
	pool, err := openPool(ctx, path+salvageSuffix, salvaging)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	from := source{pool, columnsOf(ctx, pool, "campaigns", "participants", "measurements", "acceptances")}
	to := &Store{path: path + recoveringSuffix}
	if err := to.connect(ctx, steps); err != nil {
		return nil, errors.Join(err, to.Close())
	}
	recovery, err := copyRows(ctx, from, to)
	if err = errors.Join(err, to.Close()); err != nil { // closing empties the log
		return nil, errors.Join(err, removeDatabase(to.path))
	}
	if err := syncPath(to.path); err != nil {
		return nil, err
	}
	return recovery, os.Rename(to.path, path+recoveredSuffix)
}

func copyRows(ctx context.Context, from source, to *Store) (*Recovery, error) {
	var r Recovery
	var err error
	r.Campaigns, err = eachBatch(ctx, from, "campaigns", func(low, high int64) (int64, bool, error) {
		return copyCampaigns(ctx, from, to, low, high)
	})
	if err != nil {
		return nil, err
	}
	r.Measurements, err = eachBatch(ctx, from, "measurements", func(low, high int64) (int64, bool, error) {
		return copyMeasurements(ctx, from, to, low, high)
	})
	if err != nil {
		return nil, err
	}
	_, err = eachBatch(ctx, from, "acceptances", func(low, high int64) (int64, bool, error) {
		return copyAcceptances(ctx, from, to, low, high)
	})
	return &r, err
}

// eachBatch calls do for all row numbers of a table: for many at once, and for
// each alone where do reports that they could not be read (false).
func eachBatch(ctx context.Context, from source, table string, do func(low, high int64) (int64, bool, error)) (Count, error) {
	var c Count
	var last int64
	c.Found, last = highest(ctx, from.DB, table)
	for low := int64(1); low <= last; low += salvageBatch {
		high := min(low+salvageBatch-1, last)
		n, whole, err := do(low, high)
		for id := low; !whole && err == nil && id <= high; id++ {
			var one int64
			one, _, err = do(id, id)
			n += one
		}
		if err != nil {
			return c, err
		}
		c.Recovered += n
	}
	c.Found = max(c.Found, c.Recovered)
	return c, ctx.Err()
}

// highest is the highest row number, which is the number of rows, too, because
// none is ever deleted; and the number up to which it is worth looking.
func highest(ctx context.Context, db *sql.DB, table string) (found, last int64) {
	for _, query := range []string{
		"SELECT coalesce(max(id), 0) FROM " + table,
		"SELECT seq FROM sqlite_sequence WHERE name = '" + table + "'",
	} {
		var n int64
		if err := db.QueryRowContext(ctx, query).Scan(&n); err == nil {
			found = max(found, n)
		}
	}
	if found > 0 {
		return found, found
	}
	var one int64
	if err := db.QueryRowContext(ctx, "SELECT id FROM "+table+" LIMIT 0").Scan(&one); !errors.Is(err, sql.ErrNoRows) {
		return 0, 0 // not even the schema can be read
	}
	return 0, salvageBlind
}

func copyCampaigns(ctx context.Context, from source, to *Store, low, high int64) (int64, bool, error) {
	list, err := queryBareCampaigns(ctx, from, "id BETWEEN ? AND ?", low, high)
	if err != nil {
		return 0, false, ctx.Err()
	}
	if err := addParticipants(ctx, from, list); err != nil && low < high {
		return 0, false, ctx.Err()
	} // alone, a campaign is worth keeping without its participants
	return copyEach(ctx, to, list, func(tx *sql.Tx, c bench.Campaign) error {
		_, err := insertCampaign(ctx, tx, c)
		return err
	})
}

func copyMeasurements(ctx context.Context, from source, to *Store, low, high int64) (int64, bool, error) {
	list, err := queryMeasurements(ctx, from, "id BETWEEN ? AND ? ORDER BY id", low, high)
	if err != nil {
		return 0, false, ctx.Err()
	}
	return copyEach(ctx, to, list, func(tx *sql.Tx, m bench.Measurement) error {
		return insertMeasurement(ctx, tx, m)
	})
}

func copyAcceptances(ctx context.Context, from source, to *Store, low, high int64) (int64, bool, error) {
	list, err := queryAcceptances(ctx, from, "id BETWEEN ? AND ? ORDER BY id", low, high)
	if err != nil {
		return 0, false, ctx.Err()
	}
	return copyEach(ctx, to, list, func(tx *sql.Tx, a Acceptance) error {
		_, err := insertAcceptance(ctx, tx, a)
		return err
	})
}

// copyEach writes rows in one transaction. A row that breaks a rule of the
// schema, such as a measurement whose campaign is lost, is left out.
func copyEach[T any](ctx context.Context, to *Store, list []T, insert func(*sql.Tx, T) error) (int64, bool, error) {
	var n int64
	err := to.transact(ctx, func(tx *sql.Tx) error {
		n = 0
		for _, row := range list {
			err := insert(tx, row)
			if err != nil && code(err) != sqlite3.SQLITE_CONSTRAINT {
				return err
			}
			if err == nil {
				n++
			}
		}
		return nil
	})
	return n, true, err
}

// copyDatabase copies a database with its log and mends the header of the copy,
// the one place where a few flipped bytes make all the rest unreadable.
func copyDatabase(from, to string) error {
	if err := copyFile(from, to); err != nil {
		return err
	}
	if err := copyFile(from+walSuffix, to+walSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return mendHeader(to)
}

// mendHeader writes what the first bytes of every history of restbench are:
// magic, pages of 4096 bytes, the versions of the write-ahead log, and fixed
// fractions. It leaves a shorter file alone.
func mendHeader(path string) error {
	const header = "SQLite format 3\x00" + "\x10\x00" + "\x02\x02" + "\x00" + "\x40\x20\x20"
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && info.Size() >= 4096 {
		_, err = file.WriteAt([]byte(header), 0)
	}
	return errors.Join(err, file.Close())
}

func removeDatabase(path string) error {
	return errors.Join(removeIfThere(path), removeIfThere(path+walSuffix), removeIfThere(path+shmSuffix))
}

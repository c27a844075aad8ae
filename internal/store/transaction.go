package store

import (
	"context"
	"database/sql"
	"errors"
)

// transact writes, whole or not at all. A write that has begun is not ended by
// ctx: the last measurement of a stopped campaign must be stored, too; how long
// it takes is bounded by busyTimeout.
func (s *Store) transact(ctx context.Context, do func(*sql.Tx) error) error {
	if s.write == nil {
		return ErrReadOnly
	}
	ctx = context.WithoutCancel(ctx)
	err := s.try(ctx, do)
	if isFull(err) {
		s.checkpoint(ctx) // may give the space of the log back
		err = s.try(ctx, do)
	}
	return explain(err)
}

func (s *Store) try(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// ignoreDone: SQLite itself rolls back after some errors.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) || code(err) != 0 {
		return nil
	}
	return err
}

// checkpoint copies the log into the database and empties its file. A reader
// may prevent it; then the next one does it.
func (s *Store) checkpoint(ctx context.Context) {
	var busy, frames, moved int
	_ = s.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
}

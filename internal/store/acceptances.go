package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Acceptance is the word of a person that a change is known.
type Acceptance struct {
	Change string // its name
	At     time.Time
	Note   string // the reason that was given
}

func acceptanceColumns(a *Acceptance) columns {
	return columns{{"change", &a.Change}, {"at", timeAt{&a.At}}, {"note", &a.Note}}
}

// Accept stores that a change is known. It is ErrAccepted when that was said
// before: the first word holds, because the change has ended with it.
func (s *Store) Accept(ctx context.Context, a Acceptance) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		stored, err := insertAcceptance(ctx, tx, a)
		if err == nil && !stored {
			err = ErrAccepted
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store that %s is accepted: %w", a.Change, err)
	}
	return nil
}

func insertAcceptance(ctx context.Context, tx *sql.Tx, a Acceptance) (stored bool, err error) {
	c := acceptanceColumns(&a)
	result, err := tx.ExecContext(context.WithoutCancel(ctx), insertInto("acceptances", c)+" ON CONFLICT DO NOTHING", c.values()...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// Acceptances returns all, oldest first.
func (s *Store) Acceptances(ctx context.Context) ([]Acceptance, error) {
	all, err := queryAcceptances(ctx, source{DB: s.read}, "1 ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("read what was accepted: %w", explain(err))
	}
	return all, nil
}

func queryAcceptances(ctx context.Context, db source, where string, args ...any) ([]Acceptance, error) {
	return query(ctx, db, table[Acceptance]{"acceptances", acceptanceColumns}, where, args...)
}

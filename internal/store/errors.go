package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers tell apart.
var (
	// ErrFull: the disk is full, or writing to it does not work. The value may
	// be written later.
	ErrFull = errors.New("no disk space, or the disk does not take writes")
	// ErrBusy: another process has kept the history locked. The value may be
	// written later.
	ErrBusy = errors.New("another program keeps the history locked")
	// ErrNotFound: there is no such campaign.
	ErrNotFound = errors.New("no such campaign")
	// ErrAccepted: somebody has accepted this change before.
	ErrAccepted = errors.New("it was accepted before")
	// ErrReadOnly: the store was opened by OpenReadOnly.
	ErrReadOnly = errors.New("the history is open for reading only")

	errDamaged = errors.New("the file is damaged")
)

// code is SQLite's primary result code, 0 for errors of other origin.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

func isFull(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
		return true
	}
	return false
}

func isBusy(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

func isDamage(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return errors.Is(err, errDamaged)
}

// isPermanent: no repetition of the same write will succeed.
func isPermanent(err error) bool {
	switch code(err) {
	case 0: // not SQLite's: the value itself could not be encoded, or the store is closed
		return true
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
		return true
	}
	return false
}

// explain puts the sentinel in front that people and callers understand.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case isBusy(err):
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	case isDamage(err) && !errors.Is(err, errDamaged):
		return fmt.Errorf("%w (%w)", errDamaged, err)
	}
	return err
}

package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// column binds a column to the place of its value in memory. One list of them
// serves writing and reading, so that the two cannot differ.
type column struct {
	name string
	at   any // pointer to the value, or a type of this file around it
}

type columns []column

// table is a table whose rows are values of one type.
type table[T any] struct {
	name    string
	columns func(*T) columns
}

func (c columns) names() string {
	names := make([]string, len(c))
	for i, column := range c {
		names[i] = column.name
	}
	return strings.Join(names, ", ")
}

func (c columns) places() string { return marks(len(c)) }

// marks are the places of n values.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func (c columns) assignments() string {
	return strings.ReplaceAll(c.names(), ", ", " = ?, ") + " = ?"
}

func (c columns) values() []any {
	values := make([]any, len(c))
	for i, column := range c {
		values[i] = column.at
	}
	return values
}

func insertInto(table string, c columns) string {
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, c.names(), c.places())
}

// source is where rows are read from. A damaged file is read as it is, and one of an
// earlier schema lacks columns: what would stand there is not known.
type source struct {
	*sql.DB
	has map[string][]string // columns by table; a table that is not there has all
}

// columnsOf are those that the file says it has; nothing of a table of which it cannot say.
func columnsOf(ctx context.Context, db *sql.DB, tables ...string) map[string][]string {
	has := map[string][]string{}
	for _, table := range tables {
		if names, err := namesOf(ctx, db, table); err == nil && len(names) > 0 {
			has[table] = names
		}
	}
	return has
}

func namesOf(ctx context.Context, db *sql.DB, table string) (names []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

func (s source) known(table string, all columns) columns {
	has := s.has[table]
	return slices.DeleteFunc(all, func(c column) bool { return has != nil && !slices.Contains(has, c.name) })
}

// query reads the rows of a table that a condition chooses; with an error, those
// before it.
func query[T any](ctx context.Context, db source, from table[T], where string, args ...any) ([]T, error) {
	columns := func(one *T) columns { return db.known(from.name, from.columns(one)) }
	rows, err := db.QueryContext(ctx, "SELECT "+columns(new(T)).names()+" FROM "+from.name+" WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var one T
		if err := rows.Scan(columns(&one).values()...); err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// jsonAt is a pointer to a value that is kept as JSON, NULL when it is an empty
// list or object.
type jsonAt struct{ at any }

func (j jsonAt) Value() (driver.Value, error) {
	text, err := json.Marshal(j.at)
	if err != nil {
		return nil, err
	}
	switch string(text) {
	case "null", "{}", "[]":
		return nil, nil
	}
	return string(text), nil
}

func (j jsonAt) Scan(from any) error {
	switch text := from.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(text), j.at)
	}
	return fmt.Errorf("JSON expected, not %T", from)
}

// timeAt is an instant, kept in nanoseconds; NULL is the zero time.
type timeAt struct{ at *time.Time }

func (t timeAt) Value() (driver.Value, error) {
	if t.at.IsZero() {
		return nil, nil
	}
	return t.at.UnixNano(), nil
}

func (t timeAt) Scan(from any) error {
	switch ns := from.(type) {
	case nil:
		*t.at = time.Time{}
		return nil
	case int64:
		*t.at = time.Unix(0, ns).UTC()
		return nil
	}
	return fmt.Errorf("nanoseconds expected, not %T", from)
}

// bitsAt is an unsigned number, kept as the signed one with the same bits.
type bitsAt struct{ at *uint64 }

func (b bitsAt) Value() (driver.Value, error) { return int64(*b.at), nil }

func (b bitsAt) Scan(from any) error {
	n, ok := from.(int64)
	if !ok {
		return fmt.Errorf("number expected, not %T", from)
	}
	*b.at = uint64(n)
	return nil
}

// blobAt is a byte slice; NULL when empty.
type blobAt struct{ at *[]byte }

func (b blobAt) Value() (driver.Value, error) {
	if len(*b.at) == 0 {
		return nil, nil
	}
	return *b.at, nil
}

func (b blobAt) Scan(from any) error {
	switch data := from.(type) {
	case nil:
		*b.at = nil
		return nil
	case []byte:
		*b.at = append([]byte(nil), data...) // the driver's memory
		return nil
	}
	return fmt.Errorf("blob expected, not %T", from)
}

// dropNonFinite sets numbers that JSON cannot hold to 0 (in maps: removes
// them), because a measurement is worth more than one bad reading in it.
// It changes what v points to; maps are replaced, not changed.
func dropNonFinite(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			dropNonFinite(field)
		}
	case reflect.Float64:
		if !finite(v.Float()) {
			v.SetFloat(0)
		}
	}
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

package store

import (
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

// filler gives every field of a value, however deep, a value of its own, so
// that a field that is not stored shows.
type filler struct{ n int64 }

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		f.fillStruct(v)
	case reflect.Slice:
		f.fillSlice(v)
	case reflect.Map:
		f.fillMap(v)
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d – \"'\n", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(f.n * 1_000_000_007)
	case reflect.Uint64:
		v.SetUint(math.MaxUint64 - uint64(f.n))
	case reflect.Uint8:
		v.SetUint(uint64(f.n % 256))
	case reflect.Float64:
		v.SetFloat(float64(f.n) + 1.0/3)
	default:
		panic("fill " + v.Type().String())
	}
}

func (f *filler) fillStruct(v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2020, 8, 10, 12, 0, 0, int(f.n)+123_456_000, time.UTC)))
		return
	}
	for _, field := range v.Fields() {
		f.fill(field)
	}
}

func (f *filler) fillSlice(v reflect.Value) {
	v.Set(reflect.MakeSlice(v.Type(), 3, 3))
	for i := range v.Len() {
		f.fill(v.Index(i))
	}
}

func (f *filler) fillMap(v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	for range 2 {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key)
		f.fill(value)
		v.SetMapIndex(key, value)
	}
}

func filled[T any](seed int64) T {
	var value T
	f := filler{seed}
	f.fill(reflect.ValueOf(&value).Elem())
	return value
}

func mustOpen(tb testing.TB, path string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func historyPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "history.db") }

func mustBegin(tb testing.TB, s *Store, c bench.Campaign) bench.Campaign {
	tb.Helper()
	id, err := s.Begin(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	c.ID = id
	return c
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestRoundTripOfEveryField(t *testing.T) {
	path := historyPath(t)
	s := mustOpen(t, path)
	for name, pair := range map[string]struct {
		c bench.Campaign
		m bench.Measurement
	}{
		"filled": {filled[bench.Campaign](1), filled[bench.Measurement](1000)},
		"zero":   {},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustBegin(t, s, pair.c)
			pair.m.Campaign = c.ID
			if err := s.Record(t.Context(), pair.m); err != nil {
				t.Fatal(err)
			}
			reader, err := OpenReadOnly(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			if diff := cmp.Diff(c, must(reader.Campaign(t.Context(), c.ID))); diff != "" {
				t.Errorf("campaign (-stored +read):\n%s", diff)
			}
			if diff := cmp.Diff([]bench.Measurement{pair.m}, must(reader.Measurements(t.Context(), c.ID))); diff != "" {
				t.Errorf("measurement (-stored +read):\n%s", diff)
			}
		})
	}
}

func TestUpdateChangesEveryField(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	c := mustBegin(t, s, filled[bench.Campaign](1))
	want := filled[bench.Campaign](500)
	want.ID = c.ID
	if err := s.Update(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, must(s.Campaign(t.Context(), c.ID))); diff != "" {
		t.Error(diff)
	}
}

// small is a measurement as it may really be.
func small(campaign int64, round int) bench.Measurement {
	return bench.Measurement{
		Campaign: campaign, Round: round, Started: time.Unix(int64(round), 1).UTC(),
		Target: bench.Target{Framework: "sanic", Edition: "current", Serving: "documented", Workload: "hello"},
		Load:   bench.Load{Requests: int64(round), Duration: time.Second, Latency: make([]byte, 700)},
	}
}

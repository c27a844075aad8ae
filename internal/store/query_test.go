package store

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

func TestFilter(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	day := func(n int) time.Time { return time.Date(2020, 8, n, 0, 0, 0, 0, time.UTC) }
	other := bench.Protocol{Name: "other"}
	for i, c := range []bench.Campaign{
		{Kind: bench.KindScheduled, State: bench.StateFinished, Started: day(1), Protocol: bench.Classic()},
		{Kind: bench.KindManual, State: bench.StateFinished, Started: day(2), Protocol: bench.Classic()},
		{Kind: bench.KindConfirm, State: bench.StateStopped, Started: day(3), Protocol: bench.Classic()},
		{Kind: bench.KindScheduled, State: bench.StateFinished, Started: day(4), Protocol: other},
		{Kind: bench.KindScheduled, State: bench.StateRunning, Started: day(5), Protocol: bench.Classic()},
	} {
		c.Participants = []bench.Participant{{Target: bench.Target{Framework: string(rune('a' + i))}}}
		mustBegin(t, s, c)
	}
	results := []bench.Kind{bench.KindScheduled, bench.KindConfirm}
	for name, c := range map[string]struct {
		filter Filter
		want   string // participants, newest campaign first
	}{
		"all":             {Filter{}, "edcba"},
		"kinds":           {Filter{Kinds: results}, "edca"},
		"states":          {Filter{States: []bench.State{bench.StateFinished}}, "dba"},
		"protocol":        {Filter{ProtocolHash: bench.Classic().Hash()}, "ecba"},
		"since":           {Filter{Since: day(3)}, "edc"},
		"until":           {Filter{Until: day(3)}, "ba"},
		"newest two":      {Filter{Limit: 2}, "ed"},
		"after a number":  {Filter{After: 3}, "ed"},
		"what is shown":   {Filter{Kinds: results, States: []bench.State{bench.StateFinished}, ProtocolHash: bench.Classic().Hash(), Limit: 1}, "a"},
		"nothing matches": {Filter{ProtocolHash: "none"}, ""},
	} {
		found, err := s.Campaigns(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, campaign := range found {
			for _, p := range campaign.Participants {
				got += p.Target.Framework
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if n := must(s.Count(t.Context(), c.filter)); c.filter.Limit == 0 && n != len(c.want) {
			t.Errorf("%s: %d are counted", name, n)
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	if _, err := s.Campaign(t.Context(), 17); !errors.Is(err, ErrNotFound) {
		t.Errorf("campaign: %v", err)
	}
	if err := s.Update(t.Context(), bench.Campaign{ID: 17}); !errors.Is(err, ErrNotFound) {
		t.Errorf("update: %v", err)
	}
	if err := s.Record(t.Context(), small(17, 1)); err == nil {
		t.Error("a measurement without a campaign was stored")
	}
	missing := filepath.Join(t.TempDir(), "history.db")
	if _, err := OpenReadOnly(t.Context(), missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Error("opening for reading created the file")
	}
}

func TestReadOnlyDoesNotWrite(t *testing.T) {
	path := written(t, 1)
	s, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, beginErr := s.Begin(t.Context(), bench.Campaign{})
	_, cutErr := s.CutOff(t.Context())
	for _, err := range []error{beginErr, cutErr, s.Record(t.Context(), small(1, 9)), s.Update(t.Context(), bench.Campaign{ID: 1}), s.Accept(t.Context(), Acceptance{})} {
		if !errors.Is(err, ErrReadOnly) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := s.read.ExecContext(t.Context(), "DELETE FROM measurements"); err == nil {
		t.Error("SQLite itself would have written")
	}
}

// TestReadWhereNothingCanBeWritten: a report of a history that no one writes, in
// a folder where SQLite may create nothing.
func TestReadWhereNothingCanBeWritten(t *testing.T) {
	dir := smallDisk(t, "4m")
	path := filepath.Join(dir, "history.db")
	if err := errors.Join(copyFile(written(t, 3), path), unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")); err != nil {
		t.Fatal(err)
	}
	s, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := count(t, s, 1); got != 3 {
		t.Errorf("%d measurements", got)
	}
	if _, err := Open(t.Context(), path); !errors.Is(err, unix.EROFS) {
		t.Errorf("open for writing: %v", err)
	}
}

func TestPragmasHoldOnEveryConnection(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	for range 3 {
		if err := verifyPragmas(t.Context(), s.write, writing); err != nil {
			t.Error(err)
		}
		s.write.SetMaxIdleConns(0) // the next query opens a new connection
	}
	if err := verifyPragmas(t.Context(), s.read, writing); err == nil {
		t.Error("verification does not tell a reader from a writer")
	}
}

func TestPathWithSpecialCharacters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%20", "history.db")
	mustBegin(t, mustOpen(t, path), bench.Campaign{})
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestRecordIsNotEndedByItsContext(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	c := mustBegin(t, s, bench.Campaign{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Record(ctx, small(c.ID, 1)); err != nil {
		t.Error(err)
	}
	if err := s.Update(ctx, bench.Campaign{ID: c.ID, State: bench.StateStopped}); err != nil {
		t.Error(err)
	}
	if got := count(t, s, c.ID); got != 1 {
		t.Errorf("%d measurements", got)
	}
}

func TestRecordTwiceStoresOnce(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	c := mustBegin(t, s, bench.Campaign{})
	failed := small(c.ID, 1)
	failed.Failure = &bench.Failure{Stage: bench.StageStop, Cause: "does not end"}
	for _, m := range []bench.Measurement{small(c.ID, 1), small(c.ID, 1), failed, small(c.ID, 2)} {
		if err := s.Record(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if got := count(t, s, c.ID); got != 3 {
		t.Errorf("%d measurements", got)
	}
}

func TestNumbersThatJSONCannotHold(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	c := mustBegin(t, s, bench.Campaign{})
	m := small(c.ID, 1)
	m.Load.Quantiles = map[string]float64{"p50": 0.1, "p99": math.NaN()}
	m.Conditions.Pressure = math.Inf(1)
	if err := s.Record(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(m.Load.Quantiles["p99"]) {
		t.Error("the caller's map was changed")
	}
	want := m
	want.Load.Quantiles, want.Conditions.Pressure = map[string]float64{"p50": 0.1}, 0
	if diff := cmp.Diff([]bench.Measurement{want}, must(s.Measurements(t.Context(), c.ID))); diff != "" {
		t.Error(diff)
	}
}

func TestBackup(t *testing.T) {
	path := written(t, 3)
	s := mustOpen(t, path)
	to := filepath.Join(t.TempDir(), "copy.db")
	if err := s.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if got := count(t, mustOpen(t, to), 1); got != 3 {
		t.Errorf("%d measurements in the copy", got)
	}
	if err := s.Backup(t.Context(), to); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("over an existing file: %v", err)
	}
	if err := s.Backup(t.Context(), filepath.Join(to, "below")); err == nil {
		t.Error("below a file: no error")
	}
}

func TestWriterGivesUpOnlyWhatCanNeverBeWritten(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	c := mustBegin(t, s, bench.Campaign{})
	var told []error
	w := NewWriter(s, func(err error) { told = append(told, err) })
	if err := w.Record(t.Context(), small(17, 1)); err == nil {
		t.Error("a measurement without a campaign is lost, and no one is told")
	}
	if err := w.Record(t.Context(), small(c.ID, 1)); err != nil {
		t.Error(err)
	}
	if len(told) != 1 || w.WriteErrors() != 1 || w.Pending() != 0 || w.LastErr() != nil || count(t, s, c.ID) != 1 {
		t.Errorf("told %v, %d errors, %d pending, last %v", told, w.WriteErrors(), w.Pending(), w.LastErr())
	}
}

func TestWriterIsBounded(t *testing.T) {
	w := NewWriter(mustOpen(t, historyPath(t)), nil)
	full := errors.Join(ErrFull, context.Canceled)
	stuck := func(context.Context) error { return full }
	w.queue = make([]write, maxWaiting)
	for i := range w.queue {
		w.queue[i] = stuck
	}
	if err := w.Record(t.Context(), small(1, 1)); err == nil {
		t.Error("one more than fits was taken")
	}
}

// latencies is a histogram as the engines deliver it: some 100,000 answers
// around 2 ms with a long tail, three significant digits.
func latencies(tb testing.TB) []byte {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	h := hdrhistogram.New(1, 60_000_000, 3)
	for range 100_000 {
		if err := h.RecordValue(int64(500 + 1500*math.Exp(0.4*random.NormFloat64()) + 20*random.ExpFloat64())); err != nil {
			tb.Fatal(err)
		}
	}
	blob, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		tb.Fatal(err)
	}
	return blob
}

// realistic is a measurement as an engine, a server and a machine fill it.
func realistic(campaign int64, round int, latency []byte) bench.Measurement {
	m := small(campaign, round)
	m.Load.Engine, m.Load.Latency = "native 1", latency
	m.Load.Quantiles = map[string]float64{"p50": 0.002047, "p90": 0.003031, "p99": 0.00491, "p99.9": 0.00713, "mean": 0.0021634}
	m.Conditions = bench.Conditions{Busy: 0.9171974522292994, Processors: 2, Pressure: 0.8632197529460216, Load1: 4.3, MHz: 2600, TimeWaitAfter: 1793, Pinning: "none"}
	return m
}

func TestBytesPerMeasurement(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	estimate, err := s.BytesPerMeasurement(t.Context())
	if err != nil || estimate != EstimatedBytesPerMeasurement {
		t.Fatalf("got %g of an empty history, %v", estimate, err)
	}
	latency := latencies(t)
	c := mustBegin(t, s, bench.Campaign{State: bench.StateRunning})
	for round := range 1000 {
		if err := s.Record(t.Context(), realistic(c.ID, round, latency)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Update(t.Context(), bench.Campaign{ID: c.ID, State: bench.StateFinished}); err != nil {
		t.Fatal(err)
	}
	measured, err := s.BytesPerMeasurement(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f bytes a measurement, %d of them the histogram", measured, len(latency))
	if measured > EstimatedBytesPerMeasurement*1.25 || measured < EstimatedBytesPerMeasurement/1.5 {
		t.Errorf("%.0f bytes a measurement, estimated are %d", measured, EstimatedBytesPerMeasurement)
	}
}

func BenchmarkRecord(b *testing.B) {
	s := mustOpen(b, historyPath(b))
	c := mustBegin(b, s, bench.Campaign{State: bench.StateRunning})
	latency := latencies(b)
	for round := 0; b.Loop(); round++ {
		if err := s.Record(b.Context(), realistic(c.ID, round, latency)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMeasurementsOfAClassicCampaign(b *testing.B) {
	s := mustOpen(b, historyPath(b))
	c := mustBegin(b, s, bench.Campaign{State: bench.StateRunning})
	latency := latencies(b)
	for round := range 220 {
		if err := s.Record(b.Context(), realistic(c.ID, round, latency)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := s.Measurements(b.Context(), c.ID); err != nil {
			b.Fatal(err)
		}
	}
}

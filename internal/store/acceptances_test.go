package store

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

func acceptance(n int) Acceptance {
	return Acceptance{
		Change: "131-flask@current/" + string(rune('a'+n)), Note: "TLS is worth it – \"'\n",
		At: time.Date(2026, 1, 2, 3, 4, 5, 6+n, time.UTC),
	}
}

func TestTheFirstWordAboutAChangeHolds(t *testing.T) {
	path := historyPath(t)
	s := mustOpen(t, path)
	for n := range 2 {
		if err := s.Accept(t.Context(), acceptance(n)); err != nil {
			t.Fatal(err)
		}
	}
	again := acceptance(0)
	again.Note = "another reason"
	if err := s.Accept(t.Context(), again); !errors.Is(err, ErrAccepted) {
		t.Errorf("accepted twice: %v", err)
	}
	reader, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if diff := cmp.Diff([]Acceptance{acceptance(0), acceptance(1)}, must(reader.Acceptances(t.Context()))); diff != "" {
		t.Errorf("(-stored +read):\n%s", diff)
	}
}

// ofSchema1 is a measurement as the first schema has it.
const ofSchema1 = `INSERT INTO measurements (campaign, round, position, attempt, framework, edition, serving, workload,
	started, engine, requests, duration, bytes, reconnects, client_cpu, client_wait, client_start_cpu, latency_corrected,
	body_unchecked, first_wrong, server_cpu, server_memory, server_run_queue, server_processes, conditions)
	VALUES (1, 1, 0, 0, 'sanic', 'current', 'documented', 'hello', 1, 'native 1', 10, 1000000000, 100, 0, 1, 0, 0, 0, 0, '', 1, 1, 0, 1, '{}')`

// participantOfSchema1 is one as the first schema has it.
const participantOfSchema1 = `INSERT INTO participants (campaign, position, framework, edition, serving, workload, version, server, python)
	VALUES (1, 0, 'sanic', 'current', 'documented', 'hello', '20.6.3', 'its own', '3.13.0')`

// ofFirstSchema is a history of the first schema: one campaign, one participant, one
// measurement.
func ofFirstSchema(t *testing.T) (path string, c bench.Campaign) {
	t.Helper()
	path = historyPath(t)
	old, err := open(t.Context(), path, must(embedded())[:1])
	if err != nil {
		t.Fatal(err)
	}
	c = filled[bench.Campaign](1)
	c.Participants = nil // as they are written now
	c = mustBegin(t, old, c)
	old.Close()
	execute(t, path, ofSchema1)
	execute(t, path, participantOfSchema1)
	c.Participants = []bench.Participant{{
		Target:   bench.Target{Framework: "sanic", Edition: "current", Serving: "documented", Workload: "hello"},
		Versions: bench.Versions{Framework: "20.6.3", Server: "its own", Python: "3.13.0"},
	}}
	return path, c
}

// What is damaged is of the schema that it was written in, and all of it is wanted.
func TestADamagedHistoryOfTheFirstSchemaIsRecovered(t *testing.T) {
	path, c := ofFirstSchema(t)
	damage(t, path, func(f *os.File, _ int64) error { return scribble(f, 0, 16) })
	s := mustOpen(t, path)
	if ms := must(s.Measurements(t.Context(), c.ID)); len(ms) != 1 || ms[0].Load.Requests != 10 || s.Info().Recovery == nil {
		t.Errorf("measurements %+v, recovery %v", ms, s.Info().Recovery)
	}
	if diff := cmp.Diff(c, must(s.Campaign(t.Context(), c.ID))); diff != "" {
		t.Errorf("campaign (-stored +read):\n%s", diff)
	}
}

// A history of the first schema keeps all it has, and takes acceptances.
func TestHistoryFromBeforeAcceptances(t *testing.T) {
	path, c := ofFirstSchema(t)
	if _, err := OpenReadOnly(t.Context(), path); err == nil {
		t.Error("an older history was opened without bringing it up to date")
	}
	s := mustOpen(t, path)
	ms := must(s.Measurements(t.Context(), c.ID))
	if s.Info().Backup == "" || len(ms) != 1 || ms[0].Load.Requests != 10 || ms[0].Load.Unconnected != nil {
		t.Errorf("backup %q, measurements %+v", s.Info().Backup, ms)
	}
	if diff := cmp.Diff(c, must(s.Campaign(t.Context(), c.ID))); diff != "" {
		t.Errorf("campaign (-stored +read):\n%s", diff)
	}
	if err := s.Accept(t.Context(), acceptance(0)); err != nil {
		t.Error(err)
	}
}

func TestAcceptancesSurviveDamage(t *testing.T) {
	path := written(t, 10)
	s := mustOpen(t, path)
	if err := s.Accept(t.Context(), acceptance(0)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	damage(t, path, func(f *os.File, _ int64) error { return scribble(f, 0, 16) })
	if got := must(mustOpen(t, path).Acceptances(t.Context())); !slices.Equal(got, []Acceptance{acceptance(0)}) {
		t.Errorf("after the recovery: %+v", got)
	}
}

func TestNumbersAreMeasurementsWithoutWhatIsLong(t *testing.T) {
	s := mustOpen(t, historyPath(t))
	c, m := mustBegin(t, s, filled[bench.Campaign](1)), filled[bench.Measurement](1000)
	m.Campaign = c.ID
	if err := s.Record(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	m.Load.Latency, m.Load.Quantiles, m.Load.FirstWrong, m.Load.Unconnected, m.Server.Busiest = nil, nil, "", nil, 0
	m.Conditions = bench.Conditions{Pinning: m.Conditions.Pinning, IdleLimit: m.Conditions.IdleLimit}
	if diff := cmp.Diff([]bench.Measurement{m}, must(s.Numbers(t.Context(), c.ID))); diff != "" {
		t.Errorf("(-stored +read):\n%s", diff)
	}
}

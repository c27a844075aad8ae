package exporter

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"restbench/internal/bench"
)

// noon is the clock of all tests.
func noon() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func targetOf(framework, edition string) bench.Target {
	return bench.Target{Framework: framework, Edition: edition, Serving: bench.ServingDocumented, Workload: bench.WorkloadHello}
}

func sanic() bench.Target { return targetOf("sanic", "current") }
func flask() bench.Target { return targetOf("flask", "current") }

// short is a protocol of three rounds.
func short() bench.Protocol {
	p := bench.Classic()
	p.Name, p.Rounds = "short", 3
	return p
}

func machine() bench.Machine {
	return bench.Machine{
		Host: "lab", CPU: "Example CPU", Cores: 2, Memory: 4 << 30, Kernel: "6.1.0", System: "Debian GNU/Linux 12",
		Arch: "amd64", Virtual: "kvm", Restbench: "1.2.3",
	}
}

func options() Options {
	return Options{
		Version: "1.2.3", Protocol: short(), Targets: []bench.Target{sanic(), flask()}, Machine: machine(),
		SkipReasons: []string{"running", "failed", "asleep"}, Now: noon, Log: zerolog.Nop(),
		Next:        func() time.Time { return noon().Add(time.Hour) },
		Slot:        func(after time.Time) time.Time { return after.Truncate(time.Hour).Add(time.Hour) },
		StoreStatus: func() StoreStatus { return StoreStatus{Bytes: 4096, WriteErrors: 2} },
	}
}

func newExporter(t testing.TB, o Options) *Exporter {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// campaign is one that started an hour before noon.
func campaign(id int64, p bench.Protocol, targets ...bench.Target) bench.Campaign {
	c := bench.Campaign{
		ID: id, Kind: bench.KindScheduled, State: bench.StateRunning, Protocol: p, Machine: machine(),
		Started: noon().Add(-time.Hour),
	}
	for _, t := range targets {
		c.Participants = append(c.Participants, bench.Participant{
			Target:   t,
			Versions: bench.Versions{Framework: "1.0", Server: "its own", Python: "3.13.0"},
		})
	}
	return c
}

// measured is a measurement of 10 s with a rate. The server is busy all the time
// and the client for 10 µs of each request.
func measured(t bench.Target, round int, rate float64) bench.Measurement {
	requests := int64(rate * 10)
	return bench.Measurement{
		Round: round, Target: t, Started: noon().Add(-time.Hour + time.Duration(round)*time.Minute),
		Load: bench.Load{
			Engine: "native 1", Requests: requests, Duration: 10 * time.Second,
			ClientCPU: time.Duration(requests) * 10 * time.Microsecond,
			Latency:   latencies(1, 100, 150, 12_345),
		},
		Server:     bench.Usage{CPU: 10 * time.Second, Memory: 50_000_000},
		Conditions: bench.Conditions{Steal: 0.01 * float64(round), Pressure: 0.1, Pinning: "none"},
	}
}

// latencies is an encoded histogram of microseconds.
func latencies(values ...int64) []byte {
	h := hdrhistogram.New(1, 60_000_000, 3)
	for _, v := range values {
		if err := h.RecordValue(v); err != nil {
			panic(err)
		}
	}
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err)
	}
	return encoded
}

func failed(t bench.Target, round int, stage bench.Stage, cause string) bench.Measurement {
	return bench.Measurement{Round: round, Target: t, Started: noon(), Failure: &bench.Failure{Stage: stage, Cause: cause}}
}

// play tells an exporter what the scheduler would tell it.
type play struct {
	*Exporter
	bench.Campaign
}

func begin(e *Exporter, c bench.Campaign) *play {
	p := &play{e, c}
	p.event(bench.PhasePreparing, 0, nil)
	p.event(bench.PhaseStarting, 0, nil)
	p.event(bench.PhaseMeasuring, 0, nil)
	return p
}

func (p *play) event(phase bench.Phase, round int, m *bench.Measurement) {
	e := bench.Event{Time: noon(), Campaign: p.Campaign, Phase: phase, Round: round, Measurement: m}
	if m != nil {
		e.Target = &m.Target
	}
	p.Observe(e)
}

// measure gives measurements of one round without ending it.
func (p *play) measure(ms ...bench.Measurement) {
	for _, m := range ms {
		m.Campaign = p.ID
		p.Observe(bench.Event{Time: noon(), Campaign: p.Campaign, Phase: bench.PhaseMeasuring, Round: m.Round, Target: &m.Target})
		p.event(bench.PhaseMeasuring, m.Round, &m)
	}
}

// round is a complete one.
func (p *play) round(ms ...bench.Measurement) {
	p.measure(ms...)
	p.Rounds++
	p.event(bench.PhaseMeasuring, p.Rounds, nil)
}

func (p *play) finish(state bench.State) {
	p.event(bench.PhaseStopping, 0, nil)
	p.State, p.Finished = state, noon().Add(-30*time.Minute)
	p.event(bench.PhaseDone, 0, nil)
}

// playWhole plays a campaign in which sanic answers 10000, 11000, 12000 and flask a
// tenth of that.
func playWhole(e *Exporter, id int64) {
	p := begin(e, campaign(id, short(), sanic(), flask()))
	for round := 1; round <= 3; round++ {
		rate := 9000 + 1000*float64(round)
		p.round(measured(sanic(), round, rate), measured(flask(), round, rate/10))
	}
	p.finish(bench.StateFinished)
}

// value reads one series from a registry; NaN-free, ok is false when it is not
// there.
func value(t testing.TB, e *Exporter, name string, labels ...string) (v float64, ok bool) {
	t.Helper()
	families, err := e.options.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for i := 0; i < len(labels); i += 2 {
		want[labels[i]] = labels[i+1]
	}
	found := 0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			matched := 0
			for _, l := range m.GetLabel() {
				if want[l.GetName()] == l.GetValue() && l.GetValue() != "" {
					matched++
				}
			}
			if matched == len(want) {
				found++
				v = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	if found > 1 {
		t.Fatalf("%s%v: %d series", name, labels, found)
	}
	return v, found == 1
}

func wantValue(t testing.TB, e *Exporter, want float64, name string, labels ...string) {
	t.Helper()
	if v, ok := value(t, e, name, labels...); !ok || v != want {
		t.Errorf("%s%v = %v (there: %v), want %v", name, labels, v, ok, want)
	}
}

func wantNone(t testing.TB, e *Exporter, name string, labels ...string) {
	t.Helper()
	if v, ok := value(t, e, name, labels...); ok {
		t.Errorf("%s%v = %v, want none", name, labels, v)
	}
}

var _ prometheus.Collector = (*Exporter)(nil)

// golden compares with a file, or writes it with UPDATE=1.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("differs from %s (UPDATE=1 writes it):\n%s", path, got)
	}
}

package exporter

import (
	"math"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// playControls plays a campaign with a control, on a machine of some speed.
func playControls(e *Exporter, id int64, speed float64) {
	control := bench.ControlTarget(bench.ControlGo)
	p := begin(e, campaign(id, short(), sanic(), flask(), control))
	for round := 1; round <= 3; round++ {
		p.round(measured(sanic(), round, 9000*speed), measured(flask(), round, 900*speed), measured(control, round, 100*speed))
	}
	p.finish(bench.StateFinished)
}

func TestControlsAndTheHostIndex(t *testing.T) {
	e := newExporter(t, options())
	for id := int64(1); id <= 3; id++ {
		playControls(e, id, 1)
		if _, ok := value(t, e, "restbench_host_index_ratio"); ok {
			t.Errorf("an index after %d campaigns", id)
		}
	}
	playControls(e, 4, 0.8)
	if v, ok := value(t, e, "restbench_host_index_ratio"); !ok || math.Abs(v-0.8) > 1e-9 {
		t.Errorf("index is %v (there: %t), want 0.8", v, ok)
	}
	wantValue(t, e, 80, "restbench_control_requests_per_second", "control", bench.ControlGo)
	if _, ok := value(t, e, "restbench_requests_per_second", "framework", bench.ControlGo); ok {
		t.Error("a control has a result of its own")
	}
	e.SetTargets(bench.Classic(), []bench.Target{sanic()})
	playControls(e, 5, 0.8)
	if _, ok := value(t, e, "restbench_host_index_ratio"); ok {
		t.Error("campaigns of another protocol are in the index")
	}
}

// A reload to another protocol and back must not begin the history anew.
func TestTheHostIndexOutlivesAReload(t *testing.T) {
	o := options()
	past := map[string][]report.Rates{}
	o.Earlier = func(p bench.Protocol, _ time.Time) []report.Rates { return past[p.Hash()] }
	e := newExporter(t, o)
	for id := int64(1); id <= 3; id++ {
		playControls(e, id, 1)
	}
	for range 3 {
		past[short().Hash()] = append(past[short().Hash()], rates(1))
	}
	targets := []bench.Target{sanic(), flask()}
	e.SetTargets(bench.Classic(), targets)
	e.SetTargets(short(), targets)
	if _, ok := value(t, e, "restbench_host_index_ratio"); ok {
		t.Error("an index before the first campaign of the new protocol")
	}
	playControls(e, 4, 0.8)
	if v, ok := value(t, e, "restbench_host_index_ratio"); !ok || math.Abs(v-0.8) > 1e-9 {
		t.Errorf("index is %v (there: %t), want 0.8", v, ok)
	}
}

// rates are those of playControls.
func rates(speed float64) report.Rates {
	control := bench.ControlTarget(bench.ControlGo)
	c := campaign(9, short(), sanic(), flask(), control)
	c.Rounds = 1
	ms := []bench.Measurement{measured(sanic(), 1, 9000*speed), measured(flask(), 1, 900*speed), measured(control, 1, 100*speed)}
	return report.NewRates(c, ms)
}

// playAll plays a campaign of three rounds in which all targets are alike.
func playAll(e *Exporter, id int64, targets []bench.Target) {
	p := begin(e, campaign(id, short(), targets...))
	for round := 1; round <= 3; round++ {
		for _, target := range targets {
			p.measure(measured(target, round, 1000))
		}
		p.round()
	}
	p.finish(bench.StateFinished)
}

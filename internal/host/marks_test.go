package host

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

func TestMarks(t *testing.T) {
	thresholds := Thresholds{Steal: 0.05, Others: 0.10, Pressure: 0.10, Pause: 1, Ports: 0.9, Refused: 0.01, Local: 1000}
	// measured: 10 s on two processors, 16 of their 20 s used by engine and server
	measured := func(c bench.Conditions) bench.Measurement {
		c.Processors = 2
		return bench.Measurement{
			Load:       bench.Load{Requests: 10_000, Duration: 10 * time.Second, ClientCPU: 6 * time.Second},
			Server:     bench.Usage{CPU: 10 * time.Second},
			Conditions: c,
		}
	}
	noPorts := func(connect int64) bench.Measurement {
		m := measured(bench.Conditions{TimeWaitBefore: 10, TimeWaitAfter: 950})
		m.Load.Errors = map[bench.ErrorKind]int64{bench.ErrorConnect: connect}
		return m
	}
	unknownCost := measured(bench.Conditions{Busy: 1, Pressure: 1})
	unknownCost.Server.CPU = 0
	for name, c := range map[string]struct {
		m    bench.Measurement
		want []bench.Mark
	}{
		"quiet":                            {measured(bench.Conditions{Busy: 0.82}), nil},
		"client and server fill two cores": {measured(bench.Conditions{Busy: 0.85, Pressure: 0.95}), nil},
		"a little steal":                   {measured(bench.Conditions{Steal: 0.05}), nil},
		"steal": {measured(bench.Conditions{Steal: 0.051}), []bench.Mark{
			{Kind: bench.MarkNoisy, Reason: bench.ReasonSteal, Detail: "the hypervisor took 5.1 % of the processor time"}}},
		"others": {measured(bench.Conditions{Busy: 1, Pressure: 0.95}), []bench.Mark{
			{Kind: bench.MarkNoisy, Reason: bench.ReasonPressure, Detail: "other programs used 20 % of the processors"}}},
		"others, and no one waits":          {measured(bench.Conditions{Busy: 1, Pressure: 0.05}), nil},
		"others, pressure is not counted":   {measured(bench.Conditions{Busy: 0.95}), []bench.Mark{{Kind: bench.MarkNoisy, Reason: bench.ReasonPressure, Detail: "other programs used 15 % of the processors"}}},
		"the cost of the server is unknown": {unknownCost, nil},
		"pause": {measured(bench.Conditions{Paused: 312}), []bench.Mark{
			{Kind: bench.MarkInvalid, Reason: bench.ReasonPause, Detail: "the machine stood still, or its clock was set: the clocks disagree by 312.0 s"}}},
		"ports": {noPorts(500), []bench.Mark{
			{Kind: bench.MarkInvalid, Reason: bench.ReasonPorts, Detail: "500 connections could not be opened: 950 of 1000 local ports wait to be free again"}}},
		"ports reused":       {noPorts(0), nil},
		"short accept queue": {noPorts(5), nil}, // 5 of 10,000 requests
	} {
		if diff := cmp.Diff(c.want, Marks(c.m, thresholds)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A second of load is read over more than a second: the engine starts and ends in it.
// What server and engine used is a share of that, as is what all programs used.
func TestOthersAreOfTheWindowThatWasRead(t *testing.T) {
	second := func(window float64) bench.Measurement {
		return bench.Measurement{
			Load:       bench.Load{Duration: time.Second, ClientCPU: 700 * time.Millisecond},
			Server:     bench.Usage{CPU: 900 * time.Millisecond},
			Conditions: bench.Conditions{Processors: 2, Busy: 0.8, Window: window},
		}
	}
	for window, want := range map[float64]float64{1.25: 0.16, 0: 0} { // 1.6 of 2.5 s, and of 2 s as before
		if got := Others(second(window)); math.Abs(got-want) > 1e-9 {
			t.Errorf("read over %g s: others used %g, want %g", window, got, want)
		}
	}
}

func TestThresholdsKnowThePorts(t *testing.T) {
	root := files{"proc/sys/net/ipv4/ip_local_port_range": "32768\t60999"}.tree(t)
	if got := (&Probe{Root: string(root)}).Thresholds().Local; got != 28232 {
		t.Errorf("got %d local ports", got)
	}
	if got := (&Probe{Root: t.TempDir()}).Thresholds().Local; got != 0 {
		t.Errorf("got %d local ports where nothing is known", got)
	}
}

package report_test

import (
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
)

type limitCase struct {
	change func(*bench.Measurement)
	want   string
}

func limitCases() map[string]limitCase {
	// All windows are 10 s, 5 loops, 20 connections, 2 processors.
	return map[string]limitCase{
		"one busy process": {func(*bench.Measurement) {}, report.LimitServer},
		// 7 s of work and 2 s of waiting for a processor: 0.9 of the time.
		"server that waits for a processor": {func(m *bench.Measurement) {
			m.Server.CPU, m.Server.RunQueue = 7*time.Second, 2*time.Second
		}, report.LimitServer},
		// Four processes that wait for three quarters of the time use a processor in all.
		"processes that wait": {func(m *bench.Measurement) {
			m.Server.CPU, m.Server.Busiest, m.Server.Processes = 9500*time.Millisecond, 2500*time.Millisecond, 5
			m.Load.Unconnected = new(0.0)
		}, report.LimitStalled},
		"one of several processes at its limit": {func(m *bench.Measurement) {
			m.Server.CPU, m.Server.Busiest, m.Server.Processes = 9800*time.Millisecond, 9200*time.Millisecond, 4
		}, report.LimitServer},
		// 17.2 s on 2 processors: 0.86.
		"processes on all processors": {func(m *bench.Measurement) {
			m.Server.CPU, m.Server.Busiest, m.Server.Processes = 17200*time.Millisecond, 4300*time.Millisecond, 5
		}, report.LimitServer},
		// 9 s on the one processor that they were left: 0.9, though none has half of it.
		"processes on the processor that they were left": {func(m *bench.Measurement) {
			m.Server.CPU, m.Server.Busiest, m.Server.Processes = 9*time.Second, 4500*time.Millisecond, 3
			m.Conditions.ServerProcessors = 1
		}, report.LimitServer},
		// 18.5 s on 2 processors: 0.925.
		"engine on all processors": {func(m *bench.Measurement) { m.Load.ClientCPU = 18500 * time.Millisecond }, report.LimitClient},
		// 20 s of work and 25 s of waiting in 5 loops: 0.9 of a loop.
		"engine that waits for a processor": {func(m *bench.Measurement) {
			m.Load.ClientCPU, m.Load.ClientWait = 15*time.Second, 30*time.Second
		}, report.LimitClient},
		// The delayed acknowledgement: 410 a second, mean 20/410 s, a quarter of a core.
		"delayed acknowledgement": {func(m *bench.Measurement) { m.Server.CPU = 2500 * time.Millisecond }, report.LimitStalled},
		"delayed acknowledgement, by wrk": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.LatencyCorrected, m.Load.Latency = 2500*time.Millisecond, true, nil
			m.Load.Quantiles = map[string]float64{"mean": 0.030}
		}, report.LimitStalled},
		// wrk does not say for how long the connections that it lost were missing.
		"delayed acknowledgement behind a full queue, by wrk": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.LatencyCorrected, m.Conditions.ListenOverflows = 2500*time.Millisecond, true, 200
		}, ""},
		// A queue of ten, and twenty connections at once: dropped once, and there a second later.
		"delayed acknowledgement after a burst, by wrk": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.LatencyCorrected, m.Conditions.ListenOverflows = 2500*time.Millisecond, true, 14
		}, report.LimitStalled},
		"connections that wrk could not open": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.LatencyCorrected, m.Load.Errors = 2500*time.Millisecond, true, map[bench.ErrorKind]int64{bench.ErrorConnect: 1}
		}, ""},
		"delayed acknowledgement behind a full queue, where the engine knows": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.Unconnected, m.Conditions.ListenOverflows = 2500*time.Millisecond, new(0.045), 200
		}, report.LimitStalled},
		"busy server behind a full queue, by wrk": {func(m *bench.Measurement) {
			m.Load.LatencyCorrected, m.Conditions.ListenOverflows = true, 200
		}, report.LimitServer},
		// 410 · 0.044 / 20 = 0.902 where connections stay, and no question where they do not.
		"delayed acknowledgement at exactly 44 ms": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.Latency = 2500*time.Millisecond, nil
			m.Load.Quantiles = map[string]float64{"mean": 0.044}
		}, report.LimitStalled},
		"delayed acknowledgement, closing": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.Latency, m.Load.Reconnects = 2500*time.Millisecond, nil, m.Load.Requests
			m.Load.Quantiles = map[string]float64{"mean": 0.040}
		}, report.LimitStalled},
		// 0.8 of a processor, and nobody knows whether all connections were there.
		"closing server with a short queue, by wrk": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.LatencyCorrected = 8*time.Second, true
		}, ""},
		// The engine knows: a third of the time there was no connection.
		"closing server with a short queue": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.Reconnects, m.Load.Unconnected = 8*time.Second, m.Load.Requests, new(0.33)
		}, report.LimitUnfilled},
		// A second of ten that 9 of 20 connections take to get in, as with a queue of ten.
		"delayed acknowledgement behind a short queue": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.Unconnected = 2500*time.Millisecond, new(0.045)
			m.Load.Quantiles = map[string]float64{"mean": 0.040}
		}, report.LimitStalled},
		// One of two processors is left to the engine, which uses 0.9 of it in 5 loops.
		"engine on the processor that it was left": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.ClientCPU, m.Conditions.ClientProcessors = 5*time.Second, 9*time.Second, 1
		}, report.LimitClient},
		// 410 · 0.030 / 20 = 0.615: a third of the connections is idle.
		"lost connections": {func(m *bench.Measurement) {
			m.Server.CPU, m.Load.Latency = 2500*time.Millisecond, nil
			m.Load.Quantiles = map[string]float64{"mean": 0.030}
		}, report.LimitUnfilled},
		"nobody knows beside others": {func(m *bench.Measurement) {
			m.Server.CPU, m.Conditions.Steal = 2500*time.Millisecond, 0.3
		}, ""},
		"nobody knows without costs": {func(m *bench.Measurement) { m.Server.CPU = 0 }, ""},
	}
}

func TestLimitedBy(t *testing.T) {
	for name, test := range limitCases() {
		t.Run(name, func(t *testing.T) {
			c := campaign()
			c.Machine.Cores = 2
			var ms []bench.Measurement
			for round := 1; round <= 3; round++ {
				m := measured(target("djangorestframework", "current"), round, 410)
				m.Load.Latency = nil
				m.Load.Quantiles = map[string]float64{"mean": 20.0 / 410}
				test.change(&m)
				ms = append(ms, m)
			}
			got := row(report.New(c, ms), "djangorestframework@current").LimitedBy
			switch {
			case got == nil && test.want != "":
				t.Errorf("no verdict, want %s", test.want)
			case got != nil && *got != test.want:
				t.Errorf("%s, want %q", *got, test.want)
			}
		})
	}
}

// Threads that use by turns the processors that the server chose are at their limit, or
// they wait: nobody can tell. Windows are 10 s, on 8 processors.
func TestLimitedByOnManyProcessors(t *testing.T) {
	for name, test := range map[string]struct {
		used, busiest time.Duration
		processes     int
		want          string
	}{
		"one process on 4 of 8":    {39500 * time.Millisecond, 7 * time.Second, 1, ""},
		"and one that supervises":  {39500 * time.Millisecond, 7 * time.Second, 2, ""},
		"a thread at its limit":    {39500 * time.Millisecond, 9 * time.Second, 1, report.LimitServer},
		"processes that each wait": {24 * time.Second, 6 * time.Second, 5, report.LimitStalled},
		"two at most":              {8 * time.Second, 8 * time.Second, 1, report.LimitStalled},
	} {
		c := campaign()
		c.Machine.Cores = 8
		m := measured(target("a", "current"), 1, 410)
		m.Server.CPU, m.Server.Busiest, m.Server.Processes, m.Load.Unconnected = test.used, test.busiest, test.processes, new(0.0)
		got := ""
		if limit := row(report.New(c, []bench.Measurement{m}), "a@current").LimitedBy; limit != nil {
			got = *limit
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// The verdict of most rounds counts.
func TestLimitedByMostRounds(t *testing.T) {
	c, ms := small()
	of(ms, target("slow", "current"), func(m *bench.Measurement) {
		if m.Round > 1 {
			m.Server.CPU = time.Second
		}
	})
	if got := row(report.New(c, ms), "slow@current").LimitedBy; got == nil || *got != report.LimitStalled {
		t.Errorf("%v, want stalled in 2 of 3 rounds", got)
	}
}

func TestEveryLimitIsExplained(t *testing.T) {
	for _, limit := range report.Limits() {
		if report.Explain(limit) == "" {
			t.Errorf("%s is not", limit)
		}
	}
}

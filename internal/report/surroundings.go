package report

import "restbench/internal/bench"

// RowConditions is what the machine, and the two processes, did while a target was
// measured, over the rounds that count. The names are those of bench.Conditions.
type RowConditions struct {
	Steal           MeanMax  `json:"steal"`            // share of processor time, 0 to 1
	Pressure        MeanMax  `json:"pressure"`         // share of the time, 0 to 1
	Load1           MeanMax  `json:"load1"`            // at the end of a measurement
	MHz             *float64 `json:"mhz"`              // mean of the processors and the rounds; nil where unknown
	TCPRetransmits  int64    `json:"tcp_retransmits"`  // of all rounds together
	ListenOverflows int64    `json:"listen_overflows"` // of all rounds together
	TimeWaitBefore  int64    `json:"time_wait_before"` // the most of any round
	TimeWaitAfter   int64    `json:"time_wait_after"`
	ServerCPUUse    *float64 `json:"server_cpu_use"`   // mean share of one processor: 1.5 is one and a half; nil where no time was read
	ClientCPUUse    *float64 `json:"client_cpu_use"`   // of the load generator
	ServerRunQueue  *float64 `json:"server_run_queue"` // mean share of the time, of all threads together, in which they waited for a processor
}

// MeanMax is of values, one a round.
type MeanMax struct {
	Mean float64 `json:"mean"`
	Max  float64 `json:"max"`
}

// conditionsOf measurements, of which there is at least one.
func conditionsOf(ms []bench.Measurement) RowConditions {
	c := RowConditions{
		Steal:    meanMax(ms, func(m bench.Measurement) float64 { return m.Conditions.Steal }),
		Pressure: meanMax(ms, func(m bench.Measurement) float64 { return m.Conditions.Pressure }),
		Load1:    meanMax(ms, func(m bench.Measurement) float64 { return m.Conditions.Load1 }),
		MHz:      meanOfKnown(ms, func(m bench.Measurement) (float64, bool) { return m.Conditions.MHz, m.Conditions.MHz > 0 }),
		ServerCPUUse: meanOfKnown(ms, func(m bench.Measurement) (float64, bool) {
			return over(m.Server.CPU, m.Load.Duration), serverRead(m)
		}),
		ClientCPUUse: meanOfKnown(ms, func(m bench.Measurement) (float64, bool) {
			return over(m.Load.ClientCPU, m.Load.Duration), m.Load.ClientCPU > 0 && m.Load.Duration > 0
		}),
		ServerRunQueue: meanOfKnown(ms, func(m bench.Measurement) (float64, bool) {
			return over(m.Server.RunQueue, m.Load.Duration), serverRead(m)
		}),
	}
	for _, m := range ms {
		c.TCPRetransmits += m.Conditions.TCPRetransmits
		c.ListenOverflows += m.Conditions.ListenOverflows
		c.TimeWaitBefore = max(c.TimeWaitBefore, m.Conditions.TimeWaitBefore)
		c.TimeWaitAfter = max(c.TimeWaitAfter, m.Conditions.TimeWaitAfter)
	}
	return c
}

// serverRead reports whether the clocks of the server were: no server works for
// nothing.
func serverRead(m bench.Measurement) bool { return m.Server.CPU > 0 && m.Load.Duration > 0 }

func meanMax(ms []bench.Measurement, of func(bench.Measurement) float64) MeanMax {
	var r MeanMax
	for _, m := range ms {
		r.Mean += of(m) / float64(len(ms))
		r.Max = max(r.Max, of(m))
	}
	return r
}

// meanOfKnown is nil where nothing is known.
func meanOfKnown(ms []bench.Measurement, of func(bench.Measurement) (value float64, known bool)) *float64 {
	sum, n := 0.0, 0
	for _, m := range ms {
		if value, known := of(m); known {
			sum += value
			n++
		}
	}
	if n == 0 {
		return nil
	}
	mean := sum / float64(n)
	return &mean
}

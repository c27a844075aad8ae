package host

import (
	"fmt"

	"restbench/internal/bench"
)

// Thresholds say from where on a condition marks a measurement. Shares are from
// 0 to 1.
type Thresholds struct {
	Steal    float64 // of processor time, taken by the hypervisor
	Others   float64 // of all processors, used by other programs
	Pressure float64 // of the time in which a task waited, below which Others do not matter
	Pause    float64 // seconds by which the clocks disagree
	Ports    float64 // of the local ports, in TIME_WAIT
	Refused  float64 // of the requests, whose connection could not be opened, below which Ports do not matter
	Local    int64   // how many local ports there are; 0 where unknown
}

// Thresholds are the defaults, with the port range of this machine.
func (p *Probe) Thresholds() Thresholds {
	low, high := p.tree().localPorts()
	return Thresholds{
		Steal: 0.05, Others: 0.10, Pressure: 0.10, Pause: 1, Ports: 0.9, Refused: 0.01,
		Local: max(0, high-low+1),
	}
}

// Marks tells what the machine did to a measurement.
//
// Steal and others make it noisy: the number is too low, but is a number. A
// pause and a lack of ports make it invalid: the number is of something else.
//
// Ports in TIME_WAIT alone say nothing either: one that waits towards one server
// is free towards another, and servers with a short accept queue lose a few
// connections in a thousand by themselves.
//
// Pressure alone says nothing here. On a machine of two processors the engine
// and the server make each other wait most of the time, which is what is
// measured. What disturbs is the work of others, so that is what the rule looks
// for: processor time that neither the server nor the engine used, on a machine
// where someone had to wait (or, where the kernel does not count that, that had
// no processor to spare). The kernel's own network work is on neither side.
func Marks(m bench.Measurement, t Thresholds) []bench.Mark {
	var marks []bench.Mark
	mark := func(kind bench.MarkKind, reason, format string, args ...any) {
		marks = append(marks, bench.Mark{Kind: kind, Reason: reason, Detail: fmt.Sprintf(format, args...)})
	}
	c := m.Conditions
	if c.Steal > t.Steal {
		mark(bench.MarkNoisy, bench.ReasonSteal, "the hypervisor took %.1f %% of the processor time", 100*c.Steal)
	}
	waited := c.Pressure > t.Pressure || c.Pressure == 0 && c.Busy > 0.8
	if others := Others(m); waited && others > t.Others {
		mark(bench.MarkNoisy, bench.ReasonPressure, "other programs used %.0f %% of the processors", 100*others)
	}
	if c.Paused > t.Pause {
		mark(bench.MarkInvalid, bench.ReasonPause, "the machine stood still, or its clock was set: the clocks disagree by %.1f s", c.Paused)
	}
	waiting, connect := max(c.TimeWaitBefore, c.TimeWaitAfter), m.Load.Errors[bench.ErrorConnect]
	if t.Local > 0 && float64(connect) > t.Refused*float64(m.Load.Requests) && float64(waiting) > t.Ports*float64(t.Local) {
		mark(bench.MarkInvalid, bench.ReasonPorts, "%d connections could not be opened: %d of %d local ports wait to be free again", connect, waiting, t.Local)
	}
	return marks
}

// Others is the share of all processors, 0 to 1, that neither the server nor the
// engine used; 0 where their use is not known. Busy is of the window that was read,
// so is their use here: that is longer than the load, and it shows where loads are
// short. Kernels that charge network interrupts to the running program make it too
// low, never too high.
func Others(m bench.Measurement) float64 {
	own := m.Load.ClientCPU + m.Server.CPU
	window := m.Conditions.Window
	if window == 0 {
		window = m.Load.Duration.Seconds()
	}
	capacity := float64(m.Conditions.Processors) * window
	if m.Load.ClientCPU == 0 || m.Server.CPU == 0 || capacity <= 0 {
		return 0
	}
	return max(0, m.Conditions.Busy-own.Seconds()/capacity)
}

// localPorts is the range that outgoing connections take their ports from.
func (t tree) localPorts() (low, high int64) {
	if n, err := fmt.Sscan(t.text("proc/sys/net/ipv4/ip_local_port_range"), &low, &high); n != 2 || err != nil {
		return 0, -1
	}
	return low, high
}

package host

import (
	"math"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

// Probe reads what the machine does. The zero value is ready.
type Probe struct {
	Root string // under which proc, sys and dev are; "/" when empty
}

// Window is the time of one measurement.
type Window struct {
	probe  *Probe
	before reading
}

// reading is the state of counters at one moment. Times are in seconds.
type reading struct {
	mono, boot, wall float64

	total, busy, steal float64 // of all processors together
	processors         int
	pressure           float64

	retransmits, overflows float64
	timeWait               int64
}

// Begin reads the counters before a measurement. It takes well under a
// millisecond on a small machine.
func (p *Probe) Begin() *Window { return &Window{probe: p, before: p.read()} }

// End reads them again and returns what lay between.
func (w *Window) End() bench.Conditions {
	after := w.probe.read()
	c := between(w.before, after)
	c.Load1 = w.probe.load1()
	c.MHz = w.probe.tree().cpuinfo().meanMHz()
	c.IdleLimit = w.probe.tree().idleLimit()
	return c
}

func between(a, b reading) bench.Conditions {
	return bench.Conditions{
		Steal:           share(b.steal-a.steal, b.total-a.total),
		Busy:            share(b.busy-a.busy, b.total-a.total),
		Processors:      b.processors,
		Pressure:        share(b.pressure-a.pressure, b.mono-a.mono),
		TCPRetransmits:  grown(a.retransmits, b.retransmits),
		ListenOverflows: grown(a.overflows, b.overflows),
		TimeWaitBefore:  a.timeWait,
		TimeWaitAfter:   b.timeWait,
		Paused:          paused(a, b),
		Window:          b.mono - a.mono,
	}
}

// share is part of whole, within 0 to 1: counters of the kernel may step back a
// little, and two files are not read at the same moment.
func share(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return math.Min(1, math.Max(0, part/whole))
}

func grown(before, after float64) int64 { return int64(math.Max(0, after-before)) }

// paused compares clocks: the monotonic one stands still in suspend, the boot
// clock does not; the wall clock runs away from both when it is set, as after a
// pause that a hypervisor hides. Differences below 10 ms are the clock being
// steered.
func paused(a, b reading) float64 {
	suspended := (b.boot - a.boot) - (b.mono - a.mono)
	stepped := (b.wall - a.wall) - (b.boot - a.boot)
	gap := math.Max(math.Abs(suspended), math.Abs(stepped))
	if gap < 0.01 {
		return 0
	}
	return gap
}

func (p *Probe) tree() tree {
	if p.Root == "" {
		return machine
	}
	return tree(p.Root)
}

func (p *Probe) read() reading {
	r := reading{mono: clock(unix.CLOCK_MONOTONIC), boot: clock(unix.CLOCK_BOOTTIME), wall: clock(unix.CLOCK_REALTIME)}
	fs, err := procfs.NewFS(p.tree().path("proc"))
	if err != nil {
		return r
	}
	r.readProcessors(fs)
	r.readNetwork(fs)
	return r
}

func (r *reading) readProcessors(fs procfs.FS) {
	if stat, err := fs.Stat(); err == nil {
		c := stat.CPUTotal // guest time is inside user time
		r.busy = c.User + c.Nice + c.System
		r.steal = c.Steal
		r.total = r.busy + c.Idle + c.Iowait + c.IRQ + c.SoftIRQ + c.Steal
		r.processors = len(stat.CPU)
	}
	if psi, err := fs.PSIStatsForResource("cpu"); err == nil && psi.Some != nil {
		r.pressure = float64(psi.Some.Total) / 1e6
	}
}

// readNetwork: RetransSegs includes the repeated handshakes that TCPSynRetrans
// counts. ListenDrops includes ListenOverflows and drops of other causes, so it
// is not added.
func (r *reading) readNetwork(fs procfs.FS) {
	if self, err := fs.Self(); err == nil {
		if snmp, err := self.Snmp(); err == nil {
			r.retransmits = deref(snmp.RetransSegs)
		}
		if netstat, err := self.Netstat(); err == nil {
			r.overflows = deref(netstat.ListenOverflows)
		}
	}
	if sockets, err := fs.NetSockstat(); err == nil {
		for _, protocol := range sockets.Protocols {
			if protocol.Protocol == "TCP" {
				r.timeWait = int64(deref(protocol.TW))
			}
		}
	}
}

func deref[T any](at *T) T {
	if at == nil {
		var zero T
		return zero
	}
	return *at
}

func (p *Probe) load1() float64 {
	fs, err := procfs.NewFS(p.tree().path("proc"))
	if err != nil {
		return 0
	}
	load, err := fs.LoadAvg()
	if err != nil {
		return 0
	}
	return load.Load1
}

func clock(id int32) float64 {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano()).Seconds()
}

package report

import (
	"time"

	"restbench/internal/bench"
)

// What a measurement can be limited by.
const (
	LimitServer   = "server"   // it worked all the time: the number is its speed
	LimitClient   = "client"   // the engine worked all the time: the server may be faster
	LimitStalled  = "stalled"  // nobody worked: both sides waited, for a timer or an acknowledgement
	LimitUnfilled = "unfilled" // connections were without a request, or the server did not turn to it: less load than asked for
)

// Limits lists them all.
func Limits() []string { return []string{LimitServer, LimitClient, LimitStalled, LimitUnfilled} }

// Explain says in a sentence for newcomers what a limit means.
func Explain(limit string) string {
	switch limit {
	case LimitServer:
		return "The server used its processor all the time: the number is its speed. " +
			"(Of one process with several threads nobody outside can tell a lock that lets one work at a time " +
			"from threads that wait and use a processor in all.)"
	case LimitClient:
		return "The load generator used its processor all the time: the server may be faster than shown."
	case LimitStalled:
		return "Server and load generator both waited, though the machine was free, " +
			"for example for a delayed acknowledgement of TCP: the number is a waiting time, not the speed of the code."
	case LimitUnfilled:
		return "Some connections carried no request for a part of the time, for example while a short queue kept them out, " +
			"or one that the server did not turn to: " +
			"the server was asked for less than intended."
	}
	return ""
}

// Thresholds of the verdict. A processor that is used to 85 % has no room left
// for bursts; where connections are closed for every request the kernel takes
// the rest.
const (
	busy       = 0.85 // of a processor
	half       = 0.5  // of a processor: who uses more of it does not just wait
	filled     = 0.9  // of the connections have a request under way
	busySteal  = 0.1  // of the machine's time
	busyOthers = 0.5  // of the time somebody waits for a processor
)

// limitedBy is the most frequent verdict of the rounds, on equal counts the one
// that comes first in Limits; nil if most rounds allow none.
func limitedBy(c bench.Campaign, ms []bench.Measurement) *string {
	counts := map[string]int{}
	for _, m := range ms {
		counts[verdict(c, m)]++
	}
	best := ""
	for _, limit := range Limits() {
		if counts[limit] > counts[best] || best == "" && counts[limit] > 0 && counts[limit] == counts[""] {
			best = limit
		}
	}
	if best == "" {
		return nil
	}
	return &best
}

// verdict is empty where what was read does not allow one.
func verdict(c bench.Campaign, m bench.Measurement) string {
	window := m.Load.Duration
	if window <= 0 || m.Server.CPU <= 0 || m.Load.ClientCPU <= 0 {
		return ""
	}
	server := over(m.Server.CPU+m.Server.RunQueue, window)
	switch {
	case clientUse(c, m) >= busy:
		return LimitClient
	case serverFull(c.Machine, m):
		return LimitServer
	case unfilled(c.Protocol, m.Load):
		return LimitUnfilled
	case machineBusy(c.Machine, m), movesAbout(m), !fillKnown(m.Load) && (server >= half || lost(c.Protocol, m)):
		return ""
	}
	return LimitStalled
}

// serverFull reports whether the server could not do more: its busiest process was at its
// limit, or all processors that it was left were. In all, several processes that each
// wait may use as much as one that does not.
func serverFull(machine bench.Machine, m bench.Measurement) bool {
	all := over(m.Server.CPU+m.Server.RunQueue, m.Load.Duration)
	if m.Server.Busiest <= 0 { // not known
		return all >= busy
	}
	left := machine.Cores
	if m.Conditions.ServerProcessors > 0 {
		left = m.Conditions.ServerProcessors
	}
	return all >= busy && over(m.Server.Busiest, m.Load.Duration) >= busy || all >= busy*float64(max(1, left))
}

// movesAbout reports whether a process ran on so many processors that its busiest thread
// stands for it, since more was done than each of all processes could as a whole. Threads
// that share a few processors by turns may be at the limit of these with none at its own;
// nobody can tell them from threads that wait.
func movesAbout(m bench.Measurement) bool {
	all := m.Server.CPU + m.Server.RunQueue
	return m.Server.Busiest > 0 && over(m.Server.CPU, m.Load.Duration) > bench.UnlockedProcessors &&
		all > m.Server.Busiest*time.Duration(max(1, m.Server.Processes))
}

// clientUse is how busy the engine's loops are, 1 at most in theory. A loop that
// waits for a processor is as unable to send as one that computes; and more
// loops than processors cannot all be busy.
func clientUse(c bench.Campaign, m bench.Measurement) float64 {
	l, loops := m.Load, max(1, c.Protocol.Threads)
	use := over(l.ClientCPU+l.ClientWait, l.Duration) / float64(loops)
	cores := c.Machine.Cores
	if left := m.Conditions.ClientProcessors; left > 0 {
		cores = left
	}
	if cores > 0 && cores < loops {
		use = max(use, over(l.ClientCPU, l.Duration)/float64(cores))
	}
	return use
}

// unfilled asks the engine for how long its connections were not there, or in vain;
// any other has a request under way. Of measurements without that it judges by Little's
// law: rate × mean latency is the number of requests under way.
func unfilled(p bench.Protocol, l bench.Load) bool {
	if l.Unconnected != nil {
		return 1-*l.Unconnected < filled
	}
	if !fillKnown(l) || p.Threads < 1 || p.Effective() < 1 {
		return false
	}
	mean, _ := meanLatency(l)
	return l.RequestsPerSecond()*mean < filled*float64(p.Effective())
}

// fillKnown reports whether anything tells how filled the connections were. Little's law
// does not where they are closed for every request, since the time to connect is no part
// of the latency, nor where latencies are not true ones: wrk's are not.
func fillKnown(l bench.Load) bool {
	if l.Unconnected != nil {
		return true
	}
	_, known := meanLatency(l)
	return known && l.Reconnects*2 <= l.Requests
}

// lost reports whether connections did not get through: by what the engine could not
// open, or what full accept queues dropped. For how long they were missing it does not
// say. As many as there are connections may be dropped once, when all are opened at the
// beginning: they are there a second later.
func lost(p bench.Protocol, m bench.Measurement) bool {
	return m.Load.Errors[bench.ErrorConnect] > 0 || m.Conditions.ListenOverflows > int64(p.Effective())
}

// machineBusy reports whether others, or both sides together, left no processor
// free: then nobody can say what the server waited for.
func machineBusy(machine bench.Machine, m bench.Measurement) bool {
	cores := float64(max(1, machine.Cores))
	both := over(m.Server.CPU+m.Load.ClientCPU, m.Load.Duration)
	return both >= busy*cores || m.Conditions.Steal >= busySteal || m.Conditions.Pressure >= busyOthers
}

func over(used, window time.Duration) float64 { return used.Seconds() / window.Seconds() }

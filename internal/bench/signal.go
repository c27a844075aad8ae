package bench

import "cmp"

// Signal is the value of a target in which changes are looked for. Each target has one,
// fixed in advance: to look in several would find more changes that are none.
type Signal string

// The signals. Requests per second are what users notice, whether the code works or
// waits. Processor time per request is steadier, and the only one that tells of the code
// where the server is not the limit.
const (
	SignalRequests  Signal = "requests_per_second"
	SignalServerCPU Signal = "server_cpu_seconds_per_request"
)

// Signals lists all signals, the default first.
func Signals() []Signal { return []Signal{SignalRequests, SignalServerCPU} }

// OrDefault is the signal of a target that names none.
func (s Signal) OrDefault() Signal { return cmp.Or(s, SignalRequests) }

// LowerIsBetter reports whether a smaller value is the faster one.
func (s Signal) LowerIsBetter() bool { return s == SignalServerCPU }

// Of is the signal's value in a measurement; 0 when there was no right answer.
func (s Signal) Of(m Measurement) float64 {
	if s == SignalServerCPU {
		return m.ServerCPUPerRequest()
	}
	return m.RequestsPerSecond()
}

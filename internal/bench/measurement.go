package bench

import "time"

// Measurement is one engine run against one target in one round: a number with
// its costs and conditions, or a failure. It is stored as it is; every statistic
// is derived from it afterwards.
type Measurement struct {
	Campaign int64     `json:"campaign"`
	Round    int       `json:"round"`    // from 1; 0 for a failure outside the rounds
	Position int       `json:"position"` // place in the order of its round, from 0
	Attempt  int       `json:"attempt"`  // 0, or 1 when it repeats a marked one
	Target   Target    `json:"target"`
	Started  time.Time `json:"started"`

	Load       Load       `json:"load"`
	Server     Usage      `json:"server"` // used during the measurement; Memory is the reading after it
	Conditions Conditions `json:"conditions"`
	Marks      []Mark     `json:"marks,omitempty"`
	Failure    *Failure   `json:"failure,omitempty"` // then Load is not a result
}

// Valid reports whether the measurement counts in statistics.
func (m Measurement) Valid() bool {
	if m.Failure != nil {
		return false
	}
	for _, mark := range m.Marks {
		if mark.Kind == MarkInvalid {
			return false
		}
	}
	return true
}

// Ranked reports whether the measurement says something about a target that was
// asked for: a valid one, and not of a control.
func (m Measurement) Ranked() bool { return m.Valid() && !m.Target.Control() }

// RequestsPerSecond is the throughput: right answers only.
func (m Measurement) RequestsPerSecond() float64 { return m.Load.RequestsPerSecond() }

// ServerCPUPerRequest is the server's processor time per right answer in
// seconds, 0 when there was none.
func (m Measurement) ServerCPUPerRequest() float64 {
	if m.Load.Requests == 0 {
		return 0
	}
	return m.Server.CPU.Seconds() / float64(m.Load.Requests)
}

// Plan is what an engine is asked to do.
type Plan struct {
	Engine      string        `json:"engine"`
	Address     string        `json:"address"` // host:port, always loopback
	Workload    Workload      `json:"workload"`
	Duration    time.Duration `json:"duration"`
	Threads     int           `json:"threads"`
	Connections int           `json:"connections"`
	RampUp      time.Duration `json:"ramp_up,omitempty"` // time before the window over which the connections are opened; 0: all at its begin, as wrk does. Native only
	Timeout     time.Duration `json:"timeout"`           // of one request
	CPUs        []int         `json:"cpus,omitempty"`
}

// DefaultTimeout is after how long a request counts as timed out, as in wrk.
const DefaultTimeout = 2 * time.Second

// RampUp is over which time connections are opened before a short window: all at once
// they overflow a short listen queue, and what was dropped there comes again after a
// second.
const RampUp = 50 * time.Millisecond

// Load is what an engine counted.
type Load struct {
	Engine     string              `json:"engine"`   // name and version, "native 1", "wrk 4.1.0"
	Requests   int64               `json:"requests"` // right answers inside the window; never an error
	Duration   time.Duration       `json:"duration"` // of the window
	Bytes      int64               `json:"bytes"`    // received, headers included
	Errors     map[ErrorKind]int64 `json:"errors,omitempty"`
	Reconnects int64               `json:"reconnects"` // connections opened after the first ones

	// Unconnected is the share of the window, on average over the connections, in which
	// they were not there or the server did not turn to them: it had not accepted them
	// yet, they had just failed, their request ran into its timeout, or it had waited at
	// the end for more than half of the window and far longer than others for their
	// answers. nil where the engine does not know.
	Unconnected *float64 `json:"unconnected,omitempty"`

	ClientCPU  time.Duration `json:"client_cpu"`  // user and system time of the engine's process
	ClientWait time.Duration `json:"client_wait"` // time its threads were runnable and waited for a processor

	// ClientStartCPU is the part of ClientCPU used outside the window: to start the
	// engine and to write its result. 0 where it is not known.
	ClientStartCPU time.Duration `json:"client_start_cpu,omitempty"`

	// Latency is an HdrHistogram (V2 compressed encoding) of microseconds with
	// three significant digits: from the write of a request to the end of its
	// answer, under closed-loop load. Empty when LatencyCorrected.
	Latency []byte `json:"latency,omitempty"`
	// Quantiles in seconds by name ("p50", "p90", "p99", "p99.9") and their mean ("mean").
	Quantiles        map[string]float64 `json:"quantiles,omitempty"`
	LatencyCorrected bool               `json:"latency_corrected,omitempty"` // wrk's synthetic samples are inside
	BodyUnchecked    bool               `json:"body_unchecked,omitempty"`    // only statuses were checked
	FirstWrong       string             `json:"first_wrong,omitempty"`       // the first wrong answer, shortened, for people
}

// RequestsPerSecond is 0 for an empty window.
func (l Load) RequestsPerSecond() float64 {
	if l.Duration <= 0 {
		return 0
	}
	return float64(l.Requests) / l.Duration.Seconds()
}

// ErrorCount is the number of errors of all kinds.
func (l Load) ErrorCount() int64 {
	var n int64
	for _, count := range l.Errors {
		n += count
	}
	return n
}

// ErrorKind says what was wrong with an answer that does not count.
type ErrorKind string

// The kinds of errors, in the order in which they are shown.
const (
	ErrorConnect  ErrorKind = "connect"  // no connection
	ErrorRead     ErrorKind = "read"     // the connection ended inside an answer
	ErrorWrite    ErrorKind = "write"    // the request could not be sent
	ErrorTimeout  ErrorKind = "timeout"  // no whole answer in time
	ErrorStatus   ErrorKind = "status"   // another status than expected
	ErrorLength   ErrorKind = "length"   // a body of another length than expected
	ErrorBody     ErrorKind = "body"     // the right length, other bytes
	ErrorProtocol ErrorKind = "protocol" // not HTTP
)

// ErrorKinds lists all kinds.
func ErrorKinds() []ErrorKind {
	return []ErrorKind{ErrorConnect, ErrorRead, ErrorWrite, ErrorTimeout, ErrorStatus, ErrorLength, ErrorBody, ErrorProtocol}
}

// MarkKind says what a mark means for the number that carries it.
type MarkKind string

// The kinds of marks.
const (
	MarkNoisy   MarkKind = "noisy"   // kept in statistics, shown with its reason
	MarkInvalid MarkKind = "invalid" // stored, but outside of statistics
	MarkNote    MarkKind = "note"    // something to know, nothing wrong
)

// Mark travels with a number.
type Mark struct {
	Kind   MarkKind `json:"kind"`
	Reason string   `json:"reason"`           // a fixed word, used as a label: "errors", "steal"
	Detail string   `json:"detail,omitempty"` // a sentence for people
}

// Reasons of marks. Labels are made of them, so they are few and fixed.
const (
	ReasonErrors      = "errors"       // too many of the answers were wrong
	ReasonSteal       = "steal"        // the hypervisor took processor time away
	ReasonPressure    = "pressure"     // others waited for the processors
	ReasonPause       = "pause"        // the machine stood still: clocks disagree
	ReasonPorts       = "ports"        // local ports ran out
	ReasonNoRequests  = "no_requests"  // not one right answer
	ReasonOtherPython = "other_python" // another interpreter than the edition's
	ReasonServerDied  = "server_died"  // a process of the server ended meanwhile

	ReasonAnswerVaries = "answer_varies" // from request to request, so that only the status was checked
)

// InvalidReasons lists the reasons that make a measurement invalid.
func InvalidReasons() []string {
	return []string{ReasonErrors, ReasonNoRequests, ReasonPause, ReasonPorts, ReasonServerDied}
}

// Stage is where a target failed.
type Stage string

// The stages, in the order in which a target goes through them.
const (
	StageInstall Stage = "install"
	StageStart   Stage = "start"
	StageReady   Stage = "ready"
	StageVerify  Stage = "verify"
	StageLoad    Stage = "load"
	StageStop    Stage = "stop"
)

// Stages lists all stages.
func Stages() []Stage {
	return []Stage{StageInstall, StageStart, StageReady, StageVerify, StageLoad, StageStop}
}

// Failure is a measurement without a number. It is an error, too, so that it can
// travel up to where it is stored.
type Failure struct {
	Stage Stage  `json:"stage"`
	Cause string `json:"cause"` // one line for people; may end with the last lines of stderr
}

func (f *Failure) Error() string { return string(f.Stage) + ": " + f.Cause }

// PinningNone says in Conditions that nothing was pinned.
const PinningNone = "none"

// Conditions is what the machine did during one measurement.
type Conditions struct {
	Steal           float64 `json:"steal"`            // share of processor time taken by the hypervisor, 0 to 1
	Busy            float64 `json:"busy"`             // share of processor time used by all programs together, ours included, 0 to 1
	Processors      int     `json:"processors"`       // of the whole machine, which the shares are of
	Pressure        float64 `json:"pressure"`         // share of the time in which some task waited for a processor, 0 to 1
	Load1           float64 `json:"load1"`            // load average of one minute, at the end
	MHz             float64 `json:"mhz,omitempty"`    // mean processor frequency at the end, 0 where unknown
	TCPRetransmits  int64   `json:"tcp_retransmits"`  // segments sent again
	ListenOverflows int64   `json:"listen_overflows"` // connections dropped by a full accept queue
	TimeWaitBefore  int64   `json:"time_wait_before"` // sockets in TIME_WAIT
	TimeWaitAfter   int64   `json:"time_wait_after"`
	Paused          float64 `json:"paused_seconds,omitempty"` // how far the clocks disagree: suspend, or a clock that was set
	Pinning         string  `json:"pinning"`                  // "none", or "server 0 client 1"
	Window          float64 `json:"window_seconds,omitempty"` // over which the shares were read: longer than the load, by the engine's start and end; 0 in measurements from before it was noted

	ServerProcessors int    `json:"server_processors,omitempty"` // that the server was left, 0 for all
	ClientProcessors int    `json:"client_processors,omitempty"` // that the engine was left, 0 for all
	IdleLimit        string `json:"idle_limit,omitempty"`        // deepest idle state that processors were left, at the end; empty for no limit
}

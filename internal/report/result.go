// Package report derives everything that is shown from raw measurements: one
// Result, and from it tables, JSON, CSV and figures. It stores nothing and
// measures nothing, so that a corrected formula corrects all history.
package report

import (
	"encoding/json"
	"time"

	"restbench/internal/bench"
)

// Result is a campaign as it is shown.
type Result struct {
	Campaign Header       `json:"campaign"`
	Results  []Row        `json:"results"`  // fastest first within an edition
	Missing  []Missing    `json:"missing"`  // targets that took part and have no row
	Controls []Row        `json:"controls"` // restbench's own servers: never ranked, never a base
	Failures []FailureRow `json:"failures"`
	Notes    []string     `json:"notes"` // what to know of the campaign as a whole
}

// Header says what was run, on what, when.
type Header struct {
	ID         int64          `json:"id"`
	Kind       bench.Kind     `json:"kind"`
	State      bench.State    `json:"state"`
	Started    time.Time      `json:"started"`
	Finished   *time.Time     `json:"finished"`
	Rounds     int            `json:"rounds"`       // complete ones
	Loaded     float64        `json:"load_seconds"` // of all measurements together; the rest of the time is overhead
	Seed       uint64         `json:"seed"`
	Engines    []string       `json:"engines"`     // with their versions, "wrk 4.1.0"; more than one after an update
	Pinning    []string       `json:"pinning"`     // "none", or "server 0 client 1"
	IdleLimits []string       `json:"idle_limits"` // deepest idle states that processors were left; empty without a limit
	Protocol   bench.Protocol `json:"protocol"`
	Machine    bench.Machine  `json:"machine"`
}

// Row is one target's result. Pointers are nil where a value is undefined.
type Row struct {
	Name      string       `json:"target"` // sanic@current
	Target    bench.Target `json:"-"`
	Framework string       `json:"framework"`
	Edition   string       `json:"edition"`
	Serving   string       `json:"serving"`
	Workload  string       `json:"workload"`
	Version   string       `json:"version"`
	Server    string       `json:"server"`
	Python    string       `json:"python"` // empty where it cannot be known
	Rounds    int          `json:"rounds"` // how many valid rounds the numbers rest on

	Starts            int       `json:"starts"`                // of the server, that the interval rests on; 0 where its start is not repeated
	WithinStarts      *float64  `json:"stddev_within_starts"`  // of requests per second; nil below two rounds of a start
	BetweenStarts     *float64  `json:"stddev_between_starts"` // nil below two starts
	RequestsPerSecond Estimate  `json:"requests_per_second"`
	Relative          *float64  `json:"relative"`       // mean / base's mean
	RelativeCI95      *Interval `json:"relative_ci95"`  // from the ratios inside the rounds
	RelativePairs     int       `json:"relative_pairs"` // rounds in which both were valid: what the interval rests on
	Base              *string   `json:"base"`           // the framework that Relative is relative to

	LatencySeconds         map[string]float64        `json:"latency_seconds"` // p50, p90, p99, p99.9; empty where not measured
	Errors                 map[bench.ErrorKind]int64 `json:"errors"`
	ServerCPUSecondsPerReq *float64                  `json:"server_cpu_seconds_per_request"`
	ServerMemoryBytes      *int64                    `json:"server_memory_bytes"` // median over the rounds
	ClientCPUSecondsPerReq *float64                  `json:"client_cpu_seconds_per_request"`
	Conditions             RowConditions             `json:"conditions"`
	LimitedBy              *string                   `json:"limited_by"` // server, client, stalled, unfilled
	Marks                  []string                  `json:"marks"`      // "noisy: steal in 2 of 10 rounds"
}

// MarshalJSON writes null for what restbench does not know of a user's own server.
func (r Row) MarshalJSON() ([]byte, error) {
	type plain Row
	return json.Marshal(struct {
		plain
		Version *string `json:"version"`
		Server  *string `json:"server"`
		Python  *string `json:"python"`
	}{plain(r), orNull(r.Version), orNull(r.Server), orNull(r.Python)})
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Estimate is a mean with its spread over n rounds.
type Estimate struct {
	Mean   float64   `json:"mean"`
	Stddev *float64  `json:"stddev"` // sample standard deviation; nil below n = 2
	CI95   *Interval `json:"ci95"`   // nil below n = 2
}

// Interval is [low, high].
type Interval [2]float64

// Low is the lower end.
func (i Interval) Low() float64 { return i[0] }

// High is the upper end.
func (i Interval) High() float64 { return i[1] }

// Missing is a target without a single valid measurement.
type Missing struct {
	Target  string       `json:"target"`
	Key     bench.Target `json:"-"`
	Reasons []string     `json:"reasons"` // as in Row.Marks; empty while it has not been measured yet
}

// FailureRow is a failure as it is shown.
type FailureRow struct {
	Target string      `json:"target"`
	Round  int         `json:"round"` // 0: outside the rounds
	Stage  bench.Stage `json:"stage"`
	Cause  string      `json:"cause"`
}

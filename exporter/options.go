package exporter

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// defaultMaxRequests is how many scrapes, and how many pages, are answered at
// once; it is the default of the Prometheus tools.
const defaultMaxRequests = 40

// Options says what an Exporter shows and whom it asks. Functions that are nil
// are not asked.
type Options struct {
	Registry        *prometheus.Registry // an own one when nil; give it to one Exporter only
	Version         string               // of restbench
	TelemetryPath   string               // "/metrics" when empty
	Runbooks        string               // Markdown: what to do at each alert; no page when empty
	EnableLifecycle bool                 // allows POST /-/reload
	MaxRequests     int                  // scrapes at once, 40 when 0

	Protocol    bench.Protocol // the configured one
	Targets     []bench.Target // the configured ones
	Machine     bench.Machine
	SkipReasons []string // all values of campaign_skipped_total{reason}

	// History returns the newest finished campaign that feeds the result metrics,
	// with its measurements in the order in which they were made. It is asked
	// once, by New. A zero campaign means that there is none.
	History func() (bench.Campaign, []bench.Measurement, error)
	// Bases are the bases of editions in earlier campaigns, used where that
	// campaign does not tell one.
	Bases map[string]string
	// Earlier is what the finished campaigns of a protocol that began before some
	// time measured, on this machine, oldest first. It is asked at the start and
	// when the protocol changes.
	Earlier func(p bench.Protocol, before time.Time) []report.Rates
	// Reload reads the configuration anew and calls SetTargets.
	Reload func() error
	// Success is the newest finished campaign with a valid measurement, for the case
	// that History's has none. Zero when there is none.
	Success bench.Campaign
	// StoreStatus, Next and Slot are asked at every scrape: they answer from memory.
	StoreStatus func() StoreStatus
	Next        func() time.Time                // of the next campaign; zero when none is planned
	Slot        func(after time.Time) time.Time // the first of the schedule after some time; zero when there is none

	Now func() time.Time // the clock, time.Now when nil
	Log zerolog.Logger
}

// StoreStatus is how the history is doing.
type StoreStatus struct {
	Bytes       int64  // on disk
	WriteErrors uint64 // since the process started
	Pending     int    // measurements that wait to be written
	Err         string // why it cannot be written now; empty when it can
}

func (o Options) withDefaults() (Options, error) {
	if o.TelemetryPath == "" {
		o.TelemetryPath = "/metrics"
	}
	if o.MaxRequests == 0 {
		o.MaxRequests = defaultMaxRequests
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o.withFunctions(), o.validate()
}

func (o Options) withFunctions() Options {
	if o.History == nil {
		o.History = func() (bench.Campaign, []bench.Measurement, error) { return bench.Campaign{}, nil, nil }
	}
	if o.Earlier == nil {
		o.Earlier = func(bench.Protocol, time.Time) []report.Rates { return nil }
	}
	if o.Reload == nil {
		o.Reload = func() error { return errors.New("there is no configuration to reload") }
	}
	if o.StoreStatus == nil {
		o.StoreStatus = func() StoreStatus { return StoreStatus{} }
	}
	if o.Next == nil {
		o.Next = func() time.Time { return time.Time{} }
	}
	if o.Slot == nil {
		o.Slot = func(time.Time) time.Time { return time.Time{} }
	}
	return o
}

func (o Options) validate() error {
	switch path := o.TelemetryPath; {
	case !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "{} ?#"):
		return fmt.Errorf("telemetry path is %q, must be a plain path that begins with /", path)
	case path == "/" || path == runbooksPath || strings.HasPrefix(path, "/-/") || path == "/-":
		return fmt.Errorf("telemetry path is %q, which restbench uses for something else", path)
	case o.MaxRequests < 0:
		return fmt.Errorf("max requests is %d, must not be negative", o.MaxRequests)
	}
	return nil
}

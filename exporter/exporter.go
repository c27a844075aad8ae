package exporter

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// Exporter shows what it is told. All methods may be called from any goroutine.
type Exporter struct {
	options Options
	metrics *metrics
	handler http.Handler

	now     atomic.Pointer[snapshot]
	serving atomic.Bool

	reloading sync.Mutex // one reload at a time
	writing   sync.Mutex // guards what follows, and the swap of now
	gathered  gathered
}

// gathered is what the campaign under way has given so far.
type gathered struct {
	campaign     int64
	measurements []bench.Measurement
	rounds       int // complete ones that the shown result rests on
}

// New makes an Exporter that shows the newest history. It fails when the history
// cannot be read.
func New(options Options) (*Exporter, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Exporter{options: options, metrics: newMetrics()}
	now := options.Now()
	s := snapshot{
		protocol: options.Protocol,
		targets:  newTargets(options.Targets, options.Protocol.Label(), now, nil),
		machine:  options.Machine,
		bases:    maps.Clone(options.Bases),
		skipped:  newTally(append(slices.Clone(options.SkipReasons), otherReason)),
		reloaded: now,
	}
	campaign, measurements, err := options.History()
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	before := now
	if campaign.ID != 0 {
		before = campaign.Started
	}
	s.earlier = options.Earlier(s.protocol, before)
	s = s.restore(campaign, measurements)
	if s.lastSuccess.IsZero() && options.Success.ID != 0 {
		s = s.succeed(options.Success)
	}
	e.publish(s)
	if err := e.register(); err != nil {
		return nil, err
	}
	e.handler, err = newHandler(e)
	return e, err
}

// otherReason counts skipped slots for a reason that was not announced, so that
// none is lost.
const otherReason = "other"

// update publishes what change makes of the current snapshot.
func (e *Exporter) update(change func(snapshot) snapshot) {
	e.writing.Lock()
	defer e.writing.Unlock()
	e.publish(change(*e.now.Load()))
}

func (e *Exporter) publish(s snapshot) {
	s.collected = collect(e.metrics, s, e.options.Now())
	e.now.Store(&s)
}

// Observe takes an event of the running campaign. It is cheap but for the moments
// at which a result is computed: after the last round, and, while no campaign
// has ever finished, after each round.
func (e *Exporter) Observe(event bench.Event) {
	e.update(func(s snapshot) snapshot {
		s.live = s.live.next(event)
		if event.Campaign.Machine != (bench.Machine{}) {
			s.machine = event.Campaign.Machine
		}
		if scheduled(event.Campaign) && event.Campaign.ID != 0 { // one that still waits has none
			s = e.take(s, event)
		}
		if event.Phase == bench.PhaseDone {
			s.ended, s.live, e.gathered = s.live, nil, gathered{}
		}
		return s
	})
}

// Skipped counts a slot of the schedule that brought no campaign.
func (e *Exporter) Skipped(reason string) {
	e.update(func(s snapshot) snapshot {
		counts, ok := s.skipped.plus(reason, 1)
		if !ok {
			e.options.Log.Warn().Str("reason", reason).Msg("a skipped campaign has an unknown reason")
			counts, _ = s.skipped.plus(otherReason, 1)
		}
		s.skipped = counts
		return s
	})
}

// SetTargets replaces what is configured. Targets that stay keep their counters,
// as long as the protocol is the same; what belongs to others is gone at once.
func (e *Exporter) SetTargets(protocol bench.Protocol, targets []bench.Target) {
	var earlier []report.Rates
	if protocol.Hash() != e.now.Load().protocol.Hash() { // outside the lock: it reads from a disk
		earlier = e.options.Earlier(protocol, e.options.Now())
	}
	e.update(func(s snapshot) snapshot {
		old := s.targets
		if protocol.Hash() != s.protocol.Hash() {
			old, s.shown, s.bases, s.earlier = nil, nil, map[string]string{}, earlier
		}
		s.protocol = protocol
		s.targets = newTargets(targets, protocol.Label(), e.options.Now(), old)
		return s.forget()
	})
}

// forget takes targets that are no longer configured out of what is shown.
func (s snapshot) forget() snapshot {
	if s.shown == nil {
		return s
	}
	shown := *s.shown
	shown.result.Results = slices.DeleteFunc(slices.Clone(shown.result.Results), func(r report.Row) bool {
		return find(s.targets, r.Target) < 0
	})
	s.shown = &shown
	return s
}

// Reload asks Options.Reload, logs how it went and remembers it.
func (e *Exporter) Reload() error {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	err := e.options.Reload()
	if err != nil {
		e.options.Log.Error().Err(err).Msg("the configuration was not reloaded; the one before is in use")
	} else {
		e.options.Log.Info().Msg("configuration reloaded")
	}
	e.update(func(s snapshot) snapshot {
		s.reloadErr = err
		if err == nil {
			s.reloaded = e.options.Now()
		}
		return s
	})
	return err
}

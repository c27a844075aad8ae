//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"restbench/exporter"
	"restbench/internal/bench"
	"restbench/internal/report"
	"restbench/internal/store"
)

// announce says what the daemon will cost, before it costs it.
func (d *daemon) announce() {
	p := d.current.Load()
	perDay := p.campaignsPerDay()
	load := p.load()
	measurements := perDay * p.choice.measured() * p.config.Protocol.Rounds
	d.log.Info().
		Int("targets", p.choice.size()).
		Str("protocol", p.config.Protocol.Name).
		Str("engine", p.config.Protocol.Engine).
		Str("schedule", p.config.Schedule).
		Msgf("one campaign is %s%s of load on %d targets and %d controls%s", report.AtMost(p.config.Protocol), load.Round(time.Second), p.choice.size(), p.choice.controls.size(), repetitions(p.config.Protocol))
	d.log.Info().Msgf("cost: %s of load a day in %d campaigns, about %d MB of disk a year, %d series",
		(load * time.Duration(perDay)).Round(time.Second), perDay, measurements*365*store.EstimatedBytesPerMeasurement/1_000_000, exporter.Series(p.choice.size()))
	for _, address := range d.server.Addrs() {
		d.log.Info().Msgf("page: http://%s/, metrics: http://%s%s", address, address, d.command.telemetryPath)
	}
	if interval := p.shortestInterval(); load > interval {
		d.log.Warn().Msgf("one campaign loads for %s but slots are %s apart: slots will be missed", load, interval)
	}
}

// repetitions goes behind a length that disturbances make longer: how much,
// nobody knows before. A protocol with a limit ends all the same.
func repetitions(p bench.Protocol) string {
	if p.Limit > 0 {
		return ""
	}
	return "; on a disturbed machine up to twice that: each marked measurement is repeated once"
}

// shortestInterval is the shortest distance of two slots among the next hundred.
func (p *plan) shortestInterval() time.Duration {
	slot := p.nextSlot()
	next := p.schedule.Next(slot)
	shortest := next.Sub(slot)
	for range 100 {
		slot, next = next, p.schedule.Next(next)
		if next.IsZero() {
			break
		}
		shortest = min(shortest, next.Sub(slot))
	}
	return shortest
}

// eventLog logs what an operator wants to find later: phases, rounds, failures.
type eventLog struct {
	log      zerolog.Logger
	failures repeated
}

// step logs one step of the preparation of a target. Several targets are
// prepared at once.
func (l *eventLog) step(name, step string) { l.log.Info().Str("target", name).Msg(step) }

// tell logs an event of a campaign. It is called by one goroutine at a time.
func (l *eventLog) tell(e bench.Event) {
	failed := e.Measurement != nil && e.Measurement.Failure != nil
	if failed && l.failures.same(e.Measurement.Failure) {
		return
	}
	if more := l.failures.end(); more > 0 {
		l.log.Warn().Int("targets", more).Msg("the same with more targets")
	}
	if failed {
		l.failures.told(e.Measurement.Failure)
	}
	logEvent(l.log, e)
}

func logEvent(log zerolog.Logger, e bench.Event) {
	switch {
	case e.Measurement != nil && e.Measurement.Failure != nil:
		log.Warn().Stringer("target", e.Measurement.Target).Int("round", e.Round).
			Str("stage", string(e.Measurement.Failure.Stage)).Msg(e.Measurement.Failure.Cause)
	case e.Measurement != nil:
		log.Debug().Stringer("target", e.Measurement.Target).Int("round", e.Round).
			Float64("requests_per_second", e.Measurement.RequestsPerSecond()).Msg("measured")
	case e.Target != nil:
		log.Debug().Stringer("target", e.Target).Int("round", e.Round).Msg("measuring")
	case e.Round > 0:
		log.Info().Int64("campaign", e.Campaign.ID).Msgf("round %d of %d done", e.Round, e.Campaign.Protocol.Rounds)
	default:
		log.Info().Int64("campaign", e.Campaign.ID).Str("phase", string(e.Phase)).Msg(phaseText(e))
	}
}

func phaseText(e bench.Event) string {
	if e.Detail != "" {
		return e.Detail
	}
	switch e.Phase {
	case bench.PhasePreparing:
		return fmt.Sprintf("preparing %d environments", environments(e.Campaign))
	case bench.PhaseStarting:
		return "starting servers"
	case bench.PhaseMeasuring:
		return "measuring"
	case bench.PhaseStopping:
		return "stopping servers"
	case bench.PhaseDone:
		return "campaign " + string(e.Campaign.State)
	default:
		return string(e.Phase)
	}
}

package exporter

import (
	"slices"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// take applies what an event of a scheduled campaign says about the numbers.
func (e *Exporter) take(s snapshot, event bench.Event) snapshot {
	c := event.Campaign
	if e.gathered.campaign != c.ID {
		e.gathered = gathered{campaign: c.ID}
	}
	s.lastStart = c.Started
	if m := event.Measurement; m != nil {
		e.gathered.measurements = append(e.gathered.measurements, *m)
		if s.feeds(c) {
			s = s.with(m.Target, func(t *target) { e.count(t, *m) })
		}
	}
	switch {
	case event.Phase == bench.PhaseDone && c.State == bench.StateFinished:
		s = s.finish(c, e.gathered.measurements)
	case s.feeds(c) && e.provisional(s, c):
		e.gathered.rounds = c.Rounds
		s = s.show(c, e.gathered.measurements)
	}
	return s
}

// often is up to how many rounds each complete one of a running campaign is
// shown; after that each twentieth part of them.
const often = 20

// provisional reports whether the complete rounds of a running campaign are to
// be shown anew: only while no campaign has ever finished, and not after each
// of thousands of rounds.
func (e *Exporter) provisional(s snapshot, c bench.Campaign) bool {
	if s.shown != nil && s.shown.result.Campaign.State == bench.StateFinished {
		return false
	}
	return c.Rounds >= e.gathered.rounds+max(1, e.gathered.rounds/often)
}

// count adds a measurement to the counters of its target.
func (e *Exporter) count(t *target, m bench.Measurement) {
	t.note(m)
	for kind, n := range m.Load.Errors {
		t.errors = add(e, t.errors, kind, max(0, n))
	}
	if m.Failure != nil {
		t.failures = add(e, t.failures, m.Failure.Stage, 1)
		return
	}
	t.responses += uint64(max(0, m.Load.Requests))
	for _, mark := range m.Marks {
		if mark.Kind == bench.MarkInvalid {
			t.invalid = add(e, t.invalid, mark.Reason, 1)
		}
	}
	if !m.Valid() {
		return
	}
	h, err := report.Latency(m.Load)
	switch {
	case err != nil:
		e.options.Log.Warn().Err(err).Stringer("target", m.Target).Msg("latencies are not counted")
	case h != nil:
		t.latency = t.latency.plus(h)
	}
}

func add[K ~string](e *Exporter, counts tally[K], value K, n int64) tally[K] {
	counts, ok := counts.plus(value, uint64(n))
	if !ok {
		e.options.Log.Warn().Str("value", string(value)).Msg("a count has no metric")
	}
	return counts
}

// note remembers how the newest attempt went. A server that does not stop is a
// failure, but it was up.
func (t *target) note(m bench.Measurement) {
	if m.Failure != nil && m.Failure.Stage == bench.StageStop {
		return
	}
	t.tried, t.up = true, m.Failure == nil
	if m.Valid() {
		t.newest, t.started = m.RequestsPerSecond(), m.Started
		t.success = m.Started.Add(m.Load.Duration)
	}
}

// restore shows a campaign of an earlier process. Its counts are not counted
// again: counters live with the process.
func (s snapshot) restore(c bench.Campaign, measurements []bench.Measurement) snapshot {
	if c.ID == 0 || !scheduled(c) {
		return s
	}
	s.lastStart = c.Started
	if s.feeds(c) {
		for _, m := range measurements {
			s = s.with(m.Target, func(t *target) { t.note(m) })
		}
	}
	if c.State == bench.StateFinished {
		s = s.finish(c, measurements)
	}
	return s
}

// finish shows a finished campaign, unless its protocol is another than the
// configured one. A campaign without a single number is no success.
func (s snapshot) finish(c bench.Campaign, measurements []bench.Measurement) snapshot {
	if slices.ContainsFunc(measurements, bench.Measurement.Ranked) {
		s = s.succeed(c)
	}
	if s.feeds(c) {
		s = s.show(c, measurements)
		s = s.remember(report.NewRates(c, measurements))
	}
	return s
}

func (s snapshot) succeed(c bench.Campaign) snapshot {
	s.lastSuccess, s.lastTook = c.Finished, c.Finished.Sub(c.Started)
	return s
}

// show makes c what is shown; it is called when a round has been completed.
// Bases are remembered: when one fails as a whole, no other framework may
// silently become 1 in its place.
func (s snapshot) show(c bench.Campaign, measurements []bench.Measurement) snapshot {
	result := report.NewWithBases(c, measurements, s.bases)
	bases := result.Bases()
	for edition, base := range s.bases {
		if bases[edition] == "" {
			bases[edition] = base
		}
	}
	s.bases = bases
	s.shown = &outcome{
		result: result, participants: c.Participants, conditions: meanConditions(measurements),
		index: report.HostIndex(s.earlier, report.NewRates(c, measurements)),
	}
	return s.forget() // the campaign may have begun before a reload
}

func meanConditions(measurements []bench.Measurement) conditions {
	var mean conditions
	var n float64
	for _, m := range measurements {
		if m.Failure == nil {
			mean.steal += m.Conditions.Steal
			mean.pressure += m.Conditions.Pressure
			n++
		}
	}
	if n == 0 {
		return conditions{}
	}
	return conditions{known: true, steal: mean.steal / n, pressure: mean.pressure / n}
}

// remembered is how many finished campaigns the host index looks back on.
const remembered = 30

// remember keeps what a finished campaign measured, to compare later ones with.
func (s snapshot) remember(rates report.Rates) snapshot {
	s.earlier = append(slices.Clip(s.earlier), rates)
	s.earlier = s.earlier[max(0, len(s.earlier)-remembered):]
	return s
}

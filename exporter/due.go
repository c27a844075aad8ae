package exporter

import (
	"time"

	"restbench/internal/bench"
)

// due is asked in each scrape: a reload may have changed the schedule.
func (c *collection) due(o Options) {
	c.timestamp(c.successDue, o.due(c.now.lastSuccess, c.now.lastTook))
	if l := c.now.live; l != nil && l.phase != bench.PhaseWaiting {
		c.timestamp(c.endDue, o.due(l.campaign.Started, l.planned()))
	}
}

// due is when something is late that comes once in a slot and takes some time: one
// slot may be missed. Zero when there is no since, or no second slot after it.
func (o Options) due(since time.Time, takes time.Duration) time.Time {
	for range 2 {
		if !since.IsZero() {
			since = o.Slot(since)
		}
	}
	if since.IsZero() {
		return since
	}
	return since.Add(takes)
}

// planned is how long the protocol makes all of its rounds.
func (l *live) planned() time.Duration {
	_, turns := l.steps()
	return time.Duration(turns) * (l.campaign.Protocol.Duration + l.campaign.Protocol.Warmup)
}

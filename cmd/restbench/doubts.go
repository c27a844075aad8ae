//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"time"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/scheduler"
)

// confirmWithin is how old a suspicion may be that is confirmed at a start. What
// the machine did longer ago says little about now.
const confirmWithin = 24 * time.Hour

// doubtsOf replays who was suspicious before this start, and which campaigns
// confirmed that, so that a suspicion is confirmed once, whichever process had it.
// When the newest campaign should have been followed by another, and soon
// says that there is still time for that, it returns for whom.
func doubtsOf(past []change.Doubt, soon bool) (doubts scheduler.Suspicions, waiting []bench.Target) {
	for i, c := range past {
		switch {
		case c.Kind == bench.KindConfirm:
			doubts.Confirmed(c.Suspicious)
		case !doubts.Confirm(c.Suspicious):
		case i == len(past)-1 && soon:
			waiting = c.Suspicious
		case i == len(past)-1 || past[i+1].Kind != bench.KindConfirm:
			doubts = scheduler.Suspicions{} // none followed: that was no answer
		}
	}
	return doubts, waiting
}

// confirmable reports whether what the newest campaign showed can be confirmed at a start:
// it is not old, and no scheduled campaign is due, which would tell as much.
func confirmable(past []change.Doubt, due bool, now time.Time) bool {
	return !due && len(past) > 0 && now.Sub(past[len(past)-1].At) < confirmWithin
}

// resume goes on with the doubts of earlier processes. It returns what is to be done
// before the first slot: the campaign that would have followed the newest one at once,
// had the daemon not ended; nil when there is none, or a scheduled one is due anyway.
func (d *daemon) resume(ctx context.Context, due bool) func(context.Context) {
	d.watch.campaign(ctx) // before the first campaign, which reading a long history would disturb
	past := d.watch.doubts()
	var waiting []bench.Target
	d.doubts, waiting = doubtsOf(past, confirmable(past, due, time.Now()))
	if len(waiting) == 0 {
		return nil
	}
	return func(ctx context.Context) {
		_ = d.alone(ctx, func() error { // fails only with ctx
			d.confirm(ctx, d.current.Load(), waiting)
			return nil
		})
	}
}

// confirm measures once more because of targets that looked much worse than before.
func (d *daemon) confirm(ctx context.Context, p *plan, suspicious []bench.Target) {
	d.log.Info().Stringers("targets", stringers(suspicious)).Msg("much slower than before: measured once more, to confirm it")
	if err := d.measure(ctx, p, bench.KindConfirm); err != nil && ctx.Err() == nil {
		d.log.Error().Err(err).Msg("the confirming campaign failed") // the campaign in doubt is there all the same
	}
	d.doubts.Confirmed(d.watch.campaign(ctx))
}

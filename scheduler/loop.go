package scheduler

import (
	"context"
	"time"
)

// Reasons why a slot of the schedule brought no campaign.
const (
	SkippedRunning = "running" // the one before was still running
	SkippedFailed  = "failed"  // the campaign could not begin, or measured nothing
)

// SkipReasons lists all reasons.
func SkipReasons() []string { return []string{SkippedRunning, SkippedFailed} }

// longestSleep bounds how long the loop trusts its timer: a clock that was set,
// or a machine that slept, is noticed after this time.
const longestSleep = 10 * time.Second

// Loop runs a campaign in every slot of a schedule, one at a time. The schedule
// is asked for anew after each campaign, so a reload takes effect between
// campaigns and never within one.
type Loop struct {
	Schedule func() Schedule
	Run      func(ctx context.Context) error // one campaign
	Skipped  func(reason string)
	Planned  func(next time.Time) // told whenever the next slot changes
	Now      bool                 // run one campaign at once, before the first slot
	Reloaded <-chan struct{}      // the schedule has changed
}

// Start runs until ctx ends.
func (l *Loop) Start(ctx context.Context) error {
	if l.Now {
		l.campaign(ctx)
	}
	for ctx.Err() == nil {
		if l.wait(ctx) {
			l.campaign(ctx)
		}
	}
	return nil
}

// wait returns true when a slot has come and false when ctx ended. It compares
// wall-clock times only, because slots are wall-clock times: when the clock is
// set back the slot is computed anew, when it is set forward the slot has come.
func (l *Loop) wait(ctx context.Context) bool {
	base := wall()
	next := l.plan(base)
	for {
		now := wall()
		if now.Before(base) {
			next = l.plan(now)
		}
		if !next.IsZero() && !now.Before(next) {
			return true
		}
		base = now
		select {
		case <-ctx.Done():
			return false
		case <-l.Reloaded:
			next = l.plan(wall())
		case <-time.After(sleep(now, next)):
		}
	}
}

func (l *Loop) plan(now time.Time) time.Time {
	next := l.Schedule().Next(now)
	l.Planned(next)
	return next
}

// campaign runs one and counts the slots that passed meanwhile.
func (l *Loop) campaign(ctx context.Context) {
	begun := wall()
	if err := l.Run(ctx); err != nil && ctx.Err() == nil {
		l.Skipped(SkippedFailed)
	}
	schedule, now := l.Schedule(), wall()
	for slot := schedule.Next(begun); !slot.IsZero() && !slot.After(now); slot = schedule.Next(slot) {
		l.Skipped(SkippedRunning)
	}
}

func sleep(now, next time.Time) time.Duration {
	if next.IsZero() {
		return longestSleep
	}
	return min(longestSleep, next.Sub(now))
}

// wall is the time without the monotonic reading, which would hide that the
// clock was set.
func wall() time.Time { return time.Now().UTC().Round(0) }

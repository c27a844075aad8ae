package scheduler

import (
	"context"
	"time"
)

// Reasons why a slot of the schedule brought no campaign.
const (
	SkippedRunning = "running" // the one before was still running
	SkippedFailed  = "failed"  // the campaign ended with an error
	SkippedAsleep  = "asleep"  // the machine slept, or its clock was set past the slot
)

// SkipReasons lists all reasons.
func SkipReasons() []string { return []string{SkippedRunning, SkippedFailed, SkippedAsleep} }

const (
	// longestSleep bounds how long the loop trusts its timer: a clock that was
	// set, or a machine that slept, is noticed after this time.
	longestSleep = 10 * time.Second
	// mostMissed bounds the counting of slots after a clock was set by years.
	mostMissed = 10_000
)

// Loop runs a campaign in every slot of a schedule, one at a time. The schedule
// is asked for anew after each campaign, so a reload takes effect between
// campaigns and never within one. Slots that pass are counted, not made up for.
type Loop struct {
	Schedule func() Schedule
	Run      func(ctx context.Context) error // one campaign
	Failed   func(err error)                 // told every error of Run while ctx lasts; a panic's ends with its stack; may be nil
	Skipped  func(reason string)
	Planned  func(next time.Time)      // told whenever the next slot changes; zero when there is none
	Now      bool                      // run one campaign at once, before the first slot
	First    func(ctx context.Context) // done once before the first slot, unless Now brings a campaign; may be nil
	Last     time.Time                 // when the last campaign of an earlier process began; intervals are counted from it
	Reloaded <-chan struct{}           // the schedule has changed; never closed
	Due      func() bool               // asked after a reload: whether a campaign is to run at once; never when nil
	Clock    func() time.Time          // the wall clock; time.Now when nil
}

// Start runs until ctx ends.
func (l *Loop) Start(ctx context.Context) error {
	since := l.wall()
	switch {
	case l.Now:
		since = l.campaign(ctx, since)
	case !l.Last.IsZero() && l.Last.Before(since):
		since = l.first(ctx, l.Last.UTC().Round(0))
	default:
		since = l.first(ctx, since)
	}
	for ctx.Err() == nil {
		slot, now := l.wait(ctx, since)
		if slot.IsZero() {
			break
		}
		l.count(l.Schedule(), slot, now, SkippedAsleep)
		since = l.campaign(ctx, now)
	}
	return nil
}

// first does what comes before the first slot, and returns what the slots are counted
// from: as before, unless one has passed meanwhile.
func (l *Loop) first(ctx context.Context, since time.Time) time.Time {
	if l.First == nil {
		return since
	}
	schedule := l.Schedule()
	l.plan(since)
	err := guard(func() error { l.First(ctx); return nil })
	if err != nil && l.Failed != nil {
		l.Failed(err)
	}
	return l.counted(schedule, since, l.wall())
}

// wait returns the first slot after anchor when it has come, the present where a
// reload made a campaign due, or zero when ctx ended. It compares wall-clock times
// only, because slots are wall-clock times: when the clock is set back the slot is
// computed anew, when it is set forward the slot has come.
func (l *Loop) wait(ctx context.Context, anchor time.Time) (slot, now time.Time) {
	since, next := anchor, l.plan(anchor)
	for {
		now = l.wall()
		if now.Before(since) {
			next = l.plan(now)
		}
		if !next.IsZero() && !now.Before(next) {
			return next, now
		}
		since = now
		select {
		case <-ctx.Done():
			return time.Time{}, now
		case <-l.Reloaded:
			next = l.replan(anchor)
			if now = l.wall(); l.Due != nil && l.Due() {
				return now, now
			}
		case <-time.After(sleep(now, next)):
		}
	}
}

func (l *Loop) plan(now time.Time) time.Time {
	next := l.Schedule().Next(now)
	l.Planned(next)
	return next
}

// replan gives the first slot that is still to come, counted from anchor: were
// it counted from now, intervals ("@every 3h") would begin anew with every
// reload and, with frequent ones, never end.
func (l *Loop) replan(anchor time.Time) time.Time {
	schedule, now := l.Schedule(), l.wall()
	next := schedule.Next(anchor)
	for n := 0; n < mostMissed && !next.IsZero() && !next.After(now); n++ {
		next = schedule.Next(next)
	}
	if !next.After(now) || now.Before(anchor) {
		next = schedule.Next(now)
	}
	l.Planned(next)
	return next
}

// campaign runs one and returns what the next slot is counted from.
func (l *Loop) campaign(ctx context.Context, begun time.Time) time.Time {
	schedule := l.Schedule() // slots of a schedule that is loaded meanwhile were never missed
	l.plan(begun)
	err := guard(func() error { return l.Run(ctx) })
	if err != nil && ctx.Err() == nil {
		l.Skipped(SkippedFailed)
		if l.Failed != nil {
			l.Failed(err)
		}
	}
	return l.counted(schedule, begun, l.wall())
}

// counted tells of the slots that passed meanwhile and returns what the next ones are
// counted from: begun, so that intervals do not grow by what took place, unless a slot of
// what is scheduled now has passed.
func (l *Loop) counted(schedule Schedule, begun, ended time.Time) time.Time {
	l.count(schedule, begun, ended, SkippedRunning)
	if next := l.Schedule().Next(begun); next.After(ended) {
		return begun
	}
	return ended
}

// count tells of every slot after begun up to ended.
func (l *Loop) count(schedule Schedule, begun, ended time.Time, reason string) {
	slot := schedule.Next(begun)
	for n := 0; n < mostMissed && !slot.IsZero() && !slot.After(ended); n++ {
		l.Skipped(reason)
		slot = schedule.Next(slot)
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
func (l *Loop) wall() time.Time {
	if l.Clock != nil {
		return l.Clock().UTC().Round(0)
	}
	return time.Now().UTC().Round(0)
}

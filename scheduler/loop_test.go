package scheduler

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// diary is a loop whose campaigns and skipped slots are written down. In a
// synctest bubble it is midnight of 2000-01-01 UTC and waiting costs nothing.
type diary struct {
	*Loop
	clock    atomic.Int64 // nanoseconds that the wall clock was set forward by
	schedule atomic.Value
	reloaded chan struct{}
	lines    []string
	planned  atomic.Value
}

func newDiary(t *testing.T, expression string) *diary {
	d := &diary{reloaded: make(chan struct{}, 1)}
	d.set(t, expression)
	d.Loop = &Loop{
		Schedule: func() Schedule { return d.schedule.Load().(box).Schedule },
		Run:      func(context.Context) error { d.note("campaign"); return nil },
		Failed:   func(err error) { d.lines = append(d.lines, "error "+firstLine(err)) },
		Skipped:  func(reason string) { d.lines = append(d.lines, "skipped "+reason) },
		Planned:  func(next time.Time) { d.planned.Store(next) },
		Reloaded: d.reloaded,
		Clock:    d.now,
	}
	return d
}

type box struct{ Schedule } // atomic.Value wants one type

func (d *diary) set(t *testing.T, expression string) {
	t.Helper()
	schedule, err := ParseSchedule(expression, d.now())
	if err != nil {
		t.Fatal(err)
	}
	d.schedule.Store(box{schedule})
}

func (d *diary) now() time.Time { return time.Now().Add(time.Duration(d.clock.Load())) }

func (d *diary) turnClock(by time.Duration) { d.clock.Add(int64(by)) }

func (d *diary) note(what string) {
	d.lines = append(d.lines, d.now().UTC().Format("2 15:04:05 ")+what)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// live runs the loop until the test has done what it wants, and compares the diary.
func (d *diary) live(t *testing.T, do func(), want ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- d.Start(ctx) }()
	do()
	synctest.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the loop ended with %v", err)
	}
	if diff := cmp.Diff(want, d.lines); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
}

func pass(d time.Duration) func() { return func() { time.Sleep(d) } }

func TestOneCampaignInEverySlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.live(t, pass(10*time.Hour), "1 03:00:00 campaign", "1 06:00:00 campaign", "1 09:00:00 campaign")
	})
}

func TestNowRunsACampaignBeforeTheFirstSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.Now = true
		d.live(t, pass(4*time.Hour), "1 00:00:00 campaign", "1 03:00:00 campaign")
	})
}

func TestACampaignNeverOverlapsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.Run = func(context.Context) error {
			d.note("begins")
			time.Sleep(7 * time.Hour)
			d.note("ends")
			return nil
		}
		d.live(t, pass(13*time.Hour),
			"1 03:00:00 begins", "1 10:00:00 ends", "skipped running", "skipped running", "1 12:00:00 begins",
			// The test ends in the middle; a real campaign would see that its context has ended.
			"1 19:00:00 ends", "skipped running", "skipped running")
	})
}

// A campaign that ends exactly when the next slot comes has taken it.
func TestASlotAtTheEndOfACampaignIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.Run = func(context.Context) error { d.note("campaign"); time.Sleep(3 * time.Hour); return nil }
		d.live(t, pass(8*time.Hour), "1 03:00:00 campaign", "skipped running")
	})
}

// What a campaign takes is no part of the interval: the slot that was told while it ran
// brings the next one.
func TestAnIntervalIsNotLongerByTheCampaign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "@every 30m")
		d.Now = true
		d.Run = func(context.Context) error { d.note("campaign"); time.Sleep(24 * time.Minute); return nil }
		d.live(t, pass(80*time.Minute), "1 00:00:00 campaign", "1 00:30:00 campaign", "1 01:00:00 campaign")
	})
}

func TestTheNextSlotIsToldAlsoWhileACampaignRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.Now = true
		d.Run = func(context.Context) error { time.Sleep(time.Hour); return nil }
		d.live(t, func() {
			time.Sleep(time.Minute)
			if want := at("2000-01-01 03:00:00"); d.planned.Load() != want {
				t.Errorf("during the first campaign the next slot is %s, want %s", d.planned.Load(), want)
			}
			time.Sleep(3 * time.Hour)
			if want := at("2000-01-01 06:00:00"); d.planned.Load() != want {
				t.Errorf("during the second campaign the next slot is %s, want %s", d.planned.Load(), want)
			}
		})
	})
}

func TestAClockSetForwardBringsOneCampaign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.live(t, func() {
			time.Sleep(time.Hour + time.Second)
			d.turnClock(6 * time.Hour) // it is seven now: three came, and six
			time.Sleep(3 * time.Hour)
		}, "skipped asleep", "1 07:00:10 campaign", "1 09:00:00 campaign")
	})
}

func TestAClockSetBackDoesNotStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.live(t, func() {
			time.Sleep(5*time.Hour + 50*time.Minute)
			d.turnClock(-3 * time.Hour) // 02:50, so the slot at three comes again
			time.Sleep(20 * time.Minute)
		}, "1 03:00:00 campaign", "1 03:00:00 campaign")
	})
}

func TestAClockSetByYearsIsCountedInBoundedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "@every 1s")
		skipped := 0
		d.Skipped = func(string) { skipped++ }
		d.Run = func(context.Context) error {
			if skipped == 0 {
				d.turnClock(30 * 365 * 24 * time.Hour)
			}
			return nil
		}
		d.live(t, pass(1500*time.Millisecond))
		if skipped != mostMissed {
			t.Errorf("%d slots were counted, want %d", skipped, mostMissed)
		}
	})
}

func TestAPanicCostsOneCampaign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		var stack string
		d.Failed = func(err error) { stack = err.Error() }
		d.Run = func(context.Context) error {
			d.note("campaign")
			if stack == "" {
				explode()
			}
			return nil
		}
		d.live(t, pass(7*time.Hour), "1 03:00:00 campaign", "skipped failed", "1 06:00:00 campaign")
		if !strings.HasPrefix(stack, "panic: boom\n") || !strings.Contains(stack, "scheduler.explode") {
			t.Errorf("the error does not tell the panic with its stack: %s", stack)
		}
	})
}

func explode() { panic("boom") }

func TestAFailedCampaignIsCountedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.Run = func(context.Context) error { return errors.New("no disk space") }
		d.live(t, pass(4*time.Hour), "skipped failed", "error no disk space")
	})
}

func TestAnInterruptedCampaignIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.Now = true
		d.Run = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		d.live(t, pass(time.Second))
	})
}

func TestAReloadMovesTheNextSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.live(t, func() {
			time.Sleep(time.Hour)
			d.set(t, "30 1 * * *")
			d.reloaded <- struct{}{}
			time.Sleep(23 * time.Hour)
		}, "1 01:30:00 campaign")
	})
}

func TestAReloadDuringACampaignWaitsForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.Run = func(context.Context) error {
			d.note("begins")
			time.Sleep(time.Hour)
			d.note("ends")
			return nil
		}
		d.live(t, func() {
			time.Sleep(3*time.Hour + time.Minute)
			d.set(t, "@hourly")
			d.reloaded <- struct{}{}
			time.Sleep(time.Hour)
		}, "1 03:00:00 begins", "1 04:00:00 ends") // the slot at 4 was not planned when it began
	})
}

func TestAReloadThatMakesACampaignDueDoesNotWaitForTheSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		due := true
		d.Due = func() bool { return due }
		d.Run = func(context.Context) error { d.note("campaign"); due = false; return nil }
		d.live(t, func() {
			time.Sleep(time.Hour)
			d.reloaded <- struct{}{}
			time.Sleep(time.Minute)
			d.reloaded <- struct{}{} // the same again
			time.Sleep(3 * time.Hour)
		}, "1 01:00:00 campaign", "1 03:00:00 campaign")
	})
}

func TestACampaignThatBecomesDueInAnotherFollowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		var reloaded, measured atomic.Int64
		d.Due = func() bool { return reloaded.Load() != measured.Load() }
		d.Run = func(context.Context) error {
			measured.Store(reloaded.Load())
			d.note("begins")
			time.Sleep(time.Hour)
			return nil
		}
		d.live(t, func() {
			time.Sleep(3*time.Hour + time.Minute)
			reloaded.Store(1)
			d.reloaded <- struct{}{}
			time.Sleep(2 * time.Hour)
		}, "1 03:00:00 begins", "1 04:00:00 begins")
	})
}

func TestFrequentReloadsDoNotPutAnIntervalOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "@every 3h")
		d.live(t, func() {
			for range 7 {
				time.Sleep(time.Hour)
				d.reloaded <- struct{}{}
			}
		}, "1 03:00:00 campaign", "1 06:00:00 campaign")
	})
}

func TestARestartGoesOnWithTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "@every 3h")
		d.Last = d.now().Add(-2 * time.Hour)
		d.live(t, pass(90*time.Minute), "1 01:00:00 campaign")
	})
}

// never is a schedule whose date does not come; a reload can still bring another.
type never struct{}

func (never) Next(time.Time) time.Time { return time.Time{} }

func TestAScheduleWithoutSlotsWaitsForAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "@daily")
		d.schedule.Store(box{never{}})
		d.live(t, func() {
			time.Sleep(48 * time.Hour)
			d.set(t, "@every 1h")
			d.reloaded <- struct{}{}
			time.Sleep(90 * time.Minute)
		}, "3 01:00:00 campaign")
	})
}

func TestTheRealClockIsTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "@every 1h")
		d.Clock = nil
		d.live(t, pass(90*time.Minute), "1 01:00:00 campaign")
	})
}

func TestWhatComesFirstPutsNoSlotOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "@every 3h")
		d.Last = d.now().Add(-2 * time.Hour)
		d.First = func(context.Context) {
			d.note("first")
			if want := at("2000-01-01 01:00:00"); d.planned.Load() != want {
				t.Errorf("meanwhile the next slot is %s, want %s", d.planned.Load(), want)
			}
			time.Sleep(30 * time.Minute)
		}
		d.live(t, pass(90*time.Minute), "1 00:00:00 first", "1 01:00:00 campaign")
	})
}

func TestSlotsThatPassWhileSomethingComesFirstAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.First = func(context.Context) { time.Sleep(7 * time.Hour) }
		d.live(t, pass(10*time.Hour), "skipped running", "skipped running", "1 09:00:00 campaign")
	})
}

func TestAPanicOfWhatComesFirstCostsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.First = func(context.Context) { explode() }
		d.live(t, pass(4*time.Hour), "error panic: boom", "1 03:00:00 campaign")
	})
}

func TestACampaignAtOnceComesInsteadOfWhatComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary(t, "0 */3 * * *")
		d.Now = true
		d.First = func(context.Context) { d.note("first") }
		d.live(t, pass(time.Hour), "1 00:00:00 campaign")
	})
}

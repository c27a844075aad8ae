package exporter

import (
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
)

const (
	successDue = "restbench_campaign_success_due_timestamp_seconds"
	endDue     = "restbench_campaign_end_due_timestamp_seconds"
)

// friday is the last slot before a weekend.
func friday() time.Time { return time.Date(2026, 11, 20, 21, 0, 0, 0, time.UTC) }

// onWeekdays is every third hour from Monday to Friday.
func onWeekdays(after time.Time) time.Time {
	next := after.Truncate(3 * time.Hour).Add(3 * time.Hour)
	for next.Weekday() == time.Saturday || next.Weekday() == time.Sunday {
		next = next.Add(3 * time.Hour)
	}
	return next
}

// succeeded is a campaign that took half an hour, with its measurements.
func succeeded(started time.Time) (bench.Campaign, []bench.Measurement) {
	c := campaign(1, short(), sanic(), flask())
	c.State, c.Rounds, c.Started, c.Finished = bench.StateFinished, 1, started, started.Add(30*time.Minute)
	return c, []bench.Measurement{measured(sanic(), 1, 1000), measured(flask(), 1, 100)}
}

// No campaign of a weekend is missed when the schedule has none.
func TestASuccessIsDueAfterTwoSlots(t *testing.T) {
	for name, test := range map[string]struct {
		started, due time.Time
	}{
		"on a day":         {friday().Add(-12 * time.Hour), friday().Add(-6*time.Hour + 30*time.Minute)},
		"before a weekend": {friday(), time.Date(2026, 11, 23, 3, 30, 0, 0, time.UTC)},
	} {
		o := options()
		o.Slot = onWeekdays
		o.History = func() (bench.Campaign, []bench.Measurement, error) {
			c, measurements := succeeded(test.started)
			return c, measurements, nil
		}
		e := newExporter(t, o)
		t.Log(name)
		wantValue(t, e, float64(test.due.Unix()), successDue)
		wantNone(t, e, endDue)
	}
}

func TestNothingIsDueWithoutASuccessOrASchedule(t *testing.T) {
	wantNone(t, newExporter(t, options()), successDue)
	o := options()
	o.Slot = nil
	e := newExporter(t, o)
	playWhole(e, 1)
	begin(e, campaign(2, short(), sanic(), flask()))
	wantNone(t, e, successDue)
	wantNone(t, e, endDue)
}

// A campaign of any kind is late by its own start; one that waits for another is not.
func TestARunningCampaignIsDueByItsOwnStart(t *testing.T) {
	o := options()
	o.Slot = onWeekdays
	e := newExporter(t, o)
	c := campaign(2, short(), sanic(), flask())
	c.Kind, c.Started = bench.KindUpgrade, friday().Add(-12*time.Hour)
	p := &play{e, c}
	p.event(bench.PhaseWaiting, 0, nil)
	wantNone(t, e, endDue)
	p = begin(e, c)
	wantValue(t, e, float64(friday().Add(-6*time.Hour+time.Minute).Unix()), endDue) // 3 rounds of two targets, 10 s each
	p.finish(bench.StateFinished)
	wantNone(t, e, endDue)
	wantNone(t, e, successDue)
}

// How old the last success is must not be forgotten because nothing was measured
// since then.
func TestTheLastSuccessOutlivesFruitlessCampaigns(t *testing.T) {
	o := options()
	fruitless, _ := succeeded(friday().Add(3 * time.Hour))
	fruitless.ID = 9
	o.History = func() (bench.Campaign, []bench.Measurement, error) {
		return fruitless, []bench.Measurement{failed(sanic(), 0, bench.StageInstall, "no network")}, nil
	}
	o.Success, _ = succeeded(friday())
	e := newExporter(t, o)
	wantValue(t, e, float64(friday().Add(30*time.Minute).Unix()), "restbench_campaign_last_success_timestamp_seconds")
	wantValue(t, e, float64(friday().Add(3*time.Hour).Unix()), "restbench_campaign_last_start_timestamp_seconds")

	o.History = func() (bench.Campaign, []bench.Measurement, error) {
		c, measurements := succeeded(friday().Add(6 * time.Hour))
		return c, measurements, nil
	}
	wantValue(t, newExporter(t, o), float64(friday().Add(6*time.Hour+30*time.Minute).Unix()), "restbench_campaign_last_success_timestamp_seconds")
}

// Other campaigns have finished, before a reload with another protocol.
func TestTheFirstRoundsOfAnotherProtocolAreCalledThat(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	other := short()
	other.Rounds = 5
	e.SetTargets(other, options().Targets)
	p := begin(e, campaign(2, other, sanic(), flask()))
	p.round(measured(sanic(), 1, 1000), measured(flask(), 1, 100))
	const want = "No campaign of this protocol has finished yet: these are the first 1 of 5 rounds."
	if page := ask(e.Handler(), "GET", "/").Body.String(); !strings.Contains(page, want) {
		t.Errorf("the page does not say %q", want)
	}
}

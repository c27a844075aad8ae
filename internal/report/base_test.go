package report_test

import (
	"strings"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/report"
)

func wantNoRelative(t *testing.T, r report.Result, edition, note string) {
	t.Helper()
	for _, row := range r.Results {
		if row.Edition == edition && (row.Relative != nil || row.RelativeCI95 != nil || row.Base != nil) {
			t.Errorf("%s has a relative of %v to %v", row.Name, *row.Relative, *row.Base)
		}
	}
	if !strings.Contains(strings.Join(r.Notes, "\n"), note) {
		t.Errorf("notes are %q, want %q", r.Notes, note)
	}
}

// The slowest was valid in too few rounds: the next one must not become 1.
func TestBaseValidInLessThanHalf(t *testing.T) {
	for valid, want := range map[int]bool{4: false, 5: true} {
		c, ms := synthetic("current", "2020")
		of(ms, target("djangorestframework", "current"), func(m *bench.Measurement) {
			if m.Round > valid {
				invalidate(m)
			}
		})
		r := report.New(c, ms)
		if want {
			if row := row(r, "eve@current"); row.Base == nil || *row.Base != "djangorestframework" || row.RelativePairs != valid {
				t.Errorf("valid in %d of %d: %+v", valid, rounds, row)
			}
			continue
		}
		wantNoRelative(t, r, "current", "current: relative is absent, the slowest, djangorestframework, is valid in 4 of 10 rounds only")
		if row := row(r, "eve@2020"); row.Relative == nil {
			t.Error("the base of the other edition is gone too")
		}
	}
}

func withoutBase() (bench.Campaign, []bench.Measurement) {
	c, ms := synthetic("current")
	of(ms, target("djangorestframework", "current"), func(m *bench.Measurement) {
		m.Load, m.Failure = bench.Load{}, &bench.Failure{Stage: bench.StageLoad, Cause: "died"}
	})
	return c, ms
}

func TestKnownBaseThatFailedAsAWhole(t *testing.T) {
	c, ms := withoutBase()
	known := map[string]string{"current": "djangorestframework"}
	wantNoRelative(t, report.NewWithBases(c, ms, known), "current",
		"current: relative is absent, its base djangorestframework has no valid round")
	known["current"] = "eve"
	if r := report.NewWithBases(c, ms, known); *row(r, "sanic@current").Base != "eve" || len(r.Notes) != 0 {
		t.Errorf("another one than the base failed: %v", r.Notes)
	}
}

// Nobody knows whether the failed one would have been the slowest: it is said.
func TestUnknownTargetThatFailedAsAWhole(t *testing.T) {
	r := report.New(withoutBase())
	if *row(r, "eve@current").Relative != 1 || !strings.Contains(r.Notes[0], "without a number: djangorestframework") {
		t.Errorf("notes are %q", r.Notes)
	}
}

func TestOwnTargetsAreRelativeToCurrent(t *testing.T) {
	c, ms := small()
	own := target("shop", bench.EditionOwn)
	for round := 1; round <= 3; round++ {
		ms = append(ms, measured(own, round, 5)) // slower than the base, and still not the base
	}
	c.Participants = append(c.Participants, bench.Participant{Target: own})
	r := report.New(c, ms)
	got := row(r, "shop@own")
	if got.Relative == nil || *got.Relative != 0.5 || *got.Base != "slow" {
		t.Errorf("%+v", got)
	}
	c.Participants = c.Participants[2:]
	if got := row(report.New(c, ms[6:]), "shop@own"); got.Relative != nil {
		t.Errorf("without the current edition: relative is %v", *got.Relative)
	}
}

// Only rounds in which both are valid make pairs.
func TestIntervalUsesCommonRounds(t *testing.T) {
	c, ms := synthetic("current")
	of(ms, target("sanic", "current"), func(m *bench.Measurement) {
		if m.Round <= 3 {
			invalidate(m)
		}
	})
	of(ms, target("djangorestframework", "current"), func(m *bench.Measurement) {
		if m.Round >= 9 {
			invalidate(m)
		}
	})
	if got := row(report.New(c, ms), "sanic@current"); got.RelativePairs != 5 || got.Rounds != 7 {
		t.Errorf("%d pairs of %d rounds, want 5 of 7", got.RelativePairs, got.Rounds)
	}
}

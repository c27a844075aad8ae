package change_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/change"
)

// among keeps the first n targets of a field until a campaign, and those that stays says
// from then on.
func among(n, until int, stays func(i int) bool, disturb func(campaign int, c change.Campaign)) []change.Campaign {
	return history(90, func(campaign int, c change.Campaign) {
		for i := range size {
			if campaign < until && i >= n || campaign >= until && !stays(i) {
				delete(c.Rates, target(i))
				delete(c.Versions, target(i))
			}
		}
		disturb(campaign, c)
	})
}

func slowerFrom(first, i int, factor float64) func(campaign int, c change.Campaign) {
	return func(campaign int, c change.Campaign) {
		if _, ok := c.Rates[target(i)]; ok && campaign >= first {
			slower(c, i, factor)
		}
	}
}

// What was said of four targets stays said when others join them: a name that somebody
// accepted must not come back as another one.
func TestWhoJoinsLaterChangesNothingOfThePast(t *testing.T) {
	campaigns := among(4, 60, func(int) bool { return true }, slowerFrom(30, 2, 0.7))
	before, after := replay(campaigns[:60]), replay(campaigns)
	if len(before.Changes) == 0 || len(after.Changes) < len(before.Changes) {
		t.Fatalf("before %+v, after %+v", before.Changes, after.Changes)
	}
	for i, c := range before.Changes {
		if diff := cmp.Diff([]any{c.ID, c.Onset, c.Effect, c.CI95}, []any{after.Changes[i].ID, after.Changes[i].Onset, after.Changes[i].Effect, after.Changes[i].CI95}); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	}
}

// Four targets of which two are replaced were never a field of five: they are judged on.
func TestAFieldThatWasNeverOneIsJudgedOn(t *testing.T) {
	h := replay(among(4, 40, func(i int) bool { return i < 2 || i == 6 || i == 7 }, slowerFrom(46, 1, 0.6)))
	for _, c := range h.Changes {
		if c.Target == target(1) && c.Onset.Campaign == 146 {
			return
		}
	}
	t.Errorf("%+v", h.Changes)
}

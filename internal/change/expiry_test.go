package change_test

import (
	"testing"
	"time"

	"restbench/internal/change"
)

// What nobody acted upon for two weeks is how things are: what takes it back later is
// news, of a target and of the whole field.
func TestAReturnAfterTheExpiryIsAChange(t *testing.T) {
	const perDay = 8
	for _, whole := range []bool{false, true} {
		for days, want := range map[int]int{10: 1, 20: 2} {
			h := replay(history(30+perDay*days+30, disturbed(whole, perDay*days, 1.2)))
			changes := ofTarget(h, whole)
			if len(changes) != want || len(h.Changes) != want || changes[0].Way() != change.Faster {
				t.Errorf("whole %t, %d days: %+v", whole, days, h.Changes)
				continue
			}
			if last := changes[len(changes)-1]; want == 2 && last.Way() != change.Slower {
				t.Errorf("whole %t, %d days: %+v", whole, days, last)
			}
		}
	}
}

// An acceptance long ago swallows nothing either.
func TestAReturnLongAfterTheAcceptanceIsAChange(t *testing.T) {
	campaigns := history(230, disturbed(false, 170, 0.8))
	first := replay(campaigns).Changes[0]
	h := replay(campaigns, change.Acceptance{ID: first.ID, At: first.Reported.At.Add(time.Hour), Note: "TLS"})
	if len(h.Changes) != 2 || h.Changes[0].End.Reason != change.Accepted || h.Changes[1].Way() != change.Faster {
		t.Errorf("%+v", h.Changes)
	}
}

// By a clock that was set back, a change is still to come, and has not expired.
func TestAClockThatWasSetBackEndsNothing(t *testing.T) {
	c := only(t, replay(history(60, disturbed(false, 30, 0.8))))
	if early := c.Reported.At.Add(-time.Hour); c.Ended(early) != "" || c.Active(early) {
		t.Errorf("%q, active %t", c.Ended(early), c.Active(early))
	}
	if late := c.Reported.At.Add(change.Longest); c.Ended(late) == "" {
		t.Error("it never expires")
	}
}

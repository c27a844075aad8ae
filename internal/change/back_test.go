package change_test

import (
	"math/rand/v2"
	"testing"

	"restbench/internal/change"
)

// ofTarget are the changes of target 4, or those of the whole field.
func ofTarget(h change.History, whole bool) (all []change.Change) {
	for _, c := range h.Changes {
		if c.Whole() && whole || c.Target == target(4) && !whole {
			all = append(all, c)
		}
	}
	return all
}

// disturbed is slow by a factor in so many campaigns from the 30th on: target 4 or all.
func disturbed(whole bool, bad int, factor float64) func(int, change.Campaign) {
	return func(campaign int, c change.Campaign) {
		for i := range size {
			if campaign >= 30 && campaign < 30+bad && (whole || i == 4) {
				slower(c, i, factor)
			}
		}
	}
}

// Some bad campaigns look like a level. When they were none, that is known a few
// campaigns later, whatever became of the baseline.
func TestAShortDisturbanceEndsSoon(t *testing.T) {
	for name, test := range map[string]struct {
		whole  bool
		factor float64
		within int // campaigns
	}{"a target": {false, 0.85, 4}, "a target, hardly": {false, 0.93, 8}, "the host": {true, 0.7, 5}} {
		for bad := 2; bad <= 6; bad++ {
			for seed := range uint64(8) {
				campaigns := historyOf(seed, 60, disturbed(test.whole, bad, test.factor))
				for _, c := range ofTarget(replay(campaigns), test.whole) {
					if c.End.Reason != change.Returned || c.End.At.After(campaigns[29+bad+test.within].At) {
						t.Errorf("%s, %d bad campaigns, seed %d: reported %d, end %+v", name, bad, seed, c.Reported.Campaign, *c.End)
					}
				}
				if n := len(ofTarget(replay(campaigns), test.whole)); n > 1 || n == 0 && test.factor < 0.9 {
					t.Errorf("%s, %d bad campaigns, seed %d: %d changes, want one", name, bad, seed, n)
				}
			}
		}
	}
}

// What comes after a disturbance is judged by the level before it, and not by the
// disturbance.
func TestAfterADisturbanceLossesAreFoundAsBefore(t *testing.T) {
	for _, whole := range []bool{false, true} {
		for bad := 2; bad <= 4; bad++ {
			h := replay(history(70, func(campaign int, c change.Campaign) {
				disturbed(whole, bad, 0.7)(campaign, c)
				if campaign >= 36+bad {
					slower(c, 4, 0.92)
				}
			}))
			last := h.Changes[len(h.Changes)-1]
			if len(h.Changes) != 2 || last.Target != target(4) || last.Onset.Campaign != int64(136+bad) || last.Reported.Campaign > int64(138+bad) || last.Way() != change.Slower {
				t.Errorf("whole %t, %d bad campaigns: %+v", whole, bad, h.Changes)
			}
		}
	}
}

// A third of the field that is slower does not show in the median of it: its event
// holds as long as that lasts, and no longer.
func TestAThirdOfTheFieldReturnsWhenItDoes(t *testing.T) {
	for bad, want := range map[int]change.Reason{1: "", 2: change.Returned, 3: change.Returned, 40: change.Expired} {
		for seed := range uint64(10) {
			whole := ofTarget(replay(historyOf(seed, 70, func(campaign int, c change.Campaign) {
				for i := range 4 {
					if campaign >= 30 && campaign < 30+bad {
						slower(c, i, 0.6)
					}
				}
			})), true)
			if told := len(whole) > 0; told != (bad > 1) { // one bad campaign, however bad, is no change
				t.Errorf("%d bad campaigns, seed %d: %+v", bad, seed, whole)
			}
			for _, c := range whole {
				if c.Way() != change.Slower || c.End.Reason != want {
					t.Errorf("%d bad campaigns, seed %d: %s, reported %d, effect %.3f, end %+v", bad, seed, c.Way(), c.Reported.Campaign, *c.Effect, *c.End)
				}
			}
		}
	}
}

// On another machine, nothing is known of where a target was.
func TestAnotherMachineIsNoReturn(t *testing.T) {
	campaigns := history(60, disturbed(false, 2, 0.85))
	for i := range campaigns[32:] {
		campaigns[32+i].Machine = "another"
	}
	if h := replay(campaigns); h.Changes[0].Target != target(4) || h.Changes[0].End.Reason != change.Expired {
		t.Errorf("%+v", h.Changes)
	}
}

// Nobody did anything about these; they last. In the hardest field of the published
// figures noise must not end them.
func TestLastingChangesAreNotEndedByNoise(t *testing.T) {
	const trials = 60
	for _, share := range []float64{0.03, 0.05, 0.1} {
		random := rand.New(rand.NewPCG(uint64(1000*share), 20200810))
		found, ended := 0, 0
		for range trials {
			for _, c := range ofTarget(replay(simulated(random, 120, share, false)), false) {
				if c.Way() == change.Slower && c.Onset.Campaign >= 17 && c.Onset.Campaign <= 23 {
					found++
					if c.End.Reason == change.Returned {
						ended++
					}
				}
			}
		}
		if 25*ended > found || found < trials/3 {
			t.Errorf("%.0f %% slower: %d of %d were ended", 100*share, ended, found)
		}
	}
}

// A host that wanders, and becomes slower for good.
func TestASlowHostIsNotEndedByItsWandering(t *testing.T) {
	const trials = 60
	random := rand.New(rand.NewPCG(4, 20200810))
	found, ended := 0, 0
	for range trials {
		campaigns := simulated(random, 120, 0, false)
		for i, c := range campaigns {
			for j := range size {
				if i >= 40 {
					slower(c, j, 0.6)
				}
			}
		}
		for _, c := range ofTarget(replay(campaigns), true) {
			if c.Way() == change.Slower && c.Onset.Campaign >= 38 {
				found++
				if c.End.Reason == change.Returned {
					ended++
				}
			}
		}
	}
	if 25*ended > found || found < trials/2 {
		t.Errorf("%d of %d were ended", ended, found)
	}
}

// The way back is not part of what the second signal is asked about.
func TestADisturbanceIsConfirmedByItsOwnCampaigns(t *testing.T) {
	c := only(t, replay(costly(60, func(campaign int, c change.Campaign) {
		disturbed(false, 2, 0.85)(campaign, c)
		if campaign == 30 || campaign == 31 {
			c.Costs[target(4)] /= 0.85
		}
	})))
	if c.End.Reason != change.Returned || c.Confirmation != change.Confirmed {
		t.Errorf("%s, %+v, end %+v", c.Confirmation, c.Second, c.End)
	}
}

// A second step on top of a first ends with it: both are undone at once.
func TestAStepOnTopOfADisturbanceEndsWithIt(t *testing.T) {
	for seed := range uint64(8) {
		campaigns := historyOf(seed, 70, func(campaign int, c change.Campaign) {
			switch {
			case campaign >= 30 && campaign < 36:
				slower(c, 4, 0.9)
			case campaign >= 36 && campaign < 38:
				slower(c, 4, 0.7)
			}
		})
		all := ofTarget(replay(campaigns), false)
		for _, c := range all {
			if c.End.Reason != change.Returned || c.End.At.After(campaigns[44].At) || c.Way() != change.Slower {
				t.Errorf("seed %d: reported %d, effect %.3f, end %+v", seed, c.Reported.Campaign, *c.Effect, *c.End)
			}
		}
		if len(all) == 0 {
			t.Errorf("seed %d: nothing was found", seed)
		}
	}
}

// A change outlives a disturbance on top of it, and its end is no gain.
func TestAChangeOutlivesADisturbanceOnTopOfIt(t *testing.T) {
	for seed := range uint64(8) {
		campaigns := historyOf(seed, 80, func(campaign int, c change.Campaign) {
			if campaign >= 30 && campaign < 55 {
				slower(c, 4, 0.88)
			}
			if campaign == 40 || campaign == 41 {
				slower(c, 4, 0.75)
			}
		})
		all := ofTarget(replay(campaigns), false)
		if len(all) == 0 || all[0].End.Reason != change.Returned || all[0].End.At.Before(campaigns[55].At) {
			t.Errorf("seed %d: the first of %d is %+v", seed, len(all), all[0])
		}
		for _, c := range all {
			if c.Way() != change.Slower {
				t.Errorf("seed %d: reported %d, effect %.3f", seed, c.Reported.Campaign, *c.Effect)
			}
		}
	}
}

package change_test

import (
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
)

// What could not be installed is no other version.
func TestAFailedInstallationIsNoUpgrade(t *testing.T) {
	campaigns := history(60, changed(0.9, 1))
	failed := bench.Campaign{Kind: bench.KindScheduled, State: bench.StateFinished, Finished: campaigns[40].At}
	for i := range size {
		p := bench.Participant{Target: target(i)}
		if i != 4 {
			p.Versions = campaigns[40].Versions[target(i)]
		}
		failed.Participants = append(failed.Participants, p)
	}
	seen, ok := change.FromMeasurements(failed, nil)
	if !ok || len(seen.Versions) != size-1 {
		t.Fatalf("%t, versions %+v", ok, seen.Versions)
	}
	campaigns[40].Versions = seen.Versions
	delete(campaigns[40].Rates, target(4))
	if c := only(t, replay(campaigns)); c.End.Reason != change.Expired {
		t.Errorf("end %+v", c.End)
	}
}

// The onset of a small loss is estimated some campaigns early or late. It is the
// upgrade's all the same, which is named and does not end it.
func TestAnUpgradeIsNamedAlthoughTheOnsetIsNotSure(t *testing.T) {
	const trials = 60
	for _, factor := range []float64{0.97, 0.96, 0.95} {
		found, named, asked := 0, 0, 0
		for seed := range uint64(trials) {
			campaigns := historyOf(seed, 60, func(campaign int, c change.Campaign) {
				for i := range size {
					c.Costs[target(i)] = 1e-4
				}
				if campaign >= 30 {
					slower(c, 4, factor)
					c.Costs[target(4)] /= factor
					c.Versions[target(4)] = bench.Versions{Framework: "1.1", Python: "3.13.0"}
				}
			})
			for _, c := range ofTarget(replay(campaigns), false) {
				if c.Way() != change.Slower || c.Reported.Campaign < 131 {
					continue
				}
				found++
				if c.End.Reason == change.Upgraded {
					t.Errorf("times %g, seed %d: onset %d, reported %d, end %+v", factor, seed, c.Onset.Campaign, c.Reported.Campaign, *c.End)
				}
				if c.Before.Framework == "1.0" && c.After.Framework == "1.1" {
					named++
				}
				if c.Confirmation == change.Confirmed {
					asked++
				}
			}
		}
		t.Logf("times %g: %d found, %d named, %d confirmed", factor, found, named, asked)
		if found < trials/2 || 20*named < 19*found || 20*asked < 19*found {
			t.Errorf("times %g: %d found, %d named, %d confirmed", factor, found, named, asked)
		}
	}
}

// A loss long before or after an upgrade is not the upgrade's.
func TestAnUpgradeFarFromALossIsNotNamed(t *testing.T) {
	for _, at := range []int{20, 31, 45} {
		c := only(t, replay(history(60, func(campaign int, c change.Campaign) {
			changed(0.9, 1)(campaign, c)
			if campaign >= at {
				c.Versions[target(4)] = bench.Versions{Framework: "1.1", Python: "3.13.0"}
			}
		})))
		if c.Onset.Campaign != 130 || c.Before.Framework != c.After.Framework {
			t.Errorf("upgrade in campaign %d: %+v", at, c)
		}
	}
}

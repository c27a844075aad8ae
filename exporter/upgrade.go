package exporter

import (
	"slices"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// SetUpgrades replaces the upgrades that are shown: the newest of each target. Of
// targets that are not configured nothing is shown.
func (e *Exporter) SetUpgrades(upgrades []report.Upgrade) {
	e.update(func(s snapshot) snapshot {
		s.upgrades = slices.Clone(upgrades)
		return s
	})
}

const ofUpgrade = " The newest upgrade campaign of the target that has one; absent before the first."

func (m *metrics) describeUpgrades() {
	m.upgradeRatio = m.add("upgrade_ratio", "Speed with the new releases divided by that with the releases before, in the target's signal: requests per second, or those per second of the server's processor time; from the ratios inside the rounds."+ofUpgrade, targetLabels()...)
	m.upgradeLow = m.add("upgrade_ratio_ci95_low", "Lower end of the 95 % interval of upgrade_ratio."+ofUpgrade, targetLabels()...)
	m.upgradeHigh = m.add("upgrade_ratio_ci95_high", "Upper end of the 95 % interval of upgrade_ratio."+ofUpgrade, targetLabels()...)
	m.upgradeVerdict = m.add("upgrade_verdict", "1 for what upgrade_ratio and its interval say, with the configured threshold; 0 for the others."+ofUpgrade,
		append(targetLabels(), "verdict")...)
	m.upgradeActive = m.add("upgrade_active", "1 while the newest upgrade is slower or faster, nobody has accepted it, and it is no older than 14 days; 0 otherwise.", targetLabels()...)
	m.upgradeInfo = m.add("upgrade_info", "Always 1; by label the name by which the newest upgrade is accepted, the signal that it is judged by, and the releases of the framework before and after it.",
		append(targetLabels(), "id", "signal", "before", "after")...)
}

func (c *collection) upgraded() {
	for _, u := range c.now.newestUpgrades() {
		if u.Speed.Estimate == nil {
			continue
		}
		labels := upgradeLabels(u)
		c.gauge(c.upgradeRatio, *u.Speed.Estimate, labels...)
		c.gauge(c.upgradeInfo, 1, also(labels, clean(u.ID(), string(u.Signal), u.Before, u.After)...)...)
		if ci := u.Speed.CI95; ci != nil {
			c.gauge(c.upgradeLow, ci.Low(), labels...)
			c.gauge(c.upgradeHigh, ci.High(), labels...)
		}
		for _, verdict := range report.Verdicts() {
			c.gauge(c.upgradeVerdict, truth(u.Verdict == verdict), also(labels, string(verdict))...)
		}
	}
}

// upgradesActive is asked in each scrape: time alone ends it.
func (c *collection) upgradesActive(now time.Time) {
	for _, u := range c.now.newestUpgrades() {
		if u.Speed.Estimate != nil {
			c.gauge(c.upgradeActive, truth(u.Active(now)), upgradeLabels(u)...)
		}
	}
}

func upgradeLabels(u report.Upgrade) []string {
	return clean(u.Target.Framework, u.Target.Edition, u.Target.Serving, u.Target.Workload, u.Campaign.Protocol.Label())
}

// newestUpgrades are those of configured targets, one each: twice the same labels
// would make every scrape fail.
func (s snapshot) newestUpgrades() []report.Upgrade {
	seen := map[bench.Target]bool{}
	var kept []report.Upgrade
	for _, u := range s.upgrades {
		if find(s.targets, u.Target) >= 0 && !seen[u.Target] {
			seen[u.Target] = true
			kept = append(kept, u)
		}
	}
	return kept
}

// upgradeTables is what the page shows of them, nothing while there are none.
func (s snapshot) upgradeTables(now time.Time) []report.Table {
	newest := s.newestUpgrades()
	if len(newest) == 0 {
		return nil
	}
	return []report.Table{report.UpgradeTable(newest, now)}
}

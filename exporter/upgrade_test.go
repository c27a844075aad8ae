package exporter

import (
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// upgrade is one of a target whose new releases are ratio times as fast.
func upgrade(t bench.Target, ratio float64) report.Upgrade {
	old, now, finished := "3.0", "3.1", noon()
	return report.Upgrade{
		Comparison: report.Comparison{
			Campaign: report.Header{ID: 7, Kind: bench.KindUpgrade, Finished: &finished, Protocol: bench.Protocol{Name: bench.ProtocolUpgrade, Engine: bench.EngineNative, Precision: 0.03}},
			Signal:   bench.SignalRequests,
			Speed:    report.RatioEstimate{Estimate: &ratio, CI95: &report.Interval{ratio - 0.02, ratio + 0.02}},
			Verdict:  "slower", Starts: 6, Threshold: 0.05,
			Packages: []report.PackageDiff{{Name: "werkzeug", A: &old, B: &now}, {Name: "markupsafe", A: &old, B: &now}},
		},
		Target: t, Before: old, After: old, Precise: true, Responsible: []string{"werkzeug"}, Searched: true,
	}
}

// allUpgrades has one for each target.
func allUpgrades(targets []bench.Target) []report.Upgrade {
	var all []report.Upgrade
	for _, t := range targets {
		all = append(all, upgrade(t, 0.9))
	}
	return all
}

// The newest upgrade of a configured target is shown, with its interval and with
// the package that is responsible; one of another target is not.
func TestUpgradesAreShown(t *testing.T) {
	e := newExporter(t, options())
	shown := options().Targets[0]
	labels := `{edition="` + shown.Edition + `",framework="` + shown.Framework + `",protocol="upgrade",serving="documented",workload="hello"} `
	if metrics := ask(e.Handler(), "GET", "/metrics").Body.String(); strings.Contains(metrics, "restbench_upgrade_ratio{") {
		t.Errorf("there is an upgrade before there is one:\n%s", metrics)
	}
	other := shown
	other.Framework = "unheard-of"
	newest := upgrade(shown, 0.9)
	newest.After = "3.2"
	e.SetUpgrades([]report.Upgrade{newest, upgrade(other, 0.5), upgrade(shown, 0.7)})
	metrics, page := ask(e.Handler(), "GET", "/metrics").Body.String(), ask(e.Handler(), "GET", "/").Body.String()
	for _, want := range []string{"upgrade_ratio" + labels + "0.9\n", "upgrade_ratio_ci95_low" + labels + "0.88\n", "upgrade_ratio_ci95_high" + labels + "0.92\n"} {
		if !strings.Contains(metrics, "restbench_"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	for _, verdict := range report.Verdicts() {
		wantValue(t, e, truth(verdict == "slower"), "restbench_upgrade_verdict", "framework", shown.Framework, "edition", shown.Edition, "protocol", "upgrade", "verdict", string(verdict))
	}
	if strings.Contains(metrics, "unheard-of") || strings.Contains(page, "unheard-of") {
		t.Error("an upgrade of a target that is not configured is shown")
	}
	for _, want := range []string{"Upgrades", "werkzeug 3.0 → 3.1", "0.900", "<td class=\"\">werkzeug</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	wantValue(t, e, 1, "restbench_upgrade_active", "framework", shown.Framework, "edition", shown.Edition, "protocol", "upgrade")
	wantValue(t, e, 1, "restbench_upgrade_info", "framework", shown.Framework, "edition", shown.Edition, "protocol", "upgrade", "id", "7-"+shown.String(), "signal", "requests_per_second", "before", "3.0", "after", "3.2")
	e.SetUpgrades(nil)
	if metrics := ask(e.Handler(), "GET", "/metrics").Body.String(); strings.Contains(metrics, "restbench_upgrade_ratio{") {
		t.Error("an upgrade stays after it was taken back")
	}
}

// A ratio without an interval has no ends to show.
func TestAnUpgradeWithoutAnInterval(t *testing.T) {
	e := newExporter(t, options())
	u := upgrade(options().Targets[0], 0.9)
	u.Speed.CI95, u.Precise = nil, false
	none := upgrade(options().Targets[1], 0.9)
	none.Speed = report.RatioEstimate{}
	e.SetUpgrades([]report.Upgrade{u, none})
	metrics := ask(e.Handler(), "GET", "/metrics").Body.String()
	if strings.Count(metrics, "\nrestbench_upgrade_ratio{") != 1 || strings.Contains(metrics, "restbench_upgrade_ratio_ci95_low{") {
		t.Errorf("got\n%s", metrics)
	}
}

// Time alone ends an upgrade: the next scrape knows it, without a new event.
func TestAnUpgradeExpires(t *testing.T) {
	o := options()
	now := noon()
	o.Now = func() time.Time { return now }
	e := newExporter(t, o)
	e.SetUpgrades([]report.Upgrade{upgrade(o.Targets[0], 0.9)})
	active := func(want float64) {
		t.Helper()
		wantValue(t, e, want, "restbench_upgrade_active", "framework", o.Targets[0].Framework, "edition", o.Targets[0].Edition, "protocol", "upgrade")
	}
	active(1)
	now = now.Add(15 * 24 * time.Hour)
	active(0)
}

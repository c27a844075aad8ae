package report_test

import (
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
	"restbench/internal/stats"
)

// upgraded is an upgrade campaign of sanic, whose new releases are times as fast.
func upgraded(times float64, rounds int) (bench.Campaign, []bench.Measurement) {
	c, ms := versus(times, rounds)
	c.Kind, c.Protocol = bench.KindUpgrade, bench.Upgrade(10*time.Minute, 10*time.Second, 0.03)
	names := map[string]string{"==21.12.1": bench.EditionBefore, "==22.12.0": bench.EditionLatest}
	for i := range c.Participants {
		c.Participants[i].Target.Edition = names[c.Participants[i].Target.Edition]
	}
	for i := range ms {
		ms[i].Target.Edition = names[ms[i].Target.Edition]
	}
	return c, ms
}

const upgradeThreshold = 0.05

// A loss is told as soon as the interval excludes that there is none; how well
// it is known is told, too.
func TestUpgradeVerdicts(t *testing.T) {
	for name, test := range map[string]struct {
		times   float64
		rounds  int
		want    stats.Verdict
		precise bool
		says    string
	}{
		"slower":     {0.85, 40, stats.Slower, true, "22.8.0: slower, 0.849 times"},
		"faster":     {1.2, 40, stats.Faster, true, ": faster, 1."},
		"same":       {1, 60, stats.Same, true, "no difference of more than 5 %"},
		"few rounds": {0.7, 4, stats.Slower, false, "2 starts of the servers; ± 3 % was asked for"},
		"one start":  {0.5, 2, stats.Unknown, false, "its precision is not known"},
		"none":       {0.5, 0, stats.Unknown, false, "no verdict"},
	} {
		c, ms := upgraded(test.times, test.rounds)
		u := report.NewUpgrade(c, ms, upgradeThreshold)
		if u.Verdict != test.want || u.Precise != test.precise || !strings.Contains(u.Text(), test.says) {
			t.Errorf("%s: %s, precise %t: %s", name, u.Verdict, u.Precise, u.Text())
		}
		if sentence := u.Sentence(); u.Differs() && strings.Contains(sentence, "more than 5 %") || strings.Contains(sentence, "--time") {
			t.Errorf("%s: the interval does not say: %s", name, sentence)
		}
		if u.Target != target("sanic", "latest") || u.Before != "21.12.1" || u.After != "22.12.0" {
			t.Errorf("%s: %v from %s to %s", name, u.Target, u.Before, u.After)
		}
		if !strings.Contains(u.Text(), "multidict 5.2.0 → –, sanic 21.12.1 → 22.12.0, sanic-routing – → 22.8.0") {
			t.Errorf("%s: the packages are not in %s", name, u.Text())
		}
	}
}

func TestUpgradeTellsWhoIsResponsible(t *testing.T) {
	c, ms := upgraded(0.8, 40)
	u := report.NewUpgrade(c, ms, upgradeThreshold)
	for _, test := range []struct {
		packages []string
		searched bool
		want     string
	}{
		{nil, true, "–"},
		{[]string{"sanic"}, true, "sanic"},
		{[]string{"multidict", "sanic"}, true, "responsible together: multidict, sanic"},
		{[]string{"multidict", "sanic"}, false, "among multidict, sanic"},
	} {
		u.Responsible, u.Searched = test.packages, test.searched
		row := report.UpgradeTable([]report.Upgrade{u}, time.Now()).Rows[0]
		if row[0] != "sanic@latest" || row[4] != "slower" || row[5] != test.want {
			t.Errorf("row is %q, want responsible %q", row, test.want)
		}
		if len(test.packages) > 0 && !strings.Contains(u.Text(), "; responsible") {
			t.Errorf("text is %s", u.Text())
		}
	}
}

// A difference is told until somebody accepts it, and for two weeks at the most;
// where there is none, nothing is.
func TestLifeOfAnUpgrade(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	soon, late := at.Add(13*24*time.Hour), at.Add(15*24*time.Hour)
	for name, test := range map[string]struct {
		times    float64
		accepted *report.Acceptance
		now      time.Time
		active   bool
		ended    string
	}{
		"slower":           {0.8, nil, soon, true, ""},
		"faster":           {1.2, nil, soon, true, ""},
		"old":              {0.8, nil, late, false, "expired 2026-11-15 12:00 UTC"},
		"accepted":         {0.8, &report.Acceptance{At: at, Note: "TLS"}, soon, false, "accepted 2026-11-01 12:00 UTC: TLS"},
		"no difference":    {1, nil, soon, false, ""},
		"old and the same": {1, nil, late, false, ""},
	} {
		c, ms := upgraded(test.times, 60)
		c.Finished = at
		u := report.NewUpgrade(c, ms, upgradeThreshold)
		u.Accepted = test.accepted
		if got := u.Active(test.now); got != test.active {
			t.Errorf("%s: active %t", name, got)
		}
		if got := u.Ended(test.now); got != test.ended {
			t.Errorf("%s: ended %q, want %q", name, got, test.ended)
		}
		notes := strings.Join(report.UpgradeTable([]report.Upgrade{u}, test.now).Notes, "\n")
		if test.ended != "" && !strings.Contains(notes, "sanic@latest: "+test.ended) {
			t.Errorf("%s: the table says %q", name, notes)
		}
	}
}

// Releases of a target whose requests do not tell of its code are judged by its processor
// time, which the new ones need times as much of.
func TestUpgradeIsJudgedByTheSignal(t *testing.T) {
	for name, test := range map[string]struct {
		times float64
		want  stats.Verdict
		says  string
	}{
		"dearer":  {1.25, stats.Slower, "slower, 0.800 times the requests per second of processor time of before"},
		"cheaper": {0.8, stats.Faster, "faster, 1.250 times"},
		"same":    {1, stats.Same, "no difference"},
	} {
		c, ms := upgraded(1, 60)
		for i := range c.Participants {
			c.Participants[i].Signal = bench.SignalServerCPU
		}
		for i := range ms {
			ms[i].Server.CPU = time.Duration(float64(ms[i].Load.Requests) * 1e6)
			if ms[i].Target.Edition == bench.EditionLatest {
				ms[i].Server.CPU = time.Duration(float64(ms[i].Server.CPU) * test.times)
			}
		}
		u := report.NewUpgrade(c, ms, upgradeThreshold)
		if u.Verdict != test.want || !strings.Contains(u.Text(), test.says) || !u.Precise {
			t.Errorf("%s: %s: %s", name, u.Verdict, u.Text())
		}
		if u.Differs() && !strings.Contains(u.Sentence(), "processor time for a request") {
			t.Errorf("%s: %s", name, u.Sentence())
		}
		if notes := report.UpgradeTable([]report.Upgrade{u}, time.Now()).Notes; !strings.Contains(strings.Join(notes, " "), "of the requests per second of processor time") {
			t.Errorf("%s: notes %q", name, notes)
		}
		if !report.EnoughToCompare(c, ms) {
			t.Errorf("%s: the ratio is known, but not enough", name)
		}
	}
}

// A server that is compared with another one is judged by what both have: requests.
func TestDifferentSignalsAreComparedByRequests(t *testing.T) {
	c, ms := versus(1.7, 40)
	c.Participants[1].Signal = bench.SignalServerCPU
	if r := report.NewComparison(c, ms, 0.02); r.Signal != bench.SignalRequests || r.Verdict != stats.Faster {
		t.Errorf("%s by %s", r.Verdict, r.Signal)
	}
}

package report_test

import (
	"slices"
	"strings"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// adaptive is a campaign of n rounds in which a is about twice as fast as b, and
// each start has its own deviation.
func adaptive(rounds int, deviation, noise float64) (bench.Campaign, []bench.Measurement) {
	c := bench.Campaign{Protocol: bench.Adaptive(), Rounds: rounds, State: bench.StateRunning}
	var ms []bench.Measurement
	for _, name := range []string{"a", "b"} {
		c.Participants = append(c.Participants, bench.Participant{Target: target(name, "current")})
	}
	for round := 1; round <= rounds; round++ {
		start, sign := float64(c.Protocol.Start(round)%3-1), float64(round%2*2-1)
		ms = append(ms, measured(target("a", "current"), round, 2000*(1+deviation*start+noise*sign)), measured(target("b", "current"), round, 1000))
	}
	return c, ms
}

func TestEnough(t *testing.T) {
	for _, c := range []struct {
		name             string
		rounds           int
		deviation, noise float64
		want             bool
	}{
		{"steady", 16, 0.001, 0.001, true},
		{"too few starts", 14, 0.001, 0.001, false},
		{"in the middle of a start", 17, 0.001, 0.001, false},
		{"starts differ", 16, 0.2, 0, false},
		{"starts differ, for long", 80, 0.05, 0, true},
	} {
		campaign, ms := adaptive(c.rounds, c.deviation, c.noise)
		if got := report.Enough(campaign, ms); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// A server of the user's own has a ratio to the base of today's releases, so the
// campaign goes on until that is known as well.
func TestEnoughKnowsTheRatiosOfOwnTargets(t *testing.T) {
	own := target("shop", bench.EditionOwn)
	for deviation, want := range map[float64]bool{0.001: true, 0.2: false} {
		campaign, ms := adaptive(16, 0.001, 0.001)
		campaign.Participants = append(campaign.Participants, bench.Participant{Target: own})
		for round := 1; round <= 16; round++ {
			ms = append(ms, measured(own, round, 1500*(1+deviation*float64(campaign.Protocol.Start(round)%3-1))))
		}
		if got := report.Enough(campaign, ms); got != want {
			t.Errorf("starts of the own target differ by %g: %v, want %v", deviation, got, want)
		}
		if p := report.PrecisionWithin(campaign, ms, 0); p.Rates.Ratios != 2 {
			t.Errorf("%d ratios, want 2", p.Rates.Ratios)
		}
	}
}

// A target that drops out does not hold the others up, whose ratios are known; one
// that is still measured does.
func TestEnoughGoesOnWithoutATargetThatDroppedOut(t *testing.T) {
	dropped := target("c", "current")
	for _, test := range []struct {
		name                  string
		restart, rounds, last int
		want                  bool
	}{
		{"after two starts", 2, 16, 4, true},
		{"before the newest three starts", 2, 16, 10, true},
		{"in the newest start alone", 2, 16, 14, false},
		{"in the newest two starts of four rounds", 4, 32, 24, true},
		{"in the newest start of four rounds alone", 4, 32, 28, false},
		{"servers are not restarted", 0, 16, 10, true},
		{"servers are not restarted, in the newest rounds alone", 0, 16, 14, false},
	} {
		campaign, ms := adaptive(test.rounds, 0.001, 0.001)
		campaign.Protocol.Restart = test.restart
		campaign.Participants = append(campaign.Participants, bench.Participant{Target: dropped})
		for round := 1; round <= test.last; round++ {
			ms = append(ms, measured(dropped, round, 3000*(1+0.3*float64((round-1)/4%2))))
		}
		if got := report.Enough(campaign, ms); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// One bad start of a base is no reason to end with what is known of another edition.
func TestEnoughWaitsForABaseThatComesBack(t *testing.T) {
	for last, want := range map[int]bool{14: false, 10: true} {
		campaign, ms := adaptive(16, 0.001, 0.001)
		slow, quick := target("c", "2020"), target("d", "2020")
		campaign.Participants = append(campaign.Participants, bench.Participant{Target: slow}, bench.Participant{Target: quick})
		for round := 1; round <= 16; round++ {
			if round <= last {
				ms = append(ms, measured(slow, round, 500*(1+0.3*float64((round-1)/2%2))))
			}
			ms = append(ms, measured(quick, round, 3000))
		}
		if got := report.Enough(campaign, ms); got != want {
			t.Errorf("base of one edition measured up to round %d of 16: %v, want %v", last, got, want)
		}
	}
}

// Who is faster, or by how much, changes nothing about when a campaign ends.
func TestEnoughDoesNotLookAtDifferences(t *testing.T) {
	campaign, ms := adaptive(16, 0.01, 0.001)
	if !report.Enough(campaign, ms) {
		t.Fatal("a steady campaign has not enough")
	}
	for i := range ms {
		if ms[i].Target.Framework == "a" {
			ms[i].Load.Requests *= 10
		}
	}
	if !report.Enough(campaign, ms) {
		t.Error("not enough, where a smaller difference with the same spread was")
	}
}

func TestIntervalsRestOnStarts(t *testing.T) {
	campaign, ms := adaptive(12, 0.1, 0)
	r := report.New(campaign, ms)
	row := r.Results[0]
	if row.Starts != 6 || row.BetweenStarts == nil || row.WithinStarts == nil {
		t.Fatalf("%+v", row)
	}
	if *row.BetweenStarts < 150 || *row.WithinStarts > 1 {
		t.Errorf("between starts %.0f, within %.0f; all of the spread lies between", *row.BetweenStarts, *row.WithinStarts)
	}
	campaign.Protocol.Restart = 0
	narrower := report.New(campaign, ms).Results[0].RelativeCI95
	if wide := row.RelativeCI95; wide.High()-wide.Low() <= narrower.High()-narrower.Low() {
		t.Errorf("interval over starts %v is not wider than the one over rounds %v", wide, narrower)
	}
}

// An interval over the rounds of one start says nothing about what another start
// would be like, and the table says so wherever it is read.
func TestTablesSayWhatIntervalsRestOn(t *testing.T) {
	const once = "Servers were started once: the intervals are those of that start."
	for _, test := range []struct {
		name              string
		restart, rounds   int
		help, note, never string
	}{
		{"classic", 0, 10, "over the rounds of one start", once, "started anew"},
		{"one round has no interval", 0, 1, "over the rounds of one start", "", once},
		{"adaptive", 2, 10, "over the starts", "Servers were started anew between the rounds", once},
	} {
		campaign, ms := adaptive(test.rounds, 0.01, 0.01)
		campaign.Protocol.Restart = test.restart
		rates := report.Tables(report.New(campaign, ms))[0]
		i := slices.IndexFunc(rates.Columns, func(c report.Column) bool { return c.Name == "95 % interval" })
		if help := rates.Columns[i].Help; !strings.Contains(help, test.help) {
			t.Errorf("%s: the help is %q", test.name, help)
		}
		if notes := strings.Join(rates.Notes, "\n"); !strings.Contains(notes, test.note) || strings.Contains(notes, test.never) {
			t.Errorf("%s: the notes are %q", test.name, notes)
		}
	}
}

func TestControlsAreNeverRanked(t *testing.T) {
	campaign, ms := adaptive(12, 0.001, 0.001)
	slow := bench.ControlTarget(bench.ControlWSGI)
	campaign.Participants = append(campaign.Participants, bench.Participant{Target: slow})
	for round := 1; round <= 12; round++ {
		m := measured(slow, round, 10)
		ms = append(ms, m)
	}
	r := report.New(campaign, ms)
	if len(r.Results) != 2 || len(r.Controls) != 1 || r.Controls[0].Target != slow {
		t.Fatalf("results %+v, controls %+v", r.Results, r.Controls)
	}
	if r.Controls[0].Relative != nil || r.Controls[0].Base != nil || *r.Results[0].Base != "b" || len(r.Bases()) != 1 {
		t.Errorf("a control takes part in the ranking: %+v, bases %v", r.Controls[0], r.Bases())
	}
	tables := report.Tables(r)
	if last := tables[len(tables)-1]; len(last.Rows) != 1 || last.Rows[0][0] != bench.ControlWSGI {
		t.Errorf("the last table is %+v, want the controls", last)
	}
}

func TestHostIndex(t *testing.T) {
	rates := func(a, b, control float64, version string) report.Rates {
		return report.Rates{target("a", "current"): {"1", a}, target("b", "current"): {version, b}, bench.ControlTarget("go"): {"", control}, bench.ControlTarget("wsgi"): {"", control}}
	}
	before := []report.Rates{rates(100, 50, 10, "1"), rates(100, 50, 10, "1"), rates(100, 50, 10, "1")}
	index := report.HostIndex(before, rates(80, 40, 8, "1"))
	if index == nil || *index < 0.799 || *index > 0.801 {
		t.Errorf("a machine at 80 %%: %v", index)
	}
	// b was upgraded: it tells nothing about the machine, nor does a alone.
	if index := report.HostIndex(before, rates(80, 5, 10, "2")); index == nil || *index < 0.999 || *index > 1.001 {
		t.Errorf("an upgrade: %v, want 1", index)
	}
	if index := report.HostIndex(nil, rates(100, 50, 10, "1")); index != nil {
		t.Errorf("without a history: %v", *index)
	}
}

// Another program that asks for an idle limit during a few measurements is not another way
// to measure.
func TestHostIndexTakesWhatWasCommonest(t *testing.T) {
	rates := func(limits ...string) report.Rates {
		c := bench.Campaign{Protocol: bench.Classic(), Rounds: len(limits)}
		var ms []bench.Measurement
		for _, name := range []string{"a", "b", "c", "d"} {
			c.Participants = append(c.Participants, bench.Participant{Target: target(name, "current")})
			for i, limit := range limits {
				m := measured(target(name, "current"), i+1, 1000)
				m.Conditions.IdleLimit = limit
				ms = append(ms, m)
			}
		}
		return report.NewRates(c, ms)
	}
	before := []report.Rates{rates("", "", ""), rates("", "", ""), rates("", "", "")}
	for _, test := range []struct {
		limits []string
		same   bool
	}{
		{[]string{"", "", "POLL"}, true}, {[]string{"POLL", "", ""}, true}, {[]string{"", "POLL"}, true},
		{[]string{"", "POLL", "POLL"}, false}, {[]string{"POLL", ""}, false},
	} {
		if index := report.HostIndex(before, rates(test.limits...)); (index != nil) != test.same {
			t.Errorf("%q: %v, want one: %t", test.limits, index, test.same)
		}
	}
}

// What limits idle states or pins processors is not the machine that got faster.
func TestHostIndexKeepsApartHowItWasMeasured(t *testing.T) {
	rates := func(speed float64, change func(*bench.Measurement, *bench.Versions)) report.Rates {
		c := bench.Campaign{Protocol: bench.Classic(), Rounds: 1}
		var ms []bench.Measurement
		for _, name := range []string{"a", "b", "c", "d"} {
			p := bench.Participant{Target: target(name, "current"), Versions: bench.Versions{Packages: map[string]string{"x": "1"}}}
			m := measured(p.Target, 1, 1000*speed)
			change(&m, &p.Versions)
			c.Participants, ms = append(c.Participants, p), append(ms, m)
		}
		return report.NewRates(c, ms)
	}
	same := func(*bench.Measurement, *bench.Versions) {}
	before := []report.Rates{rates(1, same), rates(1, same), rates(1, same)}
	if index := report.HostIndex(before, rates(1.28, same)); index == nil || *index < 1.27 {
		t.Errorf("a faster machine: %v", index)
	}
	for name, change := range map[string]func(*bench.Measurement, *bench.Versions){
		"pinning":    func(m *bench.Measurement, _ *bench.Versions) { m.Conditions.Pinning = "server 0 client 1" },
		"idle limit": func(m *bench.Measurement, _ *bench.Versions) { m.Conditions.IdleLimit = "POLL" },
		"engine":     func(m *bench.Measurement, _ *bench.Versions) { m.Load.Engine = "native 9" },
		"packages":   func(_ *bench.Measurement, v *bench.Versions) { v.Packages = map[string]string{"x": "2"} },
	} {
		if index := report.HostIndex(before, rates(1.28, change)); index != nil {
			t.Errorf("other %s: %v, want none", name, *index)
		}
	}
}

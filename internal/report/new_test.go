package report_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// row finds a target's row, or nil.
func row(r report.Result, name string) *report.Row {
	i := slices.IndexFunc(r.Results, func(row report.Row) bool { return row.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Results[i]
}

func of(ms []bench.Measurement, t bench.Target, change func(*bench.Measurement)) {
	for i := range ms {
		if ms[i].Target == t {
			change(&ms[i])
		}
	}
}

func invalidate(m *bench.Measurement) {
	m.Marks = append(m.Marks, bench.Mark{Kind: bench.MarkInvalid, Reason: bench.ReasonErrors})
}

// three rounds of two frameworks: 100, 110, 120 and 10, 10, 10 requests per
// second.
func small() (bench.Campaign, []bench.Measurement) {
	c := campaign()
	c.Rounds = 3
	var ms []bench.Measurement
	for _, t := range []bench.Target{target("slow", "current"), target("fast", "current")} {
		c.Participants = append(c.Participants, bench.Participant{Target: t})
	}
	for round := 1; round <= 3; round++ {
		ms = append(ms, measured(target("slow", "current"), round, 10),
			measured(target("fast", "current"), round, 90+10*float64(round)))
	}
	return c, ms
}

func TestNumbersByHand(t *testing.T) {
	c, ms := small()
	r := report.New(c, ms)
	fast := row(r, "fast@current")
	// Mean (100+110+120)/3 = 110; stddev √((100+0+100)/2) = 10;
	// t(0.975, 2) = 4.302653, margin 4.302653 · 10/√3 = 24.841.
	near(t, "mean", fast.RequestsPerSecond.Mean, 110, 1e-9)
	near(t, "stddev", *fast.RequestsPerSecond.Stddev, 10, 1e-9)
	near(t, "low", fast.RequestsPerSecond.CI95.Low(), 85.159, 1e-3)
	near(t, "high", fast.RequestsPerSecond.CI95.High(), 134.841, 1e-3)
	near(t, "relative", *fast.Relative, 11, 1e-12)
	// Client: 3 · 70 µs · mean rate over 10 s · rate requests: 7 µs a request.
	near(t, "client CPU", *fast.ClientCPUSecondsPerReq, 7e-6, 1e-12)
	// Server: 3 · 9.8 s over 1000 + 1100 + 1200 requests.
	near(t, "server CPU", *fast.ServerCPUSecondsPerReq, 29.4/3300, 1e-12)
	near(t, "memory", float64(*fast.ServerMemoryBytes), 41_300_000, 0)
	if names := []string{r.Results[0].Name, r.Results[1].Name}; names[0] != "fast@current" || names[1] != "slow@current" {
		t.Errorf("order is %v", names)
	}
}

func TestBaseIsExactlyOne(t *testing.T) {
	r := report.New(synthetic("current", "2020"))
	for _, edition := range []string{"current", "2020"} {
		base := row(r, "djangorestframework@"+edition)
		if *base.Relative != 1 || *base.RelativeCI95 != (report.Interval{1, 1}) || *base.Base != "djangorestframework" {
			t.Errorf("%s: %v %v %v", edition, *base.Relative, *base.RelativeCI95, *base.Base)
		}
	}
}

// The order in which measurements arrive must not matter.
func TestOrderOfMeasurementsDoesNotMatter(t *testing.T) {
	c, ms := troubled()
	want := report.New(c, ms)
	shuffled := slices.Clone(ms)
	random := rand.New(rand.NewPCG(3, 4))
	random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if diff := cmp.Diff(want, report.New(c, shuffled)); diff != "" {
		t.Error(diff)
	}
}

func TestRepeatedMeasurementStandsForItsRound(t *testing.T) {
	noisy := []bench.Mark{{Kind: bench.MarkNoisy, Reason: bench.ReasonSteal}}
	for name, test := range map[string]struct {
		first, second []bench.Mark
		mean          float64
		marks         []string
	}{
		"clean after noisy":   {noisy, nil, 210, []string{"repeated: steal in 1 of 3 rounds"}},
		"noisy after noisy":   {noisy, noisy, 210, []string{"noisy: steal in 1 of 3 rounds", "repeated: steal in 1 of 3 rounds"}},
		"invalid after noisy": {noisy, []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonErrors}}, 110, []string{"noisy: steal in 1 of 3 rounds", "repeated: errors in 1 of 3 rounds"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, ms := small()
			of(ms, target("fast", "current"), func(m *bench.Measurement) {
				if m.Round == 3 {
					m.Marks = test.first
				}
			})
			again := measured(target("fast", "current"), 3, 420) // (100+110+420)/3 = 210
			again.Attempt, again.Marks = 1, test.second
			got := row(report.New(c, append(ms, again)), "fast@current")
			near(t, "mean", got.RequestsPerSecond.Mean, test.mean, 1e-9)
			if diff := cmp.Diff(test.marks, got.Marks); diff != "" || got.Rounds != 3 {
				t.Errorf("%d rounds, marks %s", got.Rounds, diff)
			}
		})
	}
}

func TestInvalidAndFailedRoundsAreOutsideOfStatistics(t *testing.T) {
	c, ms := small()
	of(ms, target("fast", "current"), func(m *bench.Measurement) {
		m.Load.Errors = map[bench.ErrorKind]int64{bench.ErrorStatus: 5}
		switch m.Round {
		case 1:
			invalidate(m)
		case 2:
			m.Load, m.Failure = bench.Load{}, &bench.Failure{Stage: bench.StageLoad, Cause: "died"}
		}
	})
	r := report.New(c, ms)
	got := row(r, "fast@current")
	near(t, "mean", got.RequestsPerSecond.Mean, 120, 1e-9)
	if got.Rounds != 1 || got.RequestsPerSecond.Stddev != nil || got.RequestsPerSecond.CI95 != nil || got.RelativeCI95 != nil {
		t.Errorf("spread of one round: %+v", got)
	}
	if got.Errors[bench.ErrorStatus] != 10 {
		t.Errorf("errors are %v, want those of the invalid round too", got.Errors)
	}
	want := []string{"failed: load in 1 of 3 rounds", "invalid: errors in 1 of 3 rounds"}
	if diff := cmp.Diff(want, got.Marks); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]report.FailureRow{{Target: "fast@current", Round: 2, Stage: "load", Cause: "died"}}, r.Failures); diff != "" {
		t.Error(diff)
	}
}

// A round that was tried twice in vain is one lost round, for its last reason.
func TestRoundLostTwiceCountsOnce(t *testing.T) {
	c, ms := small()
	of(ms, target("fast", "current"), func(m *bench.Measurement) {
		if m.Round == 2 {
			invalidate(m)
		}
	})
	again := bench.Measurement{Round: 2, Attempt: 1, Target: target("fast", "current"), Failure: &bench.Failure{Stage: bench.StageLoad, Cause: "died"}}
	got := row(report.New(c, append(ms, again)), "fast@current")
	if diff := cmp.Diff([]string{"failed: load in 1 of 3 rounds"}, got.Marks); diff != "" {
		t.Error(diff)
	}
}

func TestFailedVerifyAfterTheRoundsIsShown(t *testing.T) {
	c, ms := small()
	ms = append(ms, bench.Measurement{Target: target("fast", "current"), Failure: &bench.Failure{Stage: bench.StageVerify, Cause: "status 500"}})
	got := row(report.New(c, ms), "fast@current")
	if diff := cmp.Diff([]string{"failed: verify"}, got.Marks); diff != "" || got.Rounds != 3 {
		t.Error(got.Rounds, diff)
	}
}

func TestIncompleteRoundIsLeftOut(t *testing.T) {
	c, ms := small()
	c.Rounds, c.State = 2, bench.StateStopped
	r := report.New(c, ms)
	near(t, "mean", row(r, "fast@current").RequestsPerSecond.Mean, 105, 1e-9)
	if diff := cmp.Diff([]string{"2 measurements of an incomplete round left out"}, r.Notes); diff != "" {
		t.Error(diff)
	}
	c.Rounds = 0
	r = report.New(c, ms[:1]) // only the slow one so far, and the fast one may be slower
	got := row(r, "slow@current")
	if got == nil || got.Relative != nil || got.Base != nil {
		t.Errorf("before the first complete round: %+v", got)
	}
}

func TestTargetWithoutResultIsNamed(t *testing.T) {
	c, ms := small()
	of(ms, target("fast", "current"), invalidate)
	r := report.New(c, ms)
	if row(r, "fast@current") != nil {
		t.Error("a target without a valid round has a row")
	}
	if len(r.Missing) != 1 || r.Missing[0].Target != "fast@current" || r.Missing[0].Reasons[0] != "invalid: errors in 3 of 3 rounds" {
		t.Errorf("missing is %+v", r.Missing)
	}
}

func TestJSONHasNoNullCollections(t *testing.T) {
	c := bench.Campaign{Protocol: bench.Classic(), State: bench.StateRunning}
	for name, ms := range map[string][]bench.Measurement{
		"nothing": nil, "one": {measured(target("flask", "current"), 1, 100)},
	} {
		var out bytes.Buffer
		if err := report.WriteJSON(&out, report.New(c, ms)); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"results", "failures", "missing", "notes", "engines", "pinning", "marks", "errors", "latency_seconds"} {
			if strings.Contains(out.String(), `"`+key+`": null`) {
				t.Errorf("%s: %s is null", name, key)
			}
		}
		if !json.Valid(out.Bytes()) {
			t.Errorf("%s: not JSON", name)
		}
	}
}

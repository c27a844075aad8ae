package change_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/stats"
)

const size = 11

func target(i int) bench.Target {
	return bench.Target{Framework: fmt.Sprintf("f%02d", i), Edition: "current", Serving: "documented", Workload: "hello"}
}

func start() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// history is n campaigns, one every three hours, of a field that scatters by 1 %
// on a host that moves by 3 %; disturb may alter each.
func history(n int, disturb func(campaign int, c change.Campaign)) []change.Campaign {
	return historyOf(15, n, disturb)
}

func historyOf(seed uint64, n int, disturb func(campaign int, c change.Campaign)) (all []change.Campaign) {
	random := rand.New(rand.NewPCG(seed, 20200810))
	for campaign := range n {
		c := change.Campaign{
			ID: int64(100 + campaign), At: start().Add(time.Duration(campaign) * 3 * time.Hour), Machine: "a machine",
			Rates: map[bench.Target]float64{}, Costs: map[bench.Target]float64{}, Versions: map[bench.Target]bench.Versions{},
		}
		host := math.Exp(0.03 * random.NormFloat64())
		for i := range size {
			c.Rates[target(i)] = 1000 * float64(i+1) * host * math.Exp(0.01*random.NormFloat64())
			c.Versions[target(i)] = bench.Versions{Framework: "1.0", Python: "3.13.0"}
		}
		disturb(campaign, c)
		all = append(all, c)
	}
	return all
}

func slower(c change.Campaign, i int, factor float64) { c.Rates[target(i)] *= factor }

func only(t *testing.T, h change.History) change.Change {
	t.Helper()
	if len(h.Changes) != 1 {
		t.Fatalf("changes are %+v, want one", h.Changes)
	}
	return h.Changes[0]
}

func replay(campaigns []change.Campaign, accepted ...change.Acceptance) change.History {
	return change.Replay(campaigns, accepted)
}

func TestAnUpgradeThatIsSlowerIsNamedWithItsVersions(t *testing.T) {
	c := only(t, replay(history(60, func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			slower(c, 4, 0.9)
			c.Versions[target(4)] = bench.Versions{Framework: "1.1", Python: "3.13.0"}
		}
	})))
	if c.ID != "131-f04@current" || c.Scope != change.ScopeFramework || c.Direction != stats.BecameSlower || c.Target != target(4) {
		t.Errorf("%+v", c)
	}
	if c.Onset.Campaign != 130 || c.Reported.Campaign != 131 || c.Before.Framework != "1.0" || c.After.Framework != "1.1" {
		t.Errorf("%+v", c)
	}
	if math.Abs(*c.Effect+0.1) > 0.02 || c.CI95.Low > *c.Effect || c.CI95.High < *c.Effect {
		t.Errorf("effect %v, interval %+v", *c.Effect, c.CI95)
	}
	// Nobody did anything about it: it holds for 14 days, whatever the baseline says.
	if c.End.Reason != change.Expired || !c.Active(c.Reported.At.Add(13*24*time.Hour)) || c.Active(c.Reported.At.Add(14*24*time.Hour)) {
		t.Errorf("end %+v", c.End)
	}
}

func TestAChangeEndsWhenItReturns(t *testing.T) {
	for _, last := range []int{34, 50} {
		campaigns := history(80, func(campaign int, c change.Campaign) {
			if campaign >= 30 && campaign < last {
				slower(c, 4, 0.88)
			}
		})
		c := only(t, replay(campaigns))
		if c.End.Reason != change.Returned || c.End.At.Before(campaigns[last+1].At) || c.End.At.After(campaigns[last+3].At) {
			t.Errorf("undone at %v: end %+v", campaigns[last].At, c.End)
		}
	}
}

// What undoes two losses at once is no gain, in whatever order they are looked at.
func TestTwoLossesThatReturnTogether(t *testing.T) {
	campaigns := history(80, func(campaign int, c change.Campaign) {
		switch {
		case campaign < 30 || campaign >= 60:
		case campaign < 45:
			slower(c, 4, 0.88)
		default:
			slower(c, 4, 0.88*0.88)
		}
	})
	for range 20 {
		h := replay(campaigns)
		if len(h.Changes) != 2 || h.Changes[0].End.Reason != change.Returned || h.Changes[1].End.Reason != change.Returned {
			t.Fatalf("%+v", h.Changes)
		}
	}
}

func TestAChangeThatOvershootsIsAnother(t *testing.T) {
	h := replay(history(80, func(campaign int, c change.Campaign) {
		switch {
		case campaign >= 50:
			slower(c, 4, 1.2)
		case campaign >= 30:
			slower(c, 4, 0.9)
		}
	}))
	if len(h.Changes) != 2 || h.Changes[0].End.Reason != change.Returned || h.Changes[1].Direction != stats.BecameFaster {
		t.Errorf("%+v", h.Changes)
	}
}

func TestAChangeEndsWithOtherVersions(t *testing.T) {
	campaigns := history(60, func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			slower(c, 4, 0.9)
		}
		if campaign >= 40 {
			c.Versions[target(4)] = bench.Versions{Framework: "1.0", Python: "3.13.0", Packages: map[string]string{"h11": "2"}}
		}
	})
	c := only(t, replay(campaigns))
	if c.End.Reason != change.Upgraded || !c.End.At.Equal(campaigns[40].At) {
		t.Errorf("end %+v", c.End)
	}
}

func TestAcceptedByName(t *testing.T) {
	campaigns := history(60, func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			slower(c, 4, 0.9)
		}
	})
	at := campaigns[35].At
	h := replay(campaigns, change.Acceptance{ID: "131-f04@current", At: at, Note: "TLS is worth it"}, change.Acceptance{ID: "1-other", At: at})
	if diff := cmp.Diff(&change.End{Reason: change.Accepted, At: at, Note: "TLS is worth it"}, only(t, h).End); diff != "" {
		t.Error(diff)
	}
	if len(h.Current(at.Add(-time.Minute))) != 1 || len(h.Current(at)) != 0 {
		t.Error("accepted at that moment, and not before")
	}
}

func TestAnInterpreterOfTheFieldIsOneEventAndThatOfOneIsItsOwn(t *testing.T) {
	newer := bench.Versions{Framework: "1.0", Python: "3.14.0"}
	all := only(t, replay(history(60, func(campaign int, c change.Campaign) {
		for i := range size {
			if campaign >= 30 {
				slower(c, i, 1.1+0.01*float64(i))
				c.Versions[target(i)] = newer
			}
		}
		if campaign == 20 { // nothing could be told about what ran
			clear(c.Versions)
		}
	})))
	if all.Scope != change.ScopeInterpreter || all.Onset.Campaign != 130 || all.ID != "130-environment@current" {
		t.Errorf("%+v", all)
	}
	one := only(t, replay(history(60, func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			slower(c, 0, 0.9)
			c.Versions[target(0)] = newer
		}
	})))
	if one.Scope != change.ScopeInterpreter || one.After.Python != "3.14.0" {
		t.Errorf("%+v", one)
	}
}

// An identity that is in somebody's alert must not change with the next campaign.
func TestReplayOfLessIsThePast(t *testing.T) {
	campaigns := history(60, func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			slower(c, 4, 0.95)
		}
		if campaign >= 40 {
			slower(c, 7, 1.08)
		}
	})
	var known []string
	for n := range len(campaigns) {
		var ids []string
		for _, c := range replay(campaigns[:n+1]).Changes {
			ids = append(ids, c.ID)
		}
		if len(ids) < len(known) || !slices.Equal(known, ids[:len(known)]) {
			t.Fatalf("after %d campaigns: %v, before: %v", n+1, ids, known)
		}
		known = ids
	}
	if len(known) != 2 {
		t.Errorf("changes are %v, want two", known)
	}
}

func TestSightOfEachTarget(t *testing.T) {
	h := replay(history(30, func(int, change.Campaign) {}))
	if len(h.Targets) != size || h.Targets[3].Target != target(3) || h.Targets[3].Learning {
		t.Fatalf("%+v", h.Targets)
	}
	d := h.Targets[3].Detectable
	if !(d[2] > d[3] && d[3] > d[10] && d[10] >= 0.02) {
		t.Errorf("detectable: %v", d)
	}
}

func TestSuspiciousIsTheLastCampaignOnly(t *testing.T) {
	bad := func(at int) func(int, change.Campaign) {
		return func(campaign int, c change.Campaign) {
			if campaign == at {
				slower(c, 2, 0.85)
			}
		}
	}
	if got := replay(history(30, bad(29))).Suspicious; len(got) != 1 || got[0] != target(2) {
		t.Errorf("suspicious: %v", got)
	}
	if got := replay(history(30, bad(28))).Suspicious; len(got) != 0 {
		t.Errorf("suspicious: %v", got)
	}
	// What is not measured any more stays as it was, and is nobody's suspicion.
	gone := history(30, bad(28))
	clear(gone[29].Rates)
	if got := replay(gone).Suspicious; len(got) != 0 {
		t.Errorf("suspicious: %v", got)
	}
}

// Who was suspicious when is known later, too.
func TestDoubtsOfEachCampaign(t *testing.T) {
	campaigns := history(30, func(campaign int, c change.Campaign) {
		if campaign == 20 || campaign == 29 {
			slower(c, 2, 0.85)
		}
	})
	for i := range campaigns {
		campaigns[i].Kind = bench.KindScheduled
	}
	campaigns[21].Kind = bench.KindConfirm
	doubts := replay(campaigns).Doubts
	if len(doubts) != 30 {
		t.Fatalf("%d doubts", len(doubts))
	}
	for i, d := range doubts {
		suspicious := len(d.Suspicious) == 1 && d.Suspicious[0] == target(2)
		if suspicious != (i == 20 || i == 29) || (d.Kind == bench.KindConfirm) != (i == 21) || d.Campaign != campaigns[i].ID || !d.At.Equal(campaigns[i].At) {
			t.Errorf("campaign %d: %+v", i, d)
		}
	}
}

func measurement(round int, requests int64, errors int64) bench.Measurement {
	return bench.Measurement{
		Round: round, Target: target(0), Server: bench.Usage{CPU: time.Second},
		Load: bench.Load{Engine: "native 1", Requests: requests, Duration: time.Second, Errors: map[bench.ErrorKind]int64{bench.ErrorRead: errors}},
	}
}

func TestFromMeasurementsTakesTheMedianOfValidRounds(t *testing.T) {
	campaign := bench.Campaign{ID: 7, Kind: bench.KindScheduled, State: bench.StateFinished, Finished: start(),
		Machine: bench.Machine{CPU: "Z80", Cores: 1}, Participants: []bench.Participant{{Target: target(0), Signal: bench.SignalServerCPU, Versions: bench.Versions{Framework: "2"}}}}
	var all []bench.Measurement
	for round, requests := range []int64{100, 110, 120, 130, 140, 9000} {
		all = append(all, measurement(round+1, requests, 1)) // few errors do not matter
	}
	all[5].Marks = []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonErrors}}
	all = append(all, measurement(0, 1, 0)) // outside the rounds
	got, ok := change.FromMeasurements(campaign, all)
	if !ok || got.ID != 7 || got.Kind != bench.KindScheduled || got.Rates[target(0)] != 120 || got.Versions[target(0)].Framework != "2" {
		t.Errorf("%v %+v", ok, got)
	}
	if !strings.Contains(got.Machine, "Z80") || !strings.Contains(got.Protocol, "native 1") {
		t.Errorf("machine %q, protocol %q", got.Machine, got.Protocol)
	}
	if math.Abs(got.Costs[target(0)]-1.0/120) > 1e-12 || got.Signals[target(0)] != bench.SignalServerCPU {
		t.Errorf("costs %v, signals %v", got.Costs, got.Signals)
	}
	if few, _ := change.FromMeasurements(campaign, all[1:]); len(few.Rates) != 0 {
		t.Errorf("four rounds are enough: %v", few.Rates)
	}
	campaign.State = bench.StateStopped
	if _, ok := change.FromMeasurements(campaign, all); ok {
		t.Error("a campaign that was stopped is judged")
	}
	campaign.State, campaign.Kind = bench.StateFinished, bench.KindCompare
	if _, ok := change.FromMeasurements(campaign, all); ok {
		t.Error("a comparison is judged")
	}
}

// Numbers of a machine whose processors stay awake, or are divided, are not those of
// one where they are not.
func TestFromMeasurementsKeepsApartWhatWasMeasuredOtherwise(t *testing.T) {
	campaign := bench.Campaign{Kind: bench.KindScheduled, State: bench.StateFinished, Finished: start()}
	protocol := func(c bench.Conditions) string {
		m := measurement(1, 100, 0)
		m.Conditions = c
		seen, _ := change.FromMeasurements(campaign, []bench.Measurement{m})
		return seen.Protocol
	}
	plain := protocol(bench.Conditions{Pinning: bench.PinningNone})
	for name, c := range map[string]struct {
		conditions bench.Conditions
		same       bool
	}{
		"nothing said": {bench.Conditions{}, true},
		"pinned":       {bench.Conditions{Pinning: "server 0 client 1"}, false},
		"awake":        {bench.Conditions{Pinning: bench.PinningNone, IdleLimit: "POLL"}, false},
	} {
		if got := protocol(c.conditions); (got == plain) != c.same {
			t.Errorf("%s: %q beside %q", name, got, plain)
		}
	}
}

// The idle limit is the machine's: another program that asks for one meanwhile is no other
// protocol.
func TestWhatMostMeasurementsWereMadeWithCounts(t *testing.T) {
	campaign := bench.Campaign{Kind: bench.KindScheduled, State: bench.StateFinished, Finished: start()}
	protocol := func(limits ...string) string {
		var all []bench.Measurement
		for round, limit := range limits {
			m := measurement(round+1, 100, 0)
			m.Conditions.IdleLimit = limit
			all = append(all, m)
		}
		seen, _ := change.FromMeasurements(campaign, all)
		return seen.Protocol
	}
	if a, b := protocol("C1", "C1", "C1"), protocol("POLL", "C1", "C1"); a != b {
		t.Errorf("%q, and with one measurement of another kind %q", a, b)
	}
	if a, b := protocol("C1", "C1", "C1"), protocol("POLL", "POLL", "C1"); a == b {
		t.Errorf("%q, whatever most were made with", a)
	}
}

// Of a field of which too few are measured nothing is promised; what remains of it
// learns anew, and what is gone is not promised either.
func TestSightOfAFieldThatShrank(t *testing.T) {
	for n, want := range map[int]int{41: size, 45: 0, 80: 3} {
		h := replay(history(n, func(campaign int, c change.Campaign) {
			for i := 3; i < size && campaign >= 40; i++ {
				delete(c.Rates, target(i))
			}
		}))
		promised := 0
		for _, s := range h.Targets {
			if len(s.Detectable) > 0 && !s.Learning {
				promised++
			}
		}
		if promised != want {
			t.Errorf("after %d campaigns something is promised of %d targets, want %d", n-40, promised, want)
		}
	}
}

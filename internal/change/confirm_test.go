package change_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/stats"
)

// costly is history with processor time per request that scatters by 0.7 %, on a host
// that takes 5 % more or less of it; disturb may alter it as well.
func costly(n int, disturb func(campaign int, c change.Campaign)) []change.Campaign {
	random := rand.New(rand.NewPCG(17, 20200810))
	return history(n, func(campaign int, c change.Campaign) {
		host := math.Exp(0.05 * random.NormFloat64())
		for i := range size {
			c.Costs[target(i)] = 1e-4 * float64(i+1) * host * math.Exp(0.007*random.NormFloat64())
		}
		disturb(campaign, c)
	})
}

// changed lets target 4 answer factor times the requests from campaign 30 on, for cost
// times the processor time each.
func changed(factor, cost float64) func(campaign int, c change.Campaign) {
	return func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			slower(c, 4, factor)
			c.Costs[target(4)] *= cost
		}
	}
}

// Processor time that rises as the requests fall is the code's; requests that take
// longer without it wait for something; and where it is not known well, nothing is said.
func TestProcessorTimeQualifiesAChange(t *testing.T) {
	tests := map[string]struct {
		factor float64
		spoil  func(campaign int, c change.Campaign)
		cost   float64
		want   change.Confirmation
		size   bool // of the cost is known
	}{
		"slower, more of it":        {factor: 0.9, cost: 1 / 0.9, want: change.Confirmed, size: true},
		"slower, some more":         {factor: 0.9, cost: 1.08, want: change.Confirmed, size: true},
		"slower, hardly more":       {factor: 0.9, cost: 1.025, want: change.NotInCPU, size: true},
		"slower, the same":          {factor: 0.9, cost: 1, want: change.NotInCPU, size: true},
		"slower, less of it":        {factor: 0.9, cost: 0.9, want: change.NotInCPU, size: true},
		"faster, less of it":        {factor: 1.15, cost: 1 / 1.15, want: change.Confirmed, size: true},
		"faster, the same":          {factor: 1.15, cost: 1, want: change.NotInCPU, size: true},
		"faster, more of it":        {factor: 1.15, cost: 1.15, want: change.NotInCPU, size: true},
		"slower, who knows":         {factor: 0.9, cost: 1 / 0.9, want: change.Unconfirmed, size: true, spoil: restless},
		"nothing known":             {factor: 0.9, cost: 1, want: change.Unconfirmed, spoil: func(_ int, c change.Campaign) { clear(c.Costs) }},
		"nothing known before":      {factor: 0.9, cost: 1, want: change.Unconfirmed, spoil: knownFrom(27)},
		"known of one campaign":     {factor: 0.9, cost: 1, want: change.Unconfirmed, spoil: knownUntil(30)},
		"known of four campaigns":   {factor: 0.9, cost: 1 / 0.9, want: change.Confirmed, size: true, spoil: knownFrom(26)},
		"known of nobody else":      {factor: 0.7, cost: 1 / 0.7, want: change.Confirmed, size: true, spoil: alone},
		"the host did it as well":   {factor: 0.9, cost: 1, want: change.NotInCPU, size: true, spoil: slowHost},
		"the host did the opposite": {factor: 0.9, cost: 1 / 0.9, want: change.Confirmed, size: true, spoil: quickHost},
	}
	for name, test := range tests {
		c := only(t, replay(costly(60, func(campaign int, c change.Campaign) {
			changed(test.factor, test.cost)(campaign, c)
			if test.spoil != nil {
				test.spoil(campaign, c)
			}
		})))
		if c.Confirmation != test.want || (c.Second != nil) != test.size {
			t.Errorf("%s: %s, processor time %+v", name, c.Confirmation, c.Second)
		}
		if test.want != change.Unconfirmed && (c.Second.CI95.High < test.cost-1 || c.Second.CI95.Low > test.cost-1) {
			t.Errorf("%s: processor time %+v, want %g", name, c.Second, test.cost-1)
		}
	}
}

// restless scatters the processor time of target 4 by a third.
func restless(campaign int, c change.Campaign) {
	c.Costs[target(4)] *= 1 + 0.33*float64((7*campaign)%5-2)/2
}

func knownFrom(first int) func(int, change.Campaign) {
	return func(campaign int, c change.Campaign) {
		if campaign < first {
			delete(c.Costs, target(4))
		}
	}
}

func knownUntil(last int) func(int, change.Campaign) {
	return func(campaign int, c change.Campaign) {
		if campaign > last {
			delete(c.Costs, target(4))
		}
	}
}

func alone(_ int, c change.Campaign) {
	for i := range size {
		if i != 4 {
			delete(c.Costs, target(i))
		}
	}
}

func slowHost(campaign int, c change.Campaign) { hostCosts(campaign, c, 1.2) }

func quickHost(campaign int, c change.Campaign) { hostCosts(campaign, c, 0.8) }

func hostCosts(campaign int, c change.Campaign, factor float64) {
	if campaign >= 30 {
		for i := range size {
			c.Costs[target(i)] *= factor
		}
	}
}

// What the second signal does has no part in what is reported, and when.
func TestProcessorTimeMakesAndEndsNoChange(t *testing.T) {
	unchanged := func(int, change.Campaign) {}
	if h := replay(costly(60, changed(1, 1.5))); len(h.Changes) != 0 || len(h.Suspicious) != 0 {
		t.Errorf("changes of processor time alone: %+v", h)
	}
	want := replay(history(60, changed(0.9, 1)))
	for name, spoil := range map[string]func(int, change.Campaign){"as it is": unchanged, "restless": restless, "slow host": slowHost, "late": knownFrom(40)} {
		got := replay(costly(60, func(campaign int, c change.Campaign) {
			changed(0.9, 1.5)(campaign, c)
			spoil(campaign, c)
		}))
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(change.Change{}, "Second", "Confirmation")); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// What is known of the second signal ends where something else changes.
func TestOnlyTheStretchOfAChangeIsCompared(t *testing.T) {
	back := only(t, replay(costly(80, func(campaign int, c change.Campaign) {
		if campaign < 35 {
			changed(0.85, 1/0.85)(campaign, c)
		}
	})))
	if back.End.Reason != change.Returned || back.Confirmation != change.Confirmed {
		t.Errorf("a change that returned: %s %s, %+v", back.End.Reason, back.Confirmation, back.Second)
	}
	upgraded := only(t, replay(costly(60, func(campaign int, c change.Campaign) {
		changed(0.85, 1/0.85)(campaign, c)
		if campaign >= 33 {
			c.Costs[target(4)] *= 0.85
			c.Versions[target(4)] = bench.Versions{Framework: "1.0", Python: "3.13.0", Packages: map[string]string{"h11": "2"}}
		}
	})))
	if upgraded.End.Reason != change.Upgraded || upgraded.Confirmation != change.Confirmed {
		t.Errorf("a change that ended with an upgrade: %s %s, %+v", upgraded.End.Reason, upgraded.Confirmation, upgraded.Second)
	}
	second := replay(costly(60, func(campaign int, c change.Campaign) {
		if campaign >= 20 {
			slower(c, 4, 1.4)
			c.Costs[target(4)] /= 1.4
		}
		changed(0.9, 1/0.9)(campaign, c)
	}))
	if len(second.Changes) != 2 || second.Changes[0].Confirmation != change.Confirmed || second.Changes[1].Confirmation != change.Confirmed {
		t.Errorf("two changes in a row: %+v", second.Changes)
	}
	machine := costly(60, func(campaign int, c change.Campaign) {
		changed(0.85, 1/0.85)(campaign, c)
		if campaign >= 35 {
			c.Costs[target(4)] *= 0.8 // it suits this target better
		}
	})
	for i := range machine[35:] {
		machine[35+i].Machine = "another"
	}
	if h := replay(machine); len(h.Changes) == 0 || h.Changes[0].Target != target(4) || h.Changes[0].Confirmation != change.Confirmed {
		t.Errorf("another machine later: %+v", h.Changes)
	}
}

// A change of all has no other signal: the field is what it is compared with.
func TestAWholeFieldIsNotConfirmed(t *testing.T) {
	c := only(t, replay(costly(60, func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			for i := range size {
				slower(c, i, 0.7)
			}
		}
	})))
	if !c.Whole() || c.Confirmation != "" || c.Second != nil || c.SecondText() != "" {
		t.Errorf("%+v", c)
	}
}

func TestTextOfAConfirmation(t *testing.T) {
	c := only(t, replay(costly(60, changed(0.9, 1))))
	c.Second.Effect, c.Second.CI95.Low, c.Second.CI95.High = 0.01, -0.005, 0.0251
	if got, want := c.SecondText(), "CPU/req +1.0 % (95 % interval -0.5 % to +2.5 %), not in CPU"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	c.Second, c.Confirmation = nil, change.Unconfirmed
	if got := c.SecondText(); got != "unknown" {
		t.Errorf("%q", got)
	}
}

// simulated is the simulator's field, in which processor time is as restless as the
// requests are, and target 4 becomes slower by share in campaign 20 because it needs so
// much more processor time, or, waiting, none.
func simulated(random *rand.Rand, n int, share float64, waiting bool) (all []change.Campaign) {
	s := stats.Scenario{HeavyTails: true, Dips: true, VM: true}
	rates, costs := stats.NewSimulation(s, random), stats.NewSimulation(s, random)
	for campaign := range n {
		if campaign == 20 {
			rates.Change(4, 1-share)
			if !waiting {
				costs.Change(4, 1/(1-share))
			}
		}
		c := change.Campaign{ID: int64(campaign), At: start().Add(time.Duration(campaign) * time.Hour), Rates: map[bench.Target]float64{}, Costs: map[bench.Target]float64{}}
		rate, cost := rates.Next(), costs.Next()
		for i := range rate {
			c.Rates[target(i)], c.Costs[target(i)] = rate[i], cost[i]
		}
		all = append(all, c)
	}
	return all
}

// confirmations counts what is said of target 4 in the hardest scenario of the published
// figures, with 20 campaigns before the change and since so many from it on; found is
// how often it was reported by then.
func confirmations(trials, since int, share float64, waiting bool) (found int, said map[change.Confirmation]int) {
	random := rand.New(rand.NewPCG(uint64(1000*share), uint64(since)))
	said = map[change.Confirmation]int{}
	for range trials {
		for _, c := range replay(simulated(random, 20+since, share, waiting)).Changes {
			if c.Target == target(4) && c.Onset.Campaign >= 18 && c.Way() == change.Slower {
				found++
				said[c.Confirmation]++
			}
		}
	}
	return found, said
}

func TestConfirmationsAreSeldomWrong(t *testing.T) {
	for waiting, right := range map[bool]change.Confirmation{false: change.Confirmed, true: change.NotInCPU} {
		found, said := confirmations(100, 4, 0.1, waiting)
		if wrong := found - said[right] - said[change.Unconfirmed]; found < 90 || 20*wrong > found || 5*said[right] < 4*found {
			t.Errorf("waiting %t: %v of %d", waiting, said, found)
		}
	}
}

// BenchmarkConfirmations prints the figures of docs/change-detection.md: of the changes
// that were reported, the percentage of each confirmation; one iteration is one change.
func BenchmarkConfirmations(b *testing.B) {
	for _, share := range []float64{0.05, 0.1} {
		for _, waiting := range []bool{false, true} {
			for _, since := range []int{2, 4, 12} {
				b.Run(fmt.Sprintf("%g%%/waiting=%t/%d", 100*share, waiting, since), func(b *testing.B) {
					found, said := confirmations(b.N, since, share, waiting)
					for _, c := range change.Confirmations() {
						b.ReportMetric(100*float64(said[c])/float64(max(1, found)), string(c)+"%")
					}
					b.ReportMetric(float64(found), "changes")
				})
			}
		}
	}
}

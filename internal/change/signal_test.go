package change_test

import (
	"math"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/stats"
)

// stalled is costly with processor time as the signal of target 4, whose requests come
// in steps of a clock, whatever the host and its code do.
func stalled(n int, disturb func(campaign int, c change.Campaign)) []change.Campaign {
	campaigns := costly(n, func(campaign int, c change.Campaign) {
		c.Rates[target(4)] = 430 * (1 + 0.003*float64((7*campaign)%5-2))
		disturb(campaign, c)
	})
	for i := range campaigns {
		campaigns[i].Signals = map[bench.Target]bench.Signal{target(4): bench.SignalServerCPU}
	}
	return campaigns
}

// The code of a server that stalls shows in its processor time and nowhere else.
func TestEachTargetIsJudgedByItsOwnSignal(t *testing.T) {
	c := only(t, replay(stalled(60, changed(1, 1.1))))
	if c.Signal != bench.SignalServerCPU || c.Target != target(4) || c.Direction != stats.BecameSlower || c.Way() != change.Slower || c.Onset.Campaign != 130 {
		t.Errorf("%+v", c)
	}
	if math.Abs(*c.Effect-0.1) > 0.02 || c.CI95.Low > 0.1 || c.CI95.High < 0.1 {
		t.Errorf("effect %v, interval %+v", *c.Effect, c.CI95)
	}
	if c.Confirmation != change.NotInRequests || c.Second == nil {
		t.Errorf("%s, requests %+v", c.Confirmation, c.Second)
	}
	if h := replay(stalled(60, changed(0.8, 1))); len(h.Changes) != 0 {
		t.Errorf("fewer requests of a target that is judged by its processor time: %+v", h.Changes)
	}
	others := only(t, replay(stalled(60, func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			slower(c, 5, 0.9)
			c.Costs[target(6)] *= 1.2
		}
	})))
	if others.Signal != bench.SignalRequests || others.Target != target(5) {
		t.Errorf("beside it: %+v", others)
	}
}

func TestRequestsConfirmProcessorTime(t *testing.T) {
	c := only(t, replay(stalled(60, changed(1/1.1, 1.1))))
	if c.Confirmation != change.Confirmed {
		t.Errorf("%s, requests %+v", c.Confirmation, c.Second)
	}
}

// One movement of the machine is one event, though both signals show it.
func TestTheWholeFieldIsToldOnce(t *testing.T) {
	c := only(t, replay(stalled(60, func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			for i := range size {
				c.Rates[target(i)] *= 0.7
				c.Costs[target(i)] /= 0.7
			}
		}
	})))
	if !c.Whole() || c.Signal != bench.SignalRequests {
		t.Errorf("%+v", c)
	}
}

// A machine that is as it was before ends its event in each signal, and makes no other:
// whichever of the two sees it first.
func TestTheReturnOfAMachineIsNoEvent(t *testing.T) {
	for name, until := range map[string]struct{ rates, costs int }{"together": {50, 50}, "requests later": {52, 50}, "processor time later": {50, 52}} {
		for _, factor := range []float64{1.4, 0.6} {
			h := replay(stalled(80, func(campaign int, c change.Campaign) {
				for i := range size {
					if campaign >= 30 && campaign < until.rates {
						slower(c, i, factor)
					}
					if campaign >= 30 && campaign < until.costs {
						c.Costs[target(i)] /= factor
					}
				}
			}))
			if len(h.Changes) != 1 || h.Changes[0].End.Reason != change.Returned {
				t.Errorf("%s, × %g: %+v", name, factor, h.Changes)
			}
		}
	}
}

// The machine's event is told by what finds it first, and once.
func TestAnEventThatProcessorTimeFindsFirstIsToldOnce(t *testing.T) {
	c := only(t, replay(stalled(60, func(campaign int, c change.Campaign) {
		for i := range size {
			if campaign >= 31 {
				slower(c, i, 0.7)
			}
			if campaign >= 30 {
				c.Costs[target(i)] /= 0.7
			}
		}
	})))
	if !c.Whole() || c.Signal != bench.SignalServerCPU || c.Way() != change.Slower {
		t.Errorf("%+v", c)
	}
}

// What moves a third of the field in processor time, and not in requests, is told by
// somebody: a new baseline must never be all that becomes of it.
func TestAnEventOfProcessorTimeAloneIsTold(t *testing.T) {
	h := replay(stalled(60, func(campaign int, c change.Campaign) {
		if campaign >= 30 {
			for _, i := range []int{1, 4, 7, 9} {
				c.Costs[target(i)] *= 1.12
				if i != 4 {
					slower(c, i, 1/1.12)
				}
			}
		}
	}))
	var whole, single []change.Change
	for _, c := range h.Changes {
		if c.Whole() {
			whole = append(whole, c)
		} else {
			single = append(single, c)
		}
	}
	if len(whole) != 1 || whole[0].Signal != bench.SignalServerCPU || whole[0].Way() != change.Slower || len(single) != 3 {
		t.Errorf("of the field %+v, of targets %+v", whole, single)
	}
}

// Every target has one sight, in the order of their names, and one doubt at most.
func TestSightsAndDoubtsOfBothSignals(t *testing.T) {
	h := replay(stalled(31, func(campaign int, c change.Campaign) {
		if campaign == 30 {
			slower(c, 4, 0.7)
			slower(c, 5, 0.7)
			c.Costs[target(5)] /= 0.7
			c.Costs[target(4)] /= 0.7
		}
	}))
	if len(h.Targets) != size {
		t.Fatalf("sights %+v", h.Targets)
	}
	for i, sight := range h.Targets {
		if sight.Target != target(i) || sight.Learning {
			t.Errorf("sight %d: %+v", i, sight)
		}
	}
	if len(h.Suspicious) != 2 || h.Suspicious[0] == h.Suspicious[1] {
		t.Errorf("suspicious: %v", h.Suspicious)
	}
}

// The way back is found in the signal of the change.
func TestAChangeOfProcessorTimeReturns(t *testing.T) {
	c := only(t, replay(stalled(80, func(campaign int, c change.Campaign) {
		if campaign < 45 {
			changed(1, 1.2)(campaign, c)
		}
	})))
	if c.End.Reason != change.Returned {
		t.Errorf("end %+v", c.End)
	}
}

// A signal that was chosen later holds for the whole history: names of changes do not
// depend on when it was chosen.
func TestTheNewestSignalHolds(t *testing.T) {
	campaigns := stalled(60, changed(1, 1.1))
	for i := range campaigns[:50] {
		campaigns[i].Signals = nil
	}
	if c := only(t, replay(campaigns)); c.ID != only(t, replay(stalled(60, changed(1, 1.1)))).ID {
		t.Errorf("%+v", c)
	}
}

func TestTextOfProcessorTime(t *testing.T) {
	c := only(t, replay(stalled(60, changed(1, 1.1))))
	*c.Effect, c.CI95.Low, c.CI95.High = 0.1, 0.085, 0.1151
	c.Second.Effect, c.Second.CI95.Low, c.Second.CI95.High = 0.001, -0.005, 0.0061
	if got, want := c.Size(), "CPU/req +10.0 % (95 % interval +8.5 % to +11.5 %)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := c.SecondText(), "req/s +0.1 % (95 % interval -0.5 % to +0.6 %), not in requests"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

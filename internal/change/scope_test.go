package change_test

import (
	"math"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
)

// A host that is slow for a while is one event, which ends when it is as before.
func TestASlowHostReturns(t *testing.T) {
	campaigns := history(70, func(campaign int, c change.Campaign) {
		control := bench.ControlTarget(bench.ControlGo)
		c.Rates[control] = 50_000
		if campaign >= 30 && campaign < 50 {
			for i := range size {
				slower(c, i, 0.7)
			}
			c.Rates[control] *= 0.7
		}
	})
	c := only(t, replay(campaigns))
	if c.Scope != change.ScopeHost || !c.Whole() || c.Way() != change.Slower || c.End.Reason != change.Returned {
		t.Errorf("%+v", c)
	}
	if c.End.At.Before(campaigns[50].At) || c.End.At.After(campaigns[62].At) {
		t.Errorf("end %+v, the host was as before at %v", c.End, campaigns[50].At)
	}
}

// Another machine that is as fast is an event, and bad news to nobody.
func TestAnotherMachineThatIsAsFast(t *testing.T) {
	for factor, want := range map[float64]string{1: change.Same, 0.8: change.Slower, 1.2: change.Faster} {
		campaigns := history(60, func(campaign int, c change.Campaign) {
			for i := range size {
				c.Rates[target(i)] = 1000 * (1 + 0.01*float64((7*i+5*campaign)%11)) // without a host that wanders
				if campaign >= 30 {
					slower(c, i, factor)
				}
			}
		})
		for i := range campaigns[30:] {
			campaigns[30+i].Machine = "another"
		}
		c := only(t, replay(campaigns))
		if c.Way() != want || c.Scope != change.ScopeHost {
			t.Errorf("times %g: %s, scope %s, effect %v", factor, c.Way(), c.Scope, *c.Effect)
		}
	}
}

// Other parameters give other numbers; nobody got slower by that.
func TestAnotherProtocolIsNoLoss(t *testing.T) {
	campaigns := history(60, func(campaign int, c change.Campaign) {
		for i := range size {
			if campaign >= 30 {
				slower(c, i, 0.6)
			}
		}
	})
	for i := range campaigns[30:] {
		campaigns[30+i].Protocol = "another"
	}
	c := only(t, replay(campaigns))
	if c.Scope != change.ScopeProtocol || c.Way() != change.Same || math.Abs(*c.Effect+0.4) > 0.05 {
		t.Errorf("%+v, effect %v", c, *c.Effect)
	}
}

// The control in Go says that it was not the machine, the others what it was; and
// where none of them moved, it was the frameworks, or what was upgraded with several.
func TestControlsTellTheScope(t *testing.T) {
	server := bench.Versions{Framework: "1.0", Server: "uvicorn", Python: "3.13.0", Packages: map[string]string{"uvicorn": "2"}}
	all := bench.Controls()
	for name, test := range map[string]struct {
		controls []string
		moved    string
		slow     int // of the field
		after    bench.Versions
		want     change.Scope
	}{
		"the machine":              {all, bench.ControlGo, size, bench.Versions{}, change.ScopeHost},
		"nothing is known":         {nil, "", size, bench.Versions{}, change.ScopeHost},
		"the interpreter":          {all, bench.ControlWSGI, size, bench.Versions{}, change.ScopeInterpreter},
		"the frameworks":           {all, "", size, bench.Versions{}, change.ScopeFramework},
		"some of them":             {all, "", 5, bench.Versions{}, change.ScopeFramework},
		"some, by the Go one":      {[]string{bench.ControlGo}, "", 5, bench.Versions{}, change.ScopeFramework},
		"their server":             {all, "", 5, server, change.ScopeServer},
		"the machine, and another": {all, bench.ControlGo, size, server, change.ScopeHost},
	} {
		c := only(t, replay(history(60, func(campaign int, c change.Campaign) {
			for _, name := range test.controls {
				c.Rates[bench.ControlTarget(name)] = 10_000
			}
			for i := range size {
				c.Versions[target(i)] = bench.Versions{Framework: "1.0", Server: "uvicorn", Python: "3.13.0", Packages: map[string]string{"uvicorn": "1"}}
				if campaign >= 30 && i < test.slow {
					slower(c, i, 0.7)
					if test.after.Server != "" {
						c.Versions[target(i)] = test.after
					}
				}
			}
			if campaign >= 30 && test.moved != "" {
				c.Rates[bench.ControlTarget(test.moved)] *= 0.7
			}
		})))
		if c.Scope != test.want || !c.Whole() || c.Way() != change.Slower {
			t.Errorf("%s: %s, scope %s, want %s", name, c.Way(), c.Scope, test.want)
		}
	}
}

// Where the machine is known to be another one, nothing else is looked for.
func TestAnotherMachineIsTheMachine(t *testing.T) {
	campaigns := history(60, func(campaign int, c change.Campaign) {
		c.Rates[bench.ControlTarget(bench.ControlGo)] = 10_000
		for i := range size {
			if campaign >= 30 {
				slower(c, i, 0.7)
			}
		}
	})
	for i := range campaigns[30:] {
		campaigns[30+i].Machine = "another"
	}
	if c := only(t, replay(campaigns)); c.Scope != change.ScopeHost || c.What() != "the machine (all of edition current)" {
		t.Errorf("%+v", c)
	}
}

func TestScopeOfOneTarget(t *testing.T) {
	for name, test := range map[string]struct {
		after bench.Versions
		want  change.Scope
	}{
		"nothing known": {bench.Versions{Framework: "1.0", Server: "uvicorn", Python: "3.13.0", Packages: map[string]string{"uvicorn": "1", "h11": "1"}}, change.ScopeFramework},
		"server":        {bench.Versions{Framework: "1.0", Server: "uvicorn", Python: "3.13.0", Packages: map[string]string{"uvicorn": "2", "h11": "1"}}, change.ScopeServer},
		"more than it":  {bench.Versions{Framework: "1.0", Server: "uvicorn", Python: "3.13.0", Packages: map[string]string{"uvicorn": "2", "h11": "2"}}, change.ScopeFramework},
		"interpreter":   {bench.Versions{Framework: "1.0", Server: "uvicorn", Python: "3.13.1", Packages: map[string]string{"uvicorn": "2"}}, change.ScopeInterpreter},
		"framework":     {bench.Versions{Framework: "1.1", Server: "uvicorn", Python: "3.13.1"}, change.ScopeFramework},
	} {
		before := bench.Versions{Framework: "1.0", Server: "uvicorn", Python: "3.13.0", Packages: map[string]string{"uvicorn": "1", "h11": "1"}}
		c := only(t, replay(history(60, func(campaign int, c change.Campaign) {
			c.Versions[target(4)] = before
			if campaign >= 30 {
				slower(c, 4, 0.85)
				c.Versions[target(4)] = test.after
			}
		})))
		if c.Scope != test.want {
			t.Errorf("%s: scope %s, want %s", name, c.Scope, test.want)
		}
	}
}

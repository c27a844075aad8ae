package bench

import (
	"testing"
	"time"
)

// Five minutes have room for 120 rounds of two measurements of 1.25 s, and are
// shared by the two.
func TestCompareFillsItsTime(t *testing.T) {
	p := Compare(5*time.Minute, 0.02)
	if p.Rounds != 120 || p.Limit != 150*time.Second || p.Order != OrderShuffled || p.Restart != 2 || p.Threshold() != 0.02 {
		t.Errorf("got %+v", p)
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	p.Duration, p.Warmup = 200*time.Millisecond, 0
	if p = p.Filling(time.Second, 2); p.Rounds != 3 { // two whole rounds and a half
		t.Errorf("%d rounds of 400 ms in a second", p.Rounds)
	}
	short := Compare(time.Millisecond, 0.02)
	if err := short.Validate(); short.Rounds != 1 || short.Restart != 1 || err != nil {
		t.Errorf("a short one: %+v, %v", short, err)
	}
}

func TestTargetAsPeopleWriteIt(t *testing.T) {
	for edition, want := range map[string]string{
		"current": "sanic@current", "": "sanic@", "==21.12.0": "sanic==21.12.0", ">=22,<23": "sanic>=22,<23",
		"../sanic": "sanic@../sanic", "own (B)": "sanic@own (B)",
	} {
		if got := (Target{Framework: "sanic", Edition: edition}).String(); got != want {
			t.Errorf("edition %q: %q, want %q", edition, got, want)
		}
	}
}

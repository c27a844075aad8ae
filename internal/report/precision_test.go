package report_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// A round of these campaigns begins every minute, after its warm-up, and lasts ten
// seconds.
func TestPrecisionWithinATime(t *testing.T) {
	c, ms := adaptive(40, 0.02, 0.01)
	for _, test := range []struct {
		within time.Duration
		rounds int
	}{{0, 40}, {time.Hour, 40}, {11 * time.Minute, 10}, {10 * time.Minute, 10}, {9 * time.Minute, 8}, {70 * time.Second, 0}, {time.Second, 0}} {
		p := report.PrecisionWithin(c, ms, test.within)
		if p.Rounds != test.rounds {
			t.Errorf("within %s: %d rounds, want %d", test.within, p.Rounds, test.rounds)
			continue
		}
		if p.Rounds == 0 {
			if p != (report.Precision{}) || p.Rates.String() != "unknown" {
				t.Errorf("of no round: %+v", p)
			}
			continue
		}
		if want := time.Duration(p.Rounds-1)*time.Minute + 10*time.Second + c.Protocol.Warmup; p.After != want {
			t.Errorf("within %s: after %s, want %s", test.within, p.After, want)
		}
		part := c
		part.Rounds = p.Rounds
		ci := report.New(part, ms).Results[0].RelativeCI95
		half := math.Sqrt(ci.High()/ci.Low()) - 1
		if p.Rates.Ratios != 1 || math.Abs(p.Rates.Widest-half) > 1e-9 || p.Rates.Median != p.Rates.Widest {
			t.Errorf("within %s: %+v, want ± %g", test.within, p.Rates, half)
		}
		// These use the same processor time for more requests, which are whole numbers.
		if math.Abs(p.Costs.Widest-half) > 1e-3 {
			t.Errorf("within %s: costs %+v, want ± %g", test.within, p.Costs, half)
		}
	}
}

func TestPrecisionOfManyRatios(t *testing.T) {
	c, ms := synthetic("2020", "current")
	p := report.PrecisionWithin(c, ms, 0)
	if p.Rates.Ratios != 20 || !(p.Rates.Median > 0 && p.Rates.Median < p.Rates.Widest) {
		t.Errorf("%+v", p.Rates)
	}
	// A repetition lengthens its round; the rounds of a campaign cut off count as
	// far as they are complete.
	again := ms[len(ms)-1]
	again.Attempt, again.Started = 1, again.Started.Add(time.Minute)
	if longer := report.PrecisionWithin(c, append(ms, again), 0); longer.After != p.After+time.Minute {
		t.Errorf("after %s, and with a repetition a minute later after %s", p.After, longer.After)
	}
	c.Rounds, c.State = 7, bench.StateCutOff
	if cut := report.PrecisionWithin(c, ms, 0); cut.Rounds != 7 {
		t.Errorf("%d rounds of 7", cut.Rounds)
	}
}

func TestPrecisionLine(t *testing.T) {
	early := report.Precision{Rounds: 10, After: 270 * time.Second, Rates: report.Widths{Ratios: 10, Median: 0.03, Widest: 0.06}, Costs: report.Widths{Ratios: 10, Median: 0.009, Widest: 0.021}}
	end := report.Precision{Rounds: 40, After: 1012 * time.Second, Rates: report.Widths{Ratios: 10, Median: 0.015, Widest: 0.029}, Costs: report.Widths{Ratios: 10, Median: 0.005, Widest: 0.01}}
	want := "adaptive: server CPU per request ± 2.1 % (± 0.9 %) after 270 s, ± 1.0 % (± 0.5 %) after 1012 s; " +
		"requests/s ± 6.0 % (± 3.0 %), ± 2.9 % (± 1.5 %); widest of 10 ratios, median in brackets"
	if got := report.PrecisionLine(bench.Adaptive(), early, end); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := report.PrecisionLine(bench.Classic(), report.Precision{}, end); !strings.HasPrefix(got, "classic (of one start): server CPU per request unknown after 0 s") {
		t.Errorf("got %s", got)
	}
}

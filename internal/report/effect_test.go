package report_test

import (
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// effectRounds is n rounds of two servers, on a machine that gets slower all the
// time; a change makes the rate of the first times what is given and leaves the
// second as it is.
func effectRounds(n int, times float64) [][]report.Block {
	var rounds [][]report.Block
	for r := range n {
		var blocks []report.Block
		for _, factor := range []float64{times, 1} {
			at := func(run int, factor float64) bench.Measurement {
				return measured(target("a", "current"), 1, factor*10000*(1-0.01*float64(4*r+run)/float64(n)))
			}
			blocks = append(blocks, report.Block{
				Plain: [2]bench.Measurement{at(0, 1), at(3, 1)}, Changed: [2]bench.Measurement{at(1, factor), at(2, factor)},
			})
		}
		rounds = append(rounds, blocks)
	}
	return rounds
}

func TestEffect(t *testing.T) {
	e, err := report.NewEffect([]string{"a@current", "b@current"}, effectRounds(6, 0.81))
	if err != nil {
		t.Fatal(err)
	}
	// Geometric mean of 0.81 and 1 is 0.9. All use the same processor time, so that
	// a request costs 1/0.9 times as much.
	for what, got := range map[string]float64{"rate": e.Rates.All.Estimate, "cost": 1 / e.Costs.All.Estimate} {
		if got < 0.8995 || got > 0.9005 {
			t.Errorf("%s: %g, want 0.9", what, got)
		}
	}
	line := e.Line()
	for _, want := range []string{"requests/s × 0.900 (0.9", "from 0.810 (a@current) to 1.000 (b@current); server CPU per request × 1.11", "; 2 servers in 6 rounds"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q is not in %q", want, line)
		}
	}
	if lines := e.Lines(); len(lines) != 2 || !strings.HasPrefix(lines[0], "a@current: requests/s × 0.810 (") || strings.Contains(line, "\n") {
		t.Errorf("%q", lines)
	}
}

func TestEffectOfTooLittle(t *testing.T) {
	rounds := effectRounds(1, 1)
	e, err := report.NewEffect([]string{"a", "b"}, rounds)
	if err != nil || !strings.Contains(e.Line(), "(no interval)") {
		t.Errorf("%v: %s", err, e.Line())
	}
	rounds[0][1].Changed[0].Load.Requests = 0
	if _, err := report.NewEffect([]string{"a", "b"}, rounds); err == nil || !strings.HasPrefix(err.Error(), "b: ") {
		t.Errorf("a measurement without an answer: %v", err)
	}
}

func TestStallLine(t *testing.T) {
	ms := time.Millisecond
	quick := report.Stall{Target: "bottle@current", Loaded: 5 * ms, CPU: 0.99, Single: 300 * time.Microsecond, Swift: 300 * time.Microsecond}
	quicker := quick
	quicker.Target, quicker.Swift = "sanic@current", 200*time.Microsecond
	stalled := report.Stall{Target: "django@current", Loaded: 44 * ms, CPU: 0.26, Single: 42 * ms, Swift: 840 * time.Microsecond}
	want := "django@current: median answer 44.00 ms under load while it used 26 % of a processor, 42.00 ms to a single client, " +
		"0.84 ms to one that acknowledges at once (50.0 times); the next of 3 servers: sanic@current, 1.5 times"
	for _, all := range [][]report.Stall{{quick, quicker, stalled}, {stalled, quick, quicker}, {quicker, stalled, quick}} {
		if got := report.StallLine(all); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := report.StallLine([]report.Stall{stalled}); strings.Contains(got, "next") {
		t.Errorf("of one: %s", got)
	}
	if got := report.StallLine(nil); got != "no server was asked" {
		t.Errorf("of none: %s", got)
	}
}

package report_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/report"
	"restbench/internal/stats"
)

func TestSelfRatiosPairStarts(t *testing.T) {
	c, ms := adaptive(80, 0.02, 0.01)
	random := rand.New(rand.NewPCG(1, 2))
	count := func() int { return len(report.SelfRatios(c, ms, 5, random)) }
	if got := count(); got != 8 { // 40 starts of each of two targets, ten a comparison
		t.Errorf("%d comparisons, want 8", got)
	}
	for _, r := range report.SelfRatios(c, ms, 5, random) {
		if r.N != 10 {
			t.Errorf("%d pairs of values, want two of each of five starts", r.N)
		}
	}
	c.Protocol.Restart = 0
	if got := count(); got != 16 { // 80 rounds
		t.Errorf("of one start %d comparisons, want 16", got)
	}
	for i := range ms {
		if ms[i].Target.Framework == "a" && ms[i].Round > 79 {
			ms[i].Marks = []bench.Mark{{Kind: bench.MarkInvalid}}
		}
	}
	if got := count(); got != 15 {
		t.Errorf("with an invalid measurement %d comparisons, want 15", got)
	}
	c.Rounds = 9
	if got := count(); got != 0 {
		t.Errorf("nine rounds give %d comparisons", got)
	}
}

func TestSelfLine(t *testing.T) {
	with, without := stats.Ratio{CI95: &stats.Interval{Low: 0.9, High: 0.985}}, stats.Ratio{CI95: &stats.Interval{Low: 0.9, High: 1.01}}
	ratios := append(make([]stats.Ratio, 0, 40), with, stats.Ratio{CI95: &stats.Interval{Low: 1.03, High: 1.1}})
	for len(ratios) < 40 {
		ratios = append(ratios, without)
	}
	line, holds := report.SelfLine(ratios, "live")
	if want := "2 of 40 intervals of a server and itself exclude 1: 5.0 % (95 % binomial interval 0.6 – 16.9 %), and 1 would be called faster or slower (beyond ± 2 %), live"; line != want || !holds {
		t.Errorf("%t, %s\nwant %s", holds, line, want)
	}
	for i := range 8 {
		ratios[i] = with
	}
	if line, holds := report.SelfLine(ratios, "live"); holds || !strings.HasPrefix(line, "8 of 40") {
		t.Errorf("%t, %s", holds, line)
	}
	if line, holds := report.SelfLine(nil, "live"); !holds || !strings.HasPrefix(line, "0 of 0") {
		t.Errorf("%t, %s", holds, line)
	}
}

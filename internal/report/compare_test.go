package report_test

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
	"restbench/internal/stats"
)

// versus is a comparison of two releases: B is times as fast as A, the machine
// moves by 10 % from round to round, each start by 1 % and each round by 1 % of
// its own.
func versus(times float64, rounds int) (bench.Campaign, []bench.Measurement) {
	random := rand.New(rand.NewPCG(20200810, 21))
	a, b := target("sanic", "==21.12.1"), target("sanic", "==22.12.0")
	c := campaign()
	c.Kind, c.Protocol, c.Rounds, c.Seed = bench.KindCompare, bench.Compare(5*time.Minute, 0.02), rounds, 42
	for i, t := range []bench.Target{a, b} {
		c.Participants = append(c.Participants, bench.Participant{Target: t, Versions: bench.Versions{
			Framework: strings.TrimPrefix(t.Edition, "=="), Server: "Sanic's own", Python: "3.11.7",
			Packages: []map[string]string{
				{"sanic": "21.12.1", "httptools": "0.9.0", "multidict": "5.2.0"},
				{"sanic": "22.12.0", "httptools": "0.9.0", "sanic-routing": "22.8.0"},
			}[i],
		}})
	}
	var ms []bench.Measurement
	startA, startB := 0.0, 0.0
	for round := 1; round <= rounds; round++ {
		if c.Protocol.Start(round) != c.Protocol.Start(round-1) || round == 1 {
			startA, startB = 0.01*random.NormFloat64(), 0.01*random.NormFloat64()
		}
		speed := 11_500 * math.Exp(0.1*random.NormFloat64())
		ms = append(ms,
			measured(a, round, speed*math.Exp(startA+0.01*random.NormFloat64())),
			measured(b, round, speed*times*math.Exp(startB+0.01*random.NormFloat64())))
	}
	return c, ms
}

// halted is one in which B gave wrong answers and then did not start again.
func halted() (bench.Campaign, []bench.Measurement) {
	c, ms := versus(1.7, 4)
	c.State = bench.StateStopped
	for i := range ms {
		if ms[i].Target.Edition == "==22.12.0" {
			ms[i].Load.Errors = map[bench.ErrorKind]int64{bench.ErrorBody: 12_345}
			ms[i].Load.FirstWrong = `body "oops" instead of "hello"`
			ms[i].Marks = []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonErrors, Detail: "all wrong"}}
		}
	}
	return c, append(ms, bench.Measurement{
		Campaign: c.ID, Target: target("sanic", "==22.12.0"), Started: c.Started,
		Failure: &bench.Failure{Stage: bench.StageStart, Cause: "port is taken"},
	})
}

func TestGoldenComparison(t *testing.T) {
	writers := map[string]func(io.Writer, report.Comparison) error{
		"txt": report.WriteComparison, "md": report.WriteComparisonMarkdown,
		"json": report.WriteComparisonJSON, "csv": report.WriteComparisonCSV,
	}
	for name, made := range map[string]func() (bench.Campaign, []bench.Measurement){
		"compare":        func() (bench.Campaign, []bench.Measurement) { return versus(1.7, 40) },
		"compare-halted": halted,
	} {
		c, ms := made()
		r := report.NewComparison(c, ms, report.CompareThreshold)
		for extension, write := range writers {
			t.Run(name+"."+extension, func(t *testing.T) {
				var out bytes.Buffer
				if err := write(&out, r); err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata", name+"."+extension), out.Bytes())
			})
		}
	}
}

func TestComparisonVerdicts(t *testing.T) {
	for name, test := range map[string]struct {
		times  float64
		rounds int
		want   stats.Verdict
		says   string
	}{
		"faster":         {1.7, 40, stats.Faster, "Faster: sanic==22.12.0 answers more"},
		"slower":         {1 / 1.1, 40, stats.Slower, "Slower: sanic==22.12.0 answers fewer"},
		"same":           {1, 80, stats.Same, "differ by less than 2 %"},
		"few rounds":     {1.03, 6, stats.Unknown, "a longer --time narrows it"},
		"one start":      {1.7, 2, stats.Unknown, "not measured on enough starts"},
		"close to limit": {1.02, 80, stats.Unknown, "does not show"},
	} {
		c, ms := versus(test.times, test.rounds)
		r := report.NewComparison(c, ms, 0.02)
		if r.Verdict != test.want || !strings.Contains(r.Sentence(), test.says) {
			t.Errorf("%s: %s: %s", name, r.Verdict, r.Sentence())
		}
		if r.Pairs != test.rounds || r.Starts != (test.rounds+1)/2 {
			t.Errorf("%s: %d pairs, %d starts of %d rounds", name, r.Pairs, r.Starts, test.rounds)
		}
	}
}

// Where a comparison has ended because it was precise enough, more time would not
// tell more, and nobody is sent to spend it.
func TestWhatTellsMoreThanAPreciseUnknown(t *testing.T) {
	c, ms := versus(1.02, 80)
	c.Protocol.Precision = 0.02
	u, ums := upgraded(0.953, 40)
	for name, test := range map[string]struct {
		of   report.Comparison
		says string
	}{
		"compare": {report.NewComparison(c, ms, 0.02), "at the threshold: another --threshold tells more"},
		"upgrade": {report.NewUpgrade(u, ums, upgradeThreshold).Comparison, "as was asked for: a finer precision (of latest) tells more"},
	} {
		sentence := test.of.Sentence()
		if test.of.Verdict != stats.Unknown || !strings.Contains(sentence, test.says) || strings.Contains(sentence, "narrows") {
			t.Errorf("%s: %s: %s", name, test.of.Verdict, sentence)
		}
	}
}

// The sides stay where the user put them, whoever is faster, and exchanging them
// gives the reciprocal.
func TestComparisonKeepsItsSides(t *testing.T) {
	c, ms := versus(1.7, 40)
	forth := report.NewComparison(c, ms, 0.02)
	c.Participants[0], c.Participants[1] = c.Participants[1], c.Participants[0]
	back := report.NewComparison(c, ms, 0.02)
	if forth.A.Name != "sanic==21.12.1" || back.A.Name != "sanic==22.12.0" {
		t.Errorf("a is %s, then %s", forth.A.Name, back.A.Name)
	}
	if product := *forth.Ratio.Estimate * *back.Ratio.Estimate; math.Abs(product-1) > 1e-12 {
		t.Errorf("ratio times its reciprocal is %v", product)
	}
	// They use the same processor time for more requests, which are whole numbers.
	if product := *forth.CPURatio.Estimate * *forth.Ratio.Estimate; math.Abs(product-1) > 1e-3 {
		t.Errorf("CPU ratio times ratio is %v", product)
	}
}

// A comparison ends when it is known well enough, whichever side is faster, or
// when one side gives nothing.
func TestEnoughToCompare(t *testing.T) {
	with := func(times float64, rounds int, precision float64) bool {
		c, ms := versus(times, rounds)
		c.Protocol.Precision = precision
		return report.EnoughToCompare(c, ms)
	}
	for name, test := range map[string]struct {
		got, want bool
	}{
		"wide":                {with(1, 40, 0.001), false},
		"narrow":              {with(1, 40, 0.05), true},
		"narrow, faster":      {with(1.7, 40, 0.05), true},
		"too few starts":      {with(1, 14, 0.9), false},
		"enough starts":       {with(1, 16, 0.9), true},
		"in the midst of one": {with(1, 17, 0.9), false},
		"no precision":        {with(1, 40, 0), false},
	} {
		if test.got != test.want {
			t.Errorf("%s: %t", name, test.got)
		}
	}
	c, ms := halted()
	if report.EnoughToCompare(c, ms) {
		t.Error("given up after 4 rounds")
	}
	if c.Rounds = 6; !report.EnoughToCompare(c, ms) {
		t.Error("not given up after 6 rounds without a number")
	}
}

// A side that gave numbers and then none any more is given up as well.
func TestASideThatDropsOutIsGivenUp(t *testing.T) {
	c, all := versus(1.7, 12)
	var ms []bench.Measurement
	for _, m := range all {
		if m.Round <= 4 || m.Target == c.Participants[1].Target {
			ms = append(ms, m)
		}
	}
	if c.Rounds = 9; report.EnoughToCompare(c, ms) {
		t.Error("given up after 5 rounds without a number")
	}
	if c.Rounds = 10; !report.EnoughToCompare(c, ms) {
		t.Error("not given up after 6 rounds without a number")
	}
}

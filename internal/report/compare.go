package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// CompareThreshold is the difference that a comparison calls none, unless
// another one is asked for.
const CompareThreshold = 0.02

// Comparison is a campaign of two targets as it is shown: how many times A is B.
// Pointers are nil where a value is undefined.
type Comparison struct {
	Campaign  Header        `json:"campaign"`
	Ratio     RatioEstimate `json:"ratio"`  // requests per second of B ÷ those of A
	Signal    bench.Signal  `json:"signal"` // what the verdict is about
	Speed     RatioEstimate `json:"speed"`  // B ÷ A in it, so that above 1 B is faster
	Verdict   stats.Verdict `json:"verdict"`
	Threshold float64       `json:"threshold"`
	Pairs     int           `json:"pairs"`  // rounds in which both were valid
	Starts    int           `json:"starts"` // of the servers: what the interval rests on
	CPURatio  RatioEstimate `json:"server_cpu_ratio"`
	A         *Row          `json:"a"`
	B         *Row          `json:"b"`
	Packages  []PackageDiff `json:"packages"` // those that differ
	Missing   []Missing     `json:"missing"`
	Failures  []FailureRow  `json:"failures"`
	Notes     []string      `json:"notes"`
}

// RatioEstimate is a ratio with its interval.
type RatioEstimate struct {
	Estimate *float64  `json:"estimate"`
	CI95     *Interval `json:"ci95"`
}

// PackageDiff is a package that the two have in different releases, or that one
// of them lacks.
type PackageDiff struct {
	Name string  `json:"package"`
	A    *string `json:"a"`
	B    *string `json:"b"`
}

// NewComparison derives the comparison of a campaign's first two participants.
func NewComparison(c bench.Campaign, ms []bench.Measurement, threshold float64) Comparison {
	s := group(c, ms)
	r := Comparison{
		Campaign: header(c, s, ms), Signal: compared(c), Verdict: stats.Unknown, Threshold: threshold,
		Packages: []PackageDiff{}, Missing: []Missing{}, Failures: failures(ms), Notes: s.notes(),
	}
	if len(s.targets) < 2 {
		r.Notes = append(r.Notes, "the campaign has no two targets")
		return r
	}
	a, b := s.targets[0], s.targets[1]
	r.Packages = packageDiffs(a.Versions.Packages, b.Versions.Packages)
	r.A, r.B = r.side(c, a, s.rounds), r.side(c, b, s.rounds)
	rates, starts := s.paired(b, a, bench.Measurement.RequestsPerSecond)
	r.Pairs, r.Starts, r.Ratio = rates.N, starts, estimate(rates)
	costs, _ := s.paired(b, a, bench.Measurement.ServerCPUPerRequest)
	r.CPURatio = estimate(costs)
	r.Speed = r.Ratio
	if r.Signal == bench.SignalServerCPU {
		r.Speed = r.CPURatio.inverse()
	}
	r.Verdict = stats.Judge(r.Speed.CI95.stats(), threshold)
	r.relate()
	return r
}

// side is the row of one of the two, nil where it has no number.
func (r *Comparison) side(c bench.Campaign, t *series, rounds int) *Row {
	if len(t.chosen) == 0 {
		r.Missing = append(r.Missing, Missing{t.Target.String(), t.Target, marks(t, rounds, nil)})
		return nil
	}
	row := newRow(c, t, rounds)
	return &row
}

// relate makes A the base of both.
func (r *Comparison) relate() {
	if r.A == nil || r.B == nil {
		return
	}
	one, base := 1.0, r.A.Name
	r.A.Relative, r.A.RelativeCI95, r.A.RelativePairs, r.A.Base = &one, &Interval{1, 1}, r.A.Rounds, &base
	r.B.Relative, r.B.RelativeCI95, r.B.RelativePairs, r.B.Base = r.Ratio.Estimate, r.Ratio.CI95, r.Pairs, &base
}

// paired is the ratio of a value of t to that of its base inside the rounds, with
// the number of starts that its interval rests on. Its estimate is 0 where it is
// undefined.
func (s groups) paired(t, base *series, of func(bench.Measurement) float64) (stats.Ratio, int) {
	var ts, bases [][]float64
	for _, m := range t.chosen {
		i := slices.IndexFunc(base.chosen, func(o bench.Measurement) bool { return o.Round == m.Round })
		if i < 0 {
			continue
		}
		start := s.unit(m.Round)
		ts, bases = grouped(ts, start, of(m)), grouped(bases, start, of(base.chosen[i]))
	}
	ratio, components, err := stats.PairedRatioStarts(ts, bases)
	if err != nil {
		return stats.Ratio{}, 0
	}
	return ratio, components.Starts
}

func estimate(r stats.Ratio) RatioEstimate {
	if r.N == 0 {
		return RatioEstimate{}
	}
	return RatioEstimate{&r.Estimate, interval(r.CI95)}
}

// inverse is the ratio of costs as that of speeds, and the other way round.
func (r RatioEstimate) inverse() RatioEstimate {
	if r.Estimate == nil {
		return r
	}
	estimate := 1 / *r.Estimate
	turned := RatioEstimate{Estimate: &estimate}
	if r.CI95 != nil {
		turned.CI95 = &Interval{1 / r.CI95.High(), 1 / r.CI95.Low()}
	}
	return turned
}

func packageDiffs(a, b map[string]string) []PackageDiff {
	names := slices.Sorted(maps.Keys(a))
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	diffs := []PackageDiff{}
	for _, name := range names {
		if a[name] != b[name] {
			diffs = append(diffs, PackageDiff{name, orNull(a[name]), orNull(b[name])})
		}
	}
	return diffs
}

// hopelessRounds is after how many rounds in a row without a number a side is
// given up.
const hopelessRounds = 6

// EnoughToCompare reports whether a comparison has reached the precision of its
// protocol, or never will because one side gives no number, or none any more. It
// looks at the width of the interval alone, never at which side of 1 it is on.
func EnoughToCompare(c bench.Campaign, ms []bench.Measurement) bool {
	s, p := group(c, ms), c.Protocol
	if len(s.targets) < 2 {
		return true
	}
	a, b := s.targets[0], s.targets[1]
	if c.Rounds-min(a.last(), b.last()) >= hopelessRounds {
		return true
	}
	if p.Precision <= 0 || p.Restart > 0 && c.Rounds%p.Restart != 0 {
		return false
	}
	ratio, starts := s.paired(b, a, compared(c).Of)
	return stats.Known(ratio.LogCI95(), starts, p.Precision)
}

// compared is the value by which two sides are compared: their signal where they have the
// same, else the requests.
func compared(c bench.Campaign) bench.Signal {
	if p := c.Participants; len(p) > 1 && p[0].Signal == p[1].Signal {
		return p[0].Signal.OrDefault()
	}
	return bench.SignalRequests
}

// last is the newest round with a number, 0 where there is none.
func (t *series) last() int {
	if len(t.chosen) == 0 {
		return 0
	}
	return t.chosen[len(t.chosen)-1].Round
}

// Sentence is the verdict in words.
func (r Comparison) Sentence() string {
	if r.Speed.Estimate == nil {
		return "Not known which is faster: there is no round in which both have a number."
	}
	a, b := display(r.A), display(r.B)
	margin := percent(r.Threshold)
	how := "B ÷ A is " + ratioCell(r.Speed.Estimate)
	if r.Signal == bench.SignalServerCPU {
		how = "Of requests per second of processor time, " + how
	}
	if r.Speed.CI95 != nil {
		how += fmt.Sprintf(" (95 %% interval %s)", spanCell(r.Speed.CI95))
	}
	by := ", by more than " + margin
	if r.Campaign.Kind == bench.KindUpgrade { // its verdict says less of the interval
		by = ""
	}
	switch r.Verdict {
	case stats.Faster:
		return fmt.Sprintf("Faster: %s %s than %s%s. %s.", b, r.does("answers more requests per second", "needs less processor time for a request"), a, by, how)
	case stats.Slower:
		return fmt.Sprintf("Slower: %s %s than %s%s. %s.", b, r.does("answers fewer requests per second", "needs more processor time for a request"), a, by, how)
	case stats.Same:
		return fmt.Sprintf("Same: %s and %s differ by less than %s. %s.", b, a, margin, how)
	}
	if r.Speed.CI95 == nil {
		return fmt.Sprintf("Unknown: %s was not measured on enough starts against %s. %s.", b, a, how)
	}
	return fmt.Sprintf("Unknown: whether %s and %s differ by more than %s does not show. %s; %s.", b, a, margin, how, r.advice())
}

// advice is what tells more where the verdict is open. A campaign that has ended
// because its interval was as narrow as was asked for would end there again, however
// long it may take.
func (r Comparison) advice() string {
	const precise = "that is as precise as was asked for"
	upgrade := r.Campaign.Kind == bench.KindUpgrade // its precision does not follow from its threshold
	switch {
	case r.precise() && upgrade:
		return precise + ": a finer precision (of latest) tells more, a longer time does not"
	case r.precise():
		return precise + ", so the difference lies at the threshold: another --threshold tells more, a longer --time does not"
	case upgrade:
		return "a longer time (of latest) narrows it"
	}
	return "a longer --time narrows it"
}

// precise reports whether the ratio is known as well as was asked for.
func (r Comparison) precise() bool {
	return stats.Known(r.logCI95(), r.Starts, r.Campaign.Protocol.Precision)
}

func (r Comparison) logCI95() *stats.Interval {
	i := r.Speed.CI95
	if i == nil {
		return nil
	}
	return &stats.Interval{Low: math.Log(i.Low()), High: math.Log(i.High())}
}

// does chooses the words for the signal.
func (r Comparison) does(requests, cpu string) string {
	if r.Signal == bench.SignalServerCPU {
		return cpu
	}
	return requests
}

// display is how a side is called: a server of the user's own by what was given.
func display(r *Row) string {
	if name, own := strings.CutPrefix(r.Edition, bench.EditionOwn); own {
		return r.Framework + name
	}
	return r.Name
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"restbench/internal/bench"
)

// New derives the result of a campaign from its measurements, in any order. A
// campaign under way or cut off gives the result of its complete rounds, or,
// while it has none, of what there is.
func New(c bench.Campaign, ms []bench.Measurement) Result {
	return NewWithBases(c, ms, nil)
}

// NewWithBases is New for a caller who knows which framework was the base of an
// edition before, bases[edition]. A base that fails as a whole leaves no trace
// of its speed in this campaign, so only such a caller can see that the slowest
// of those left is another one, and that relative must be absent.
func NewWithBases(c bench.Campaign, ms []bench.Measurement, bases map[string]string) Result {
	s := group(c, ms)
	r := Result{
		Campaign: header(c, s, ms), Results: []Row{}, Missing: []Missing{}, Controls: []Row{}, Failures: failures(ms), Notes: s.notes(),
	}
	for _, t := range s.targets {
		if len(t.chosen) == 0 {
			r.Missing = append(r.Missing, Missing{t.Target.String(), t.Target, marks(t, s.rounds, nil)})
			continue
		}
		if t.Target.Control() {
			r.Controls = append(r.Controls, newRow(c, t, s.rounds))
			continue
		}
		r.Results = append(r.Results, newRow(c, t, s.rounds))
	}
	r.Notes = append(r.Notes, relate(r.Results, s, bases)...)
	arrange(r.Results, s.editions())
	return r
}

// Bases are the bases of the editions, for NewWithBases of a later campaign.
func (r Result) Bases() map[string]string {
	bases := map[string]string{}
	for _, row := range r.Results {
		if row.Base != nil && row.Edition != bench.EditionOwn {
			bases[row.Edition] = *row.Base
		}
	}
	return bases
}

func header(c bench.Campaign, s groups, ms []bench.Measurement) Header {
	h := Header{
		Loaded: loaded(c.Protocol, ms).Seconds(),
		ID:     c.ID, Kind: c.Kind, State: c.State, Started: c.Started, Rounds: c.Rounds,
		Seed: c.Seed, Protocol: c.Protocol, Machine: c.Machine,
		Engines:    s.words(func(m bench.Measurement) string { return m.Load.Engine }),
		Pinning:    s.words(func(m bench.Measurement) string { return m.Conditions.Pinning }),
		IdleLimits: s.words(func(m bench.Measurement) string { return m.Conditions.IdleLimit }),
	}
	if !c.Finished.IsZero() {
		h.Finished = &c.Finished
	}
	return h
}

// loaded is how long the engines put load on the servers, warm-ups included.
func loaded(p bench.Protocol, ms []bench.Measurement) time.Duration {
	var sum time.Duration
	for _, m := range ms {
		if m.Failure == nil {
			sum += m.Load.Duration + p.Warmup
		}
	}
	return sum
}

// arrange puts the fastest first within an edition and keeps the editions in the
// order in which the campaign names them.
func arrange(rows []Row, editions []string) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(
			cmp.Compare(slices.Index(editions, a.Edition), slices.Index(editions, b.Edition)),
			cmp.Compare(b.RequestsPerSecond.Mean, a.RequestsPerSecond.Mean),
			cmp.Compare(a.Name, b.Name))
	})
}

// failures lists all of them, those outside the rounds first.
func failures(ms []bench.Measurement) []FailureRow {
	failed := slices.DeleteFunc(slices.Clone(ms), func(m bench.Measurement) bool { return m.Failure == nil })
	slices.SortStableFunc(failed, func(a, b bench.Measurement) int {
		return cmp.Or(cmp.Compare(a.Round, b.Round), a.Started.Compare(b.Started))
	})
	rows := []FailureRow{}
	for _, m := range failed {
		rows = append(rows, FailureRow{m.Target.String(), m.Round, m.Failure.Stage, m.Failure.Cause})
	}
	return rows
}

// groups is the measurements of a campaign by target.
type groups struct {
	targets  []*series // in the campaign's order
	rounds   int       // how many rounds count
	partial  bool      // not one of them is complete: a target may still be missing
	protocol bench.Protocol
	left     int // measurements of an incomplete round, which do not count
}

// series is all that was measured of one target.
type series struct {
	bench.Participant
	all    []bench.Measurement // in time
	chosen []bench.Measurement // one valid measurement a round, by round: what numbers are made of
}

func group(c bench.Campaign, ms []bench.Measurement) groups {
	s := groups{protocol: c.Protocol, rounds: c.Rounds, partial: c.Rounds == 0 && c.State != bench.StateFinished}
	by := map[bench.Target]*series{}
	add := func(p bench.Participant) {
		if by[p.Target] == nil {
			by[p.Target] = &series{Participant: p}
			s.targets = append(s.targets, by[p.Target])
		}
	}
	for _, p := range c.Participants {
		add(p)
	}
	for _, m := range ms {
		add(bench.Participant{Target: m.Target})
		by[m.Target].all = append(by[m.Target].all, m)
		if c.Rounds == 0 {
			s.rounds = max(s.rounds, m.Round)
		}
	}
	for _, t := range s.targets {
		s.left += t.choose(s.rounds)
	}
	return s
}

// choose takes, of each of the rounds that count, the last valid measurement:
// a repeated one stands in place of the marked one before it, unless the
// repetition itself is invalid. It returns how many valid ones lie outside.
func (t *series) choose(rounds int) (left int) {
	slices.SortStableFunc(t.all, func(a, b bench.Measurement) int {
		return cmp.Or(cmp.Compare(a.Round, b.Round), cmp.Compare(a.Attempt, b.Attempt))
	})
	for _, m := range t.all {
		if !m.Valid() || m.Round < 1 {
			continue
		}
		if m.Round > rounds {
			left++
			continue
		}
		if n := len(t.chosen); n > 0 && t.chosen[n-1].Round == m.Round {
			t.chosen[n-1] = m
			continue
		}
		t.chosen = append(t.chosen, m)
	}
	return left
}

// editions in the campaign's order.
func (s groups) editions() []string {
	var names []string
	for _, t := range s.targets {
		if !slices.Contains(names, t.Target.Edition) {
			names = append(names, t.Target.Edition)
		}
	}
	return names
}

// words collects the distinct words of the measurements that count.
func (s groups) words(of func(bench.Measurement) string) []string {
	words := []string{}
	for _, t := range s.targets {
		for _, m := range t.chosen {
			if w := of(m); w != "" && !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	slices.Sort(words)
	return words
}

func (s groups) notes() []string {
	notes := []string{}
	if s.partial {
		notes = append(notes, "no round is complete: relative is absent")
	}
	if s.left > 0 {
		notes = append(notes, fmt.Sprintf("%s of an incomplete round left out", plural(s.left, "measurement")))
	}
	return notes
}

package release

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"restbench/internal/stats"
)

// Likeness is which of two sets an intermediate one is as fast as.
type Likeness int

// The likenesses. What does not start, or is not measured well enough, is
// unclear.
const (
	Unclear Likeness = iota
	LikeOld
	LikeNew
)

// Resembles judges an intermediate set by its ratio to the old one, where whole
// is that of the new one: it must lie, with its interval, on one side of the
// geometric middle between the old set and the new one.
func Resembles(whole float64, ratio *stats.Interval) Likeness {
	if ratio == nil || !(whole > 0) {
		return Unclear
	}
	middle := math.Sqrt(whole)
	switch above, below := ratio.Low > middle, ratio.High < middle; {
	case above && whole < 1, below && whole > 1:
		return LikeOld
	case above && whole > 1, below && whole < 1:
		return LikeNew
	}
	return Unclear
}

// finest is what no campaign of an intermediate set is asked to do better than: the
// half of it takes four times as long.
const finest = 0.01

// Precision is how well the ratio of an intermediate set to the old one is to be
// known, where whole is that of the new one and asked was enough for that: to a
// quarter of the way between the two, as logarithms. Then a set that is like one
// of them is unclear only where its estimate is off by another quarter, to the
// middle, which is two standard errors.
func Precision(whole, asked float64) float64 {
	if !(whole > 0) {
		return asked
	}
	return min(asked, max(finest, math.Abs(math.Log(whole))/4))
}

// Measure says what the old set is like with the taken packages of the new one.
type Measure func(ctx context.Context, taken []string) (Likeness, error)

// Responsible is the outcome of a search.
type Responsible struct {
	Packages []string // those that make the difference; several where they cannot be told apart
	Complete bool     // false: the search ended at its limit, and further measurements might tell more apart
	Measured int      // intermediate sets
}

// errLimit ends a search.
var errLimit = errors.New("the limit of measurements is reached")

// Search finds which of the changed packages makes the new set other than the
// old one, by measuring at most limit intermediate sets. It keeps two sets, one
// like the old and one like the new, and brings them nearer to each other until
// no package between them can be left out: delta debugging (Zeller and
// Hildebrandt, "Simplifying and isolating failure-inducing input", 2002). A single
// cause among n packages takes about log2(n) measurements. Packages that only
// together, or each for a part, make the difference stay together.
func Search(ctx context.Context, changed []string, limit int, measure Measure) (Responsible, error) {
	s := &search{limit: limit, measure: measure, known: map[string]Likeness{}, left: slices.Clone(changed), parts: 2}
	complete := true
	for complete && len(s.left) > 1 && s.parts <= len(s.left) {
		err := s.step(ctx)
		switch {
		case errors.Is(err, errLimit):
			complete = false
		case err != nil:
			return Responsible{s.left, false, s.measured}, err
		}
	}
	return Responsible{s.left, complete, s.measured}, nil
}

// search is one under way: old is like the old set, old with left like the new.
type search struct {
	old, left []string
	parts     int // left is divided into
	limit     int
	measured  int
	measure   Measure
	known     map[string]Likeness // by the packages that are taken
}

// step narrows left down once, or divides it more finely.
func (s *search) step(ctx context.Context) error {
	parts := divide(s.left, s.parts)
	for _, part := range parts {
		if narrower, err := s.try(ctx, part, without(s.left, part)); err != nil || narrower {
			return err
		}
	}
	if s.parts > 2 { // else the rest of each part is the other one
		for _, part := range parts {
			if narrower, err := s.try(ctx, without(s.left, part), part); err != nil || narrower {
				return err
			}
		}
	}
	if s.parts == len(s.left) {
		s.parts++ // nothing is left to be divided
		return nil
	}
	s.parts = min(2*s.parts, len(s.left))
	return nil
}

// try takes some of left and says whether that told something: they hold what
// is looked for, or the others do.
func (s *search) try(ctx context.Context, taken, others []string) (narrower bool, err error) {
	likeness, err := s.ask(ctx, slices.Concat(s.old, taken))
	switch {
	case err != nil || likeness == Unclear:
		return false, err
	case likeness == LikeNew:
		s.left = taken
	case likeness == LikeOld:
		s.old, s.left = slices.Concat(s.old, taken), others
	}
	s.parts = 2
	return true, nil
}

func (s *search) ask(ctx context.Context, taken []string) (Likeness, error) {
	taken = slices.Sorted(slices.Values(taken))
	key := strings.Join(taken, " ")
	if likeness, ok := s.known[key]; ok {
		return likeness, nil
	}
	if s.measured >= s.limit {
		return Unclear, errLimit
	}
	s.measured++
	likeness, err := s.measure(ctx, taken)
	if err == nil {
		s.known[key] = likeness
	}
	return likeness, err
}

// divide makes n parts of about the same size; n is at most the number of names.
func divide(names []string, n int) [][]string {
	var parts [][]string
	for i := range n {
		parts = append(parts, names[i*len(names)/n:(i+1)*len(names)/n])
	}
	return parts
}

func without(names, some []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(some, name) })
}

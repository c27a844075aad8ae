package release

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/stats"
)

func packages(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("p%02d", i))
	}
	return names
}

// single is the answer when one package makes the whole difference.
func single(culprit string) Measure {
	return func(_ context.Context, taken []string) (Likeness, error) {
		if slices.Contains(taken, culprit) {
			return LikeNew, nil
		}
		return LikeOld, nil
	}
}

// A single cause is found wherever it stands, in as many measurements as halving
// takes.
func TestSearchFindsASingleCause(t *testing.T) {
	for n := 1; n <= 20; n++ {
		most := int(math.Ceil(math.Log2(float64(n))))
		for _, culprit := range packages(n) {
			got, err := Search(t.Context(), packages(n), 100, single(culprit))
			if err != nil || !got.Complete || !slices.Equal(got.Packages, []string{culprit}) || got.Measured > most {
				t.Fatalf("%s of %d: %+v, %v; want at most %d measurements", culprit, n, got, err, most)
			}
		}
	}
}

// Each of two that only together make the difference does so in the presence of
// the other.
func TestSearchFindsAPartOfACombination(t *testing.T) {
	both := func(_ context.Context, taken []string) (Likeness, error) {
		if slices.Contains(taken, "p01") && slices.Contains(taken, "p06") {
			return LikeNew, nil
		}
		return LikeOld, nil
	}
	got, err := Search(t.Context(), packages(8), 100, both)
	if err != nil || !got.Complete || len(got.Packages) != 1 || got.Packages[0] != "p01" && got.Packages[0] != "p06" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Two that each bring half stay together, and the others do not.
func TestSearchKeepsTwoHalvesTogether(t *testing.T) {
	halves := func(_ context.Context, taken []string) (Likeness, error) {
		n := 0
		for _, name := range []string{"p01", "p06"} {
			if slices.Contains(taken, name) {
				n++
			}
		}
		return []Likeness{LikeOld, Unclear, LikeNew}[n], nil
	}
	got, err := Search(t.Context(), packages(8), 100, halves)
	if diff := cmp.Diff(Responsible{[]string{"p01", "p06"}, true, got.Measured}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// Sets that do not start, because two packages need each other's releases, do
// not hide the cause.
func TestSearchGoesAroundSetsThatDoNotWork(t *testing.T) {
	needs := func(ctx context.Context, taken []string) (Likeness, error) {
		if slices.Contains(taken, "p00") != slices.Contains(taken, "p05") {
			return Unclear, nil
		}
		return single("p03")(ctx, taken)
	}
	got, err := Search(t.Context(), packages(6), 100, needs)
	if err != nil || !got.Complete || !slices.Equal(got.Packages, []string{"p03"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for culprit, want := range map[string][]string{"p00": {"p00", "p05"}, "p05": {"p00", "p05"}} {
		pair := func(ctx context.Context, taken []string) (Likeness, error) {
			if slices.Contains(taken, "p00") != slices.Contains(taken, "p05") {
				return Unclear, nil
			}
			return single(culprit)(ctx, taken)
		}
		if got, err := Search(t.Context(), packages(6), 100, pair); err != nil || !slices.Equal(got.Packages, want) {
			t.Errorf("%s: %+v, %v, want %v", culprit, got, err, want)
		}
	}
}

func TestSearchEndsAtItsLimit(t *testing.T) {
	got, err := Search(t.Context(), packages(16), 2, single("p09"))
	if err != nil || got.Complete || got.Measured != 2 || len(got.Packages) != 4 || !slices.Contains(got.Packages, "p09") {
		t.Errorf("got %+v, %v", got, err)
	}
	unclear := func(context.Context, []string) (Likeness, error) { return Unclear, nil }
	got, err = Search(t.Context(), packages(5), 1000, unclear)
	if err != nil || !got.Complete || len(got.Packages) != 5 {
		t.Errorf("nothing is clear: %+v, %v", got, err)
	}
	if got, err = Search(t.Context(), packages(16), 0, single("p09")); err != nil || got.Complete || len(got.Packages) != 16 {
		t.Errorf("no measurement: %+v, %v", got, err)
	}
}

func TestSearchEndsWithAnError(t *testing.T) {
	gone := errors.New("gone")
	got, err := Search(t.Context(), packages(4), 9, func(context.Context, []string) (Likeness, error) { return Unclear, gone })
	if !errors.Is(err, gone) || got.Complete || len(got.Packages) != 4 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Whatever the answers are, a search asks nothing twice and always ends; what
// it ends with holds what it began with.
func TestSearchAlwaysEnds(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		all, seen := packages(1+r.IntN(9)), map[string]bool{}
		got, err := Search(t.Context(), all, 10_000, func(_ context.Context, taken []string) (Likeness, error) {
			key := fmt.Sprint(taken)
			if seen[key] || len(taken) == 0 || len(taken) == len(all) {
				t.Fatalf("seed %d asks for %s", seed, key)
			}
			seen[key] = true
			return Likeness(r.IntN(3)), nil
		})
		if err != nil || !got.Complete || len(got.Packages) == 0 || len(without(got.Packages, all)) > 0 {
			t.Fatalf("seed %d: %+v, %v", seed, got, err)
		}
	}
}

func TestResembles(t *testing.T) {
	at := func(low, high float64) *stats.Interval { return &stats.Interval{Low: low, High: high} }
	for _, test := range []struct {
		whole float64
		ratio *stats.Interval
		want  Likeness
	}{
		{0.81, at(0.97, 1.01), LikeOld}, {0.81, at(0.78, 0.84), LikeNew}, {0.81, at(0.88, 0.92), Unclear},
		{0.81, at(0.70, 1.10), Unclear}, {0.81, at(0.5, 0.6), LikeNew}, {0.81, at(1.2, 1.3), LikeOld},
		{1.21, at(0.97, 1.01), LikeOld}, {1.21, at(1.19, 1.24), LikeNew}, {1.21, at(1.08, 1.12), Unclear},
		{0.81, nil, Unclear}, {0, at(0.9, 1), Unclear}, {1, at(1.01, 1.02), Unclear}, {math.NaN(), at(0.9, 1), Unclear},
	} {
		if got := Resembles(test.whole, test.ratio); got != test.want {
			t.Errorf("%v of %v: %d, want %d", test.ratio, test.whole, got, test.want)
		}
	}
}

func TestPrecision(t *testing.T) {
	for _, test := range []struct{ whole, asked, want float64 }{
		{0.94, 0.03, 0.0155}, {1 / 0.94, 0.03, 0.0155}, {0.9, 0.03, 0.0263}, {0.5, 0.03, 0.03}, {3, 0.3, 0.2747},
		{0.98, 0.03, 0.01}, {0.98, 0.005, 0.005}, {1, 0.03, 0.01}, {0, 0.03, 0.03}, {math.NaN(), 0.03, 0.03}, {math.Inf(1), 0.03, 0.03},
	} {
		if got := Precision(test.whole, test.asked); math.Abs(got-test.want) > 5e-5 {
			t.Errorf("of %g, where ± %g was asked for: ± %g, want ± %g", test.whole, test.asked, got, test.want)
		}
	}
}

// unclear is the share of campaigns, known to ± half as logarithms, that do not
// tell that a set is like the old one.
func unclear(whole, half float64) float64 {
	const campaigns, quantile = 4000, 1.96
	random, n := rand.New(rand.NewPCG(20200810, 5)), 0
	for range campaigns {
		estimate := random.NormFloat64() * half / quantile
		if Resembles(whole, &stats.Interval{Low: math.Exp(estimate - half), High: math.Exp(estimate + half)}) != LikeOld {
			n++
		}
	}
	return float64(n) / campaigns
}

// What the ratio of the whole upgrade was known to leaves every second
// intermediate set of a small upgrade unclear.
func TestPrecisionTellsOldFromNew(t *testing.T) {
	const asked = 0.03
	for _, whole := range []float64{0.5, 0.9, 0.94, 0.95, 1.05, 1.06, 2} {
		if share := unclear(whole, math.Log1p(Precision(whole, asked))); share > 0.05 {
			t.Errorf("upgrade to %g times: %.1f %% of the sets are unclear", whole, 100*share)
		}
	}
	if share := unclear(0.94, math.Log1p(asked)); share < 0.3 {
		t.Errorf("known to ± 3 %%, only %.1f %% of the sets between are unclear", 100*share)
	}
}

package scheduler

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

func TestOrder(t *testing.T) {
	tests := map[string]struct {
		kind bench.Order
		seed uint64
		want [][]int // of rounds 1, 2, 3, 4
	}{
		"fixed":   {bench.OrderFixed, 1, [][]int{{0, 1, 2}, {0, 1, 2}, {0, 1, 2}, {0, 1, 2}}},
		"rotated": {bench.OrderRotated, 1, [][]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 1, 2}}},
		// Written down once: a seed in an old history must go on telling what was done.
		"shuffled": {bench.OrderShuffled, 42, [][]int{{2, 1, 0}, {2, 1, 0}, {1, 0, 2}, {2, 1, 0}}},
	}
	for name, test := range tests {
		var got [][]int
		for round := 1; round <= len(test.want); round++ {
			got = append(got, order(test.kind, test.seed, round, 3))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestOrderHasEveryTargetOnce(t *testing.T) {
	for _, kind := range []bench.Order{bench.OrderFixed, bench.OrderRotated, bench.OrderShuffled} {
		for n := range 24 {
			for round := 1; round <= 30; round++ {
				got := order(kind, 7, round, n)
				slices.Sort(got)
				for i := range n {
					if len(got) != n || got[i] != i {
						t.Fatalf("%s, round %d of %d targets: %v", kind, round, n, got)
					}
				}
			}
		}
	}
}

func TestShuffledDependsOnSeedAndRound(t *testing.T) {
	first := order(bench.OrderShuffled, 1, 1, 20)
	if !slices.Equal(first, order(bench.OrderShuffled, 1, 1, 20)) {
		t.Error("the same seed and round gave two orders")
	}
	if slices.Equal(first, order(bench.OrderShuffled, 2, 1, 20)) {
		t.Error("another seed gave the same order")
	}
	if slices.Equal(first, order(bench.OrderShuffled, 1, 2, 20)) {
		t.Error("another round gave the same order")
	}
}

// Each target takes each place equally often: 600 rounds of 6 targets give 100
// of every pair; five standard deviations (9.1 each) are allowed for.
func TestShuffledIsFair(t *testing.T) {
	var places [6][6]int
	for round := 1; round <= 600; round++ {
		for position, i := range order(bench.OrderShuffled, 3, round, 6) {
			places[i][position]++
		}
	}
	for i, row := range places {
		for position, n := range row {
			if n < 54 || n > 146 {
				t.Errorf("target %d was %d times at place %d, want about 100", i, n, position)
			}
		}
	}
}

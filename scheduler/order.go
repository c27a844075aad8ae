package scheduler

import (
	"math/rand/v2"

	"restbench/internal/bench"
)

// order gives the indices of n targets in the order in which round (from 1) of
// a campaign measures them. It depends on its arguments alone, so that a stored
// seed tells what was done.
func order(kind bench.Order, seed uint64, round, n int) []int {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	switch kind {
	case bench.OrderRotated:
		for i := range indices {
			indices[i] = (i + round - 1) % n
		}
	case bench.OrderShuffled:
		r := rand.New(rand.NewPCG(seed, uint64(round)))
		r.Shuffle(n, func(i, j int) { indices[i], indices[j] = indices[j], indices[i] })
	}
	return indices
}

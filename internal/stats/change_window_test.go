package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A window that was slid must be the one that would have been sorted anew.
func TestASlidWindowIsASortedOne(t *testing.T) {
	random := rand.New(rand.NewPCG(14, 20200810))
	for _, n := range []int{7, 12, 30, 31, 42} {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(random.IntN(9)) // with ties
		}
		var slid window
		for end := n - 2; end >= 3; end-- {
			slid.slide(values, end)
			part := values[max(0, end-longestBaseline):end]
			distances := make([]float64, len(part))
			for i, v := range part {
				distances[i] = math.Abs(v - Median(part))
			}
			if slid.n != len(part) || slid.median() != Median(part) || slid.deviation() != Median(distances) {
				t.Fatalf("%d of %d values: median %v of %d, deviation %v; want %v of %d, %v", end, n,
					slid.median(), slid.n, slid.deviation(), Median(part), len(part), Median(distances))
			}
		}
	}
}

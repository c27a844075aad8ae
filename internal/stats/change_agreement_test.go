package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The numbers in agreementCost against 20,000 tails of each length.
func TestAgreementCost(t *testing.T) {
	random := rand.New(rand.NewPCG(12, 20200810))
	for length := shortestTail; length <= longestTail; length++ {
		var sum, squares float64
		const tails = 20000
		for range tails {
			scores := make([]float64, length)
			for i := range scores {
				scores[i] = 3 + random.NormFloat64() // far enough from zero to have a sign
			}
			m := agreedMean(scores) - 3
			sum += m
			squares += m * m
		}
		mean := sum / tails
		wider := math.Sqrt((squares/tails - mean*mean) * float64(length))
		lost, expected := agreementCost(length)
		if math.Abs(lost+mean) > 0.07 || math.Abs(wider-expected) > 0.05 {
			t.Errorf("%d campaigns: lost %.3f, wider by %.3f; want %.3f and %.3f", length, -mean, wider, lost, expected)
		}
	}
}

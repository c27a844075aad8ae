package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

// formerly is a quiet field of 20 campaigns, and 14 since, of which disturb may alter
// each; the first two of them are the change.
func formerly(series int, disturb func(since int, values []float64)) int {
	field := quietField(rand.New(rand.NewPCG(6, 20200810)))
	var before, since [][]float64
	for range 20 {
		before = append(before, field())
	}
	for i := range 14 {
		values := field()
		disturb(i, values)
		since = append(since, values)
	}
	former, ok := stats.NewFormer(before, series)
	if !ok {
		return -1
	}
	return former.Back(since[:2], since[2:])
}

func scale(values []float64, series int, factor float64) {
	for i := range values {
		if series == stats.WholeField || i == series {
			values[i] *= factor
		}
	}
}

func TestFormerTellsWhatIsBack(t *testing.T) {
	for name, test := range map[string]struct {
		series      int
		level, last float64 // of the change, and of the newest campaigns
		good        int     // how many those are
		want        bool
	}{
		"a slow target that is back":       {4, 0.85, 1, 3, true},
		"a quick one":                      {4, 1.2, 1, 3, true},
		"for two campaigns":                {4, 0.85, 1, 2, false},
		"not at all":                       {4, 0.85, 0.85, 3, false},
		"hardly":                           {4, 0.85, 0.91, 12, false},
		"mostly":                           {4, 0.85, 0.98, 12, true},
		"to a third":                       {4, 0.85, 0.95, 12, false},
		"beyond":                           {4, 0.85, 1.12, 12, false},
		"a change too small to say":        {4, 0.997, 1, 12, false},
		"a slow field that is back":        {stats.WholeField, 0.7, 1, 4, true},
		"a slow field":                     {stats.WholeField, 0.7, 0.7, 4, false},
		"a field that is faster than ever": {stats.WholeField, 0.7, 1.4, 12, false},
	} {
		got := formerly(test.series, func(since int, values []float64) {
			factor := test.level
			if since >= 14-test.good {
				factor = test.last
			}
			scale(values, test.series, factor)
		})
		if (got > 0) != test.want || got > test.good {
			t.Errorf("%s: %d campaigns of %d say so, want %t", name, got, test.good, test.want)
		}
	}
}

// With the newest campaign as bad as those of the change, nothing is back.
func TestFormerWantsAllOfTheNewest(t *testing.T) {
	if n := formerly(4, func(since int, values []float64) {
		if since < 2 || since == 13 {
			scale(values, 4, 0.85)
		}
	}); n != 0 {
		t.Errorf("the newest campaign is bad: %d campaigns say that it is over", n)
	}
}

// The mean of other series is the mean of another field.
func TestFormerNeedsTheField(t *testing.T) {
	lost := func(n int) int {
		return formerly(stats.WholeField, func(since int, values []float64) {
			if since < 2 {
				scale(values, stats.WholeField, 0.7)
			}
			for i := range n {
				values[i] = math.NaN()
			}
		})
	}
	if few, many := lost(3), lost(5); few == 0 || many != 0 {
		t.Errorf("without three of eleven %d, without five %d", few, many)
	}
	if _, ok := stats.NewFormer([][]float64{{1}, {1}, {1}}, 0); ok {
		t.Error("three campaigns are enough")
	}
}

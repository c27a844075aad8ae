package stats

import "testing"

func TestJudgeShift(t *testing.T) {
	at := func(low, high float64) *Interval { return &Interval{low, high} }
	for _, test := range []struct {
		estimate float64
		ratio    *Interval
		want     Verdict
	}{
		{0.90, at(0.88, 0.92), Slower},
		{0.93, at(0.89, 0.97), Slower}, // the interval need not lie beyond the threshold
		{0.93, at(0.86, 1.00), Unknown},
		{0.96, at(0.94, 0.98), Unknown}, // a loss, but not surely less than the threshold, nor more
		{0.97, at(0.96, 0.98), Same},    // a loss within the threshold
		{0.95, at(0.94, 0.96), Unknown}, // not more than the threshold
		{1.00, at(0.98, 1.02), Same},
		{1.00, at(0.80, 1.25), Unknown},
		{1.10, at(1.01, 1.20), Faster},
		{1.10, at(0.99, 1.22), Unknown},
		{0.50, nil, Unknown},
	} {
		if got := JudgeShift(test.estimate, test.ratio, 0.05); got != test.want {
			t.Errorf("%v %v: %s, want %s", test.estimate, test.ratio, got, test.want)
		}
	}
}

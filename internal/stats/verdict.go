package stats

// Verdict is what an interval says about a ratio and a threshold.
type Verdict string

// The verdicts.
const (
	Faster  Verdict = "faster"
	Slower  Verdict = "slower"
	Same    Verdict = "same"
	Unknown Verdict = "unknown"
)

// Judge compares the interval of a ratio with 1 ± threshold. A difference is
// called only where the whole interval lies beyond, and sameness only where all
// of it lies within: a noisy comparison finds neither, and says so. With a 95 %
// interval each of the three verdicts is wrong in at most 5 % of comparisons, and
// in far fewer where the interval is narrow beside the threshold: two that are
// the same have to miss 1 by the threshold and half the interval.
func Judge(ratio *Interval, threshold float64) Verdict {
	low, high := 1-threshold, 1+threshold
	switch {
	case ratio == nil:
		return Unknown
	case ratio.High < low:
		return Slower
	case ratio.Low > high:
		return Faster
	case ratio.Low >= low && ratio.High <= high:
		return Same
	}
	return Unknown
}

package stats

// JudgeShift is Judge for those who want to hear of a loss as soon as there is
// one: a difference is called where the estimate lies beyond the threshold and
// the whole interval on its side of 1. With a 95 % interval two that are the
// same are called different in at most 5 % of cases, and in far fewer where the
// interval is narrow beside the threshold.
func JudgeShift(estimate float64, ratio *Interval, threshold float64) Verdict {
	low, high := 1-threshold, 1+threshold
	switch {
	case ratio == nil:
		return Unknown
	case estimate < low && ratio.High < 1:
		return Slower
	case estimate > high && ratio.Low > 1:
		return Faster
	case ratio.Low >= low && ratio.High <= high:
		return Same
	}
	return Unknown
}

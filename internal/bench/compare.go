package bench

import "time"

// ProtocolCompare names the protocol of two targets that are compared.
const ProtocolCompare = "compare"

// Compare is the protocol for two targets that are measured for a length of time:
// short measurements in many rounds, shuffled, on servers that are started anew
// every second round, because one start of a server differs from the next. It
// ends earlier when the ratio is known to ± a quarter of the threshold: then more
// rounds would not change the verdict.
func Compare(length time.Duration, threshold float64) Protocol {
	p := Adaptive()
	p.Name, p.Precision = ProtocolCompare, threshold/precisions
	return p.Filling(length, 2)
}

// precisions is how many precisions make a threshold.
const precisions = 4

// Threshold is the one that a comparison was made for.
func (p Protocol) Threshold() float64 { return precisions * p.Precision }

// Filling gives p as many rounds of targets as a length of time has room for,
// and that length as its limit.
func (p Protocol) Filling(length time.Duration, targets int) Protocol {
	round := time.Duration(targets) * (p.Duration + p.Warmup)
	p.Limit, p.Rounds = length/time.Duration(targets), 1
	if round > 0 {
		p.Rounds = max(1, int((length+round-1)/round))
	}
	p.Restart = min(p.Restart, p.Rounds)
	return p
}

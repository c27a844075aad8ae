package bench

import "time"

// ProtocolCompare names the protocol of two targets that are compared.
const ProtocolCompare = "compare"

// comparePrecision is when more rounds would not change what a comparison is
// used for: far below the threshold of any verdict.
const comparePrecision = 0.0025

// Compare is the protocol for two targets that are measured for a time: short
// measurements in many rounds, shuffled, on servers that are started anew every
// second round, because one start of a server differs from the next.
func Compare(length time.Duration) Protocol {
	p := Adaptive()
	p.Name, p.Precision = ProtocolCompare, comparePrecision
	return p.Filling(length, 2)
}

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

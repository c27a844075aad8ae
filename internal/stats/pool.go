package stats

// Pooled is a ratio of several members that were measured in the same rounds.
type Pooled struct {
	All  LogRatio   // geometric mean over the members
	Each []LogRatio // by member
}

// PoolRatios describes logarithms of ratios, rounds[r][m] that of member m in
// round r; every round has all members. The members of one round saw the same
// machine, so the pooled interval rests on the rounds' means: a round is one
// observation, however many members it has. It assumes of those what Summarize
// does.
func PoolRatios(rounds [][]float64) Pooled {
	if len(rounds) == 0 {
		return Pooled{}
	}
	means := make([]float64, len(rounds))
	members := make([][]float64, len(rounds[0]))
	for r, logs := range rounds {
		means[r] = Summarize(logs).Mean
		for m, log := range logs {
			members[m] = append(members[m], log)
		}
	}
	p := Pooled{All: SummarizeLogs(means)}
	for _, logs := range members {
		p.Each = append(p.Each, SummarizeLogs(logs))
	}
	return p
}

package bench

// Means are what most measurements were made with, of equals the first: engine, pinning
// and idle limit, other ones of which give other rates on the same machine. The idle
// limit is that of the machine: another program may ask for one during a few of them.
// Empty without measurements.
func Means(ms []Measurement) (most string) {
	counts := map[string]int{}
	for _, m := range ms {
		counts[m.means()]++
	}
	for _, m := range ms {
		if one := m.means(); counts[one] > counts[most] {
			most = one
		}
	}
	return most
}

func (m Measurement) means() string {
	means := m.Load.Engine
	if pinning := m.Conditions.Pinning; pinning != "" && pinning != PinningNone {
		means += " pinned " + pinning
	}
	if limit := m.Conditions.IdleLimit; limit != "" {
		means += " idle " + limit
	}
	return means
}

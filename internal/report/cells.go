package report

import "math"

// ratioDecimals are shown at most of a ratio, as published.
const ratioDecimals = 2

// decimals are shown at most of a rate: tenths only where they are news.
func (e Estimate) decimals() int {
	if e.Mean < 1000 {
		return 1
	}
	return 0
}

// Rate writes a mean of requests per second with honest digits.
func Rate(e Estimate) string { return Number(e.Mean, below(margin(e.CI95), e.Mean), e.decimals()) }

// below bounds a margin by the number that it belongs to: a number that is less
// sure than it is large still shows two digits, and not nothing.
func below(margin, x float64) float64 { return min(margin, math.Abs(x)) }

func rateSpread(e Estimate) string {
	if e.Stddev == nil {
		return none
	}
	return Number(*e.Stddev, *e.Stddev, e.decimals())
}

func rateInterval(e Estimate) string {
	if e.CI95 == nil {
		return none
	}
	return span(*e.CI95, e.decimals())
}

// Relative writes a ratio with honest digits; the base's own is exactly 1.
func Relative(ratio float64, ci *Interval) string {
	if ratio == 1 && margin(ci) == 0 {
		return "1"
	}
	return Number(ratio, below(margin(ci), ratio), ratioDecimals)
}

func relativeCell(r Row) string {
	if r.Relative == nil {
		return none
	}
	return Relative(*r.Relative, r.RelativeCI95)
}

func relativeInterval(r Row) string {
	if r.RelativeCI95 == nil || margin(r.RelativeCI95) == 0 {
		return none
	}
	return span(*r.RelativeCI95, ratioDecimals)
}

func span(i Interval, decimals int) string {
	m := margin(&i)
	return Number(i.Low(), m, decimals) + " – " + Number(i.High(), m, decimals)
}

func latencyCell(r Row, name string) string {
	if s, ok := r.LatencySeconds[name]; ok {
		return Seconds(s)
	}
	return none
}

func secondsCell(s *float64) string {
	if s == nil {
		return none
	}
	return Seconds(*s)
}

func bytesCell(n *int64) string {
	if n == nil {
		return none
	}
	return Bytes(*n)
}

func limitCell(r Row) string {
	if r.LimitedBy == nil {
		return none
	}
	return *r.LimitedBy
}

func errorSum(r Row) int64 {
	var sum int64
	for _, n := range r.Errors {
		sum += n
	}
	return sum
}

func known(s string) string {
	if s == "" {
		return none
	}
	return s
}

package load

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Bounds of the histogram in microseconds: what is longer counts as the longest.
const (
	shortest = 1
	longest  = 60_000_000
	digits   = 3
)

// latency is the distribution of the times of right answers.
type latency struct {
	histogram *hdr.Histogram
	sum       time.Duration // exact, where the histogram rounds
}

func newLatency() latency { return latency{histogram: hdr.New(shortest, longest, digits)} }

func (l *latency) record(d time.Duration) {
	l.sum += d
	micros := min(max(int64(d+500)/1000, shortest), longest)
	_ = l.histogram.RecordValue(micros) // within its bounds
}

func (l *latency) merge(other latency) {
	l.histogram.Merge(other.histogram)
	l.sum += other.sum
}

func (l *latency) encode() ([]byte, error) {
	return l.histogram.Encode(hdr.V2CompressedEncodingCookieBase)
}

// usual is what nine of ten answers took at the most; 0 without answers.
func (l *latency) usual() time.Duration {
	return time.Duration(l.histogram.ValueAtQuantile(90)) * time.Microsecond
}

// quantiles are in seconds; there are none without answers.
func (l *latency) quantiles() map[string]float64 {
	n := l.histogram.TotalCount()
	if n == 0 {
		return nil
	}
	seconds := func(percent float64) float64 {
		return float64(l.histogram.ValueAtQuantile(percent)) / 1e6
	}
	return map[string]float64{
		"p50": seconds(50), "p90": seconds(90), "p99": seconds(99), "p99.9": seconds(99.9),
		"mean": l.sum.Seconds() / float64(n),
	}
}

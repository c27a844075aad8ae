package exporter

import (
	"maps"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"restbench/internal/report"
)

const (
	classicBuckets = 17       // upper bounds from classicFirst, each twice the one before: 0.1 ms to 6.6 s
	classicFirst   = 0.0001   // seconds
	nativeSchema   = 3        // 8 buckets to a doubling: factor 2^(1/8) = 1.09, the finest one not above 1.1
	nativeZero     = 0x1p-128 // seconds; what is below counts as zero
)

// latency is the histogram of one target since the process started. It is never
// changed: plus returns a new one.
//
// Counts come in whole measurements out of an HdrHistogram, never request by
// request, so prometheus.Histogram with its Observe is of no use here.
type latency struct {
	created time.Time
	count   uint64
	sum     float64 // seconds
	zero    uint64
	classic []uint64      // cumulative
	native  map[int]int64 // by index; bucket i ends at 2^(i/8) seconds
}

func newLatency(created time.Time) *latency {
	return &latency{created: created, classic: make([]uint64, classicBuckets), native: map[int]int64{}}
}

// plus adds a measurement's latencies in microseconds.
func (l *latency) plus(h *hdrhistogram.Histogram) *latency {
	next := *l
	classic, count, sum := report.Cumulative(h, classicBounds())
	next.count += count
	next.sum += sum
	next.classic = classic
	for i, n := range l.classic {
		next.classic[i] += n
	}
	next.native = maps.Clone(l.native)
	for _, bar := range h.Distribution() {
		next.add(float64(bar.From+bar.To)/2*1e-6, bar.Count) // the same middle as Cumulative takes
	}
	return &next
}

func (l *latency) add(seconds float64, n int64) {
	switch {
	case n <= 0:
	case seconds <= nativeZero:
		l.zero += uint64(n)
	default:
		l.native[nativeIndex(seconds)] += n
	}
}

// classicBounds are upper bounds in seconds, inclusive.
func classicBounds() []float64 {
	return prometheus.ExponentialBuckets(classicFirst, 2, classicBuckets)
}

func nativeIndex(seconds float64) int {
	return int(math.Ceil(math.Log2(seconds) * (1 << nativeSchema)))
}

// metric is the histogram in both forms: those who ask for native histograms
// get that one, all others the classic buckets.
func (l *latency) metric(desc *prometheus.Desc, labels []string) (prometheus.Metric, error) {
	native, err := prometheus.NewConstNativeHistogram(desc, l.count, l.sum, l.native, nil,
		l.zero, nativeSchema, nativeZero, l.created, labels...)
	if err != nil {
		return nil, err
	}
	m := &histogramMetric{desc: desc}
	if err := native.Write(&m.out); err != nil {
		return nil, err
	}
	m.out.Histogram.Bucket = l.buckets()
	if len(m.out.Histogram.PositiveSpan) == 0 {
		// Without any span an empty histogram would not be seen as native.
		m.out.Histogram.PositiveSpan = []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(0)}}
	}
	return m, nil
}

func (l *latency) buckets() []*dto.Bucket {
	buckets := make([]*dto.Bucket, classicBuckets)
	for i, bound := range classicBounds() {
		buckets[i] = &dto.Bucket{CumulativeCount: new(l.classic[i]), UpperBound: new(bound)}
	}
	return buckets
}

// histogramMetric hands out what was computed once; readers do not change it.
type histogramMetric struct {
	desc *prometheus.Desc
	out  dto.Metric
}

func (m *histogramMetric) Desc() *prometheus.Desc { return m.desc }

func (m *histogramMetric) Write(out *dto.Metric) error {
	out.Label, out.Histogram = m.out.Label, m.out.Histogram
	return nil
}

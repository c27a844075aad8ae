package report_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
	"restbench/internal/report"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

func recorded(t *testing.T, values ...int64) *hdrhistogram.Histogram {
	t.Helper()
	h := hdrhistogram.New(1, 60_000_000, 3)
	for _, v := range values {
		if err := h.RecordValue(v); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func encoded(t *testing.T, values ...int64) []byte {
	t.Helper()
	return must[[]byte](t)(recorded(t, values...).Encode(hdrhistogram.V2CompressedEncodingCookieBase))
}

func TestCumulative(t *testing.T) {
	// 50, 100, 100, 101, 300 µs and 2 s against 0.1, 0.2, 0.4 ms: a value on a bound is in it.
	h := recorded(t, 50, 100, 100, 101, 300, 2_000_000)
	counts, count, sum := report.Cumulative(h, []float64{1e-4, 2e-4, 4e-4})
	if diff := cmp.Diff([]uint64{3, 4, 5}, counts); diff != "" || count != 6 {
		t.Errorf("count %d, %s", count, diff)
	}
	near(t, "sum", sum, 2.000651, 2.0*0.0005)
}

// Against a direct count of the same values, and rising as Prometheus demands.
func TestCumulativeAgainstDirectCount(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var values []int64
	for range 20_000 {
		values = append(values, 1+int64(math.Exp(6+1.5*random.NormFloat64())))
	}
	var bounds []float64
	for i := range 17 {
		bounds = append(bounds, 1e-4*math.Pow(2, float64(i)))
	}
	counts, count, sum := report.Cumulative(recorded(t, values...), bounds)
	direct := 0.0
	for i, bound := range bounds {
		n := 0
		for _, v := range values {
			if float64(v) <= bound*1e6+1e-6 {
				n++
			}
		}
		near(t, "count", float64(counts[i]), float64(n), 0.001*float64(len(values)))
	}
	for _, v := range values {
		direct += float64(v) / 1e6
	}
	near(t, "sum", sum, direct, 0.0005*direct)
	if !slices.IsSorted(counts) || count != uint64(len(values)) || counts[16] > count {
		t.Errorf("counts %v of %d", counts, count)
	}
}

func TestQuantilesOfAllRoundsTogether(t *testing.T) {
	c, ms := small()
	of(ms, target("fast", "current"), func(m *bench.Measurement) {
		m.Load.Latency = encoded(t, 1000)
		if m.Round == 3 { // 98 of 100 requests are of this round
			m.Load.Latency = encoded(t, slices.Repeat([]int64{2000}, 98)...)
		}
	})
	got := row(report.New(c, ms), "fast@current").LatencySeconds
	if diff := cmp.Diff(map[string]float64{"p50": 0.002, "p90": 0.002, "p99": 0.002, "p99.9": 0.002}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLatencyCorrectedByWrk(t *testing.T) {
	c, ms := small()
	of(ms, target("fast", "current"), func(m *bench.Measurement) {
		m.Load.LatencyCorrected, m.Load.BodyUnchecked, m.Load.Latency = true, true, nil
		m.Load.Quantiles = map[string]float64{"p50": 0.001 * float64(m.Round*m.Round), "mean": 1}
	})
	got := row(report.New(c, ms), "fast@current")
	if diff := cmp.Diff(map[string]float64{"p50": 0.004}, got.LatencySeconds); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"body unchecked", "latency corrected by wrk, median of the rounds"}, got.Marks); diff != "" {
		t.Error(diff)
	}
	if h, err := report.Latency(ms[1].Load); h != nil || err != nil {
		t.Errorf("a corrected latency has a histogram: %v, %v", h, err)
	}
}

func TestUnreadableLatencyIsMarked(t *testing.T) {
	c, ms := small()
	of(ms, target("fast", "current"), func(m *bench.Measurement) {
		if m.Round == 2 {
			m.Load.Latency = []byte("not a histogram")
		}
	})
	got := row(report.New(c, ms), "fast@current")
	if len(got.LatencySeconds) != 4 || !strings.Contains(strings.Join(got.Marks, ";"), "latency of 1 round cannot be read") {
		t.Errorf("%v, marks %v", got.LatencySeconds, got.Marks)
	}
}

func TestNoLatency(t *testing.T) {
	if h, err := report.Latency(bench.Load{}); h != nil || err != nil {
		t.Errorf("%v, %v", h, err)
	}
}

package exporter

import (
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"restbench/internal/bench"
)

// histogramOf scrapes e in a format and returns sanic's latencies.
func histogramOf(t *testing.T, e *Exporter, accept string) *dto.Histogram {
	t.Helper()
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	decoder := expfmt.NewDecoder(response.Body, expfmt.ResponseFormat(response.Header))
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			t.Fatal("no histogram")
		} else if err != nil {
			t.Fatal(err)
		}
		for _, m := range family.GetMetric() {
			if family.GetName() == "restbench_request_duration_seconds" && m.GetLabel()[1].GetValue() == "sanic" {
				return m.GetHistogram()
			}
		}
	}
}

const protobuf = `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited`

func TestHistogramInBothForms(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1) // three times 1, 100, 150 and 12,345 µs
	for name, accept := range map[string]string{"text": "text/plain;version=0.0.4", "protobuf": protobuf} {
		t.Run(name, func(t *testing.T) {
			h := histogramOf(t, e, accept)
			if h.GetSampleCount() != 12 || math.Abs(h.GetSampleSum()-3*0.012596) > 1e-5 {
				t.Errorf("count %d, sum %v", h.GetSampleCount(), h.GetSampleSum())
			}
			got := map[float64]uint64{}
			for _, b := range h.GetBucket() {
				got[b.GetUpperBound()] = b.GetCumulativeCount()
			}
			for bound, want := range map[float64]uint64{0.0001: 6, 0.0002: 9, 0.0064: 9, 0.0128: 12, 6.5536: 12} {
				if got[bound] != want {
					t.Errorf("le %v: %d, want %d", bound, got[bound], want)
				}
			}
		})
	}
	h := histogramOf(t, e, protobuf)
	if len(h.GetBucket()) != 17 {
		t.Errorf("%d classic buckets, want 17", len(h.GetBucket()))
	}
	checkNative(t, h, map[float64]int64{1e-6: 3, 100e-6: 3, 150e-6: 3, 12_345e-6: 3})
}

func checkNative(t *testing.T, h *dto.Histogram, want map[float64]int64) {
	t.Helper()
	factor := math.Pow(2, math.Pow(2, -float64(h.GetSchema())))
	if factor > 1.1 || factor < 1.05 {
		t.Errorf("factor %v, want the coarsest up to 1.1", factor)
	}
	counts := dense(h)
	var sum int64
	for _, n := range counts {
		sum += n
	}
	if uint64(sum)+h.GetZeroCount() != h.GetSampleCount() {
		t.Errorf("native buckets hold %d of %d", sum, h.GetSampleCount())
	}
	for value, count := range want {
		found := false
		for i, n := range counts {
			upper := math.Pow(factor, float64(i))
			if n == count && value <= upper*1.001 && value > upper/factor*0.999 {
				found = true
			}
		}
		if !found {
			t.Errorf("no native bucket around %v holds %d: %v", value, count, counts)
		}
	}
}

// An empty histogram must look native from the start: Prometheus would take it
// for a classic one, and the first values would be lost.
func TestEmptyHistogramIsNative(t *testing.T) {
	h := histogramOf(t, newExporter(t, options()), protobuf)
	if len(h.GetPositiveSpan()) == 0 || len(h.GetBucket()) != 17 || h.GetSampleCount() != 0 {
		t.Errorf("spans %v, buckets %d", h.GetPositiveSpan(), len(h.GetBucket()))
	}
}

func TestOpenMetrics(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	e.Handler().ServeHTTP(recorder, request)
	text := recorder.Body.String()
	for _, want := range []string{
		"# TYPE restbench_responses counter\n", "# EOF\n", `le="0.0001"} 6` + "\n", `le="+Inf"} 12` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}

// Reference: client_golang's own native histogram, fed value by value, must have
// the same buckets.
func TestNativeAgreesWithObserve(t *testing.T) {
	reference := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", NativeHistogramBucketFactor: 1.1})
	h := hdrhistogram.New(1, 60_000_000, 3)
	for v := int64(1); v < 2048; v++ { // below that an HDR cell is one value
		reference.Observe(float64(v) * 1e-6)
		if err := h.RecordValue(v); err != nil {
			t.Fatal(err)
		}
	}
	var want dto.Metric
	if err := reference.Write(&want); err != nil {
		t.Fatal(err)
	}
	desc := prometheus.NewDesc("x", "", nil, nil)
	m, err := newLatency(noon()).plus(h).metric(desc, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got dto.Metric
	if err := m.Write(&got); err != nil {
		t.Fatal(err)
	}
	if g, w := dense(got.GetHistogram()), dense(want.GetHistogram()); !maps.Equal(g, w) {
		t.Errorf("got  %v\nwant %v", g, w)
	}
	if got.GetHistogram().GetSchema() != want.GetHistogram().GetSchema() {
		t.Errorf("schema %d, want %d", got.GetHistogram().GetSchema(), want.GetHistogram().GetSchema())
	}
}

// dense decodes native buckets as a reader does: spans of consecutive ones, each
// count as the difference to the one before.
func dense(h *dto.Histogram) map[int]int64 {
	counts, deltas, at, n := map[int]int64{}, h.GetPositiveDelta(), 0, int64(0)
	for _, span := range h.GetPositiveSpan() {
		at += int(span.GetOffset())
		for range span.GetLength() {
			n, deltas = n+deltas[0], deltas[1:]
			if n > 0 {
				counts[at] = n
			}
			at++
		}
	}
	return counts
}

// What is not a true latency, or cannot be read, is not counted as one.
func TestLatenciesThatDoNotCount(t *testing.T) {
	cases := map[string]func(*bench.Measurement){
		"corrected":  func(m *bench.Measurement) { m.Load.LatencyCorrected = true },
		"none":       func(m *bench.Measurement) { m.Load.Latency = nil },
		"unreadable": func(m *bench.Measurement) { m.Load.Latency = []byte("garbage") },
		"invalid": func(m *bench.Measurement) {
			m.Marks = []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonPause}}
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			e := newExporter(t, options())
			m := measured(sanic(), 1, 1000)
			change(&m)
			begin(e, campaign(1, short(), sanic())).measure(m)
			if h := histogramOf(t, e, protobuf); h.GetSampleCount() != 0 {
				t.Errorf("count %d, want 0", h.GetSampleCount())
			}
			wantValue(t, e, 10_000, "restbench_responses_total", "framework", "sanic")
		})
	}
}

package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"restbench/internal/bench"
)

// WriteOpenMetrics writes the history of results for
// "promtool tsdb create-blocks-from openmetrics": the same names and labels as
// the daemon's result metrics and its controls, one sample a campaign at the time
// when it finished. Campaigns that feed no metrics (other kinds than scheduled and
// confirm), that did not finish, or that have no result are left out, as they
// are there. Labels are added to every sample, such as job and instance, which
// a scrape would add.
func WriteOpenMetrics(w io.Writer, results []Result, labels map[string]string) error {
	history := slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return !feedsMetrics(r.Campaign) })
	slices.SortFunc(history, func(a, b Result) int {
		return cmp.Or(a.Campaign.Finished.Compare(*b.Campaign.Finished), cmp.Compare(a.Campaign.ID, b.Campaign.ID))
	})
	var out bytes.Buffer
	for _, f := range Metrics() {
		f.write(&out, history, labels)
	}
	writeControls(&out, history, labels)
	out.WriteString("# EOF\n")
	_, err := w.Write(out.Bytes())
	return err
}

func feedsMetrics(h Header) bool {
	return h.Finished != nil && h.State == bench.StateFinished &&
		(h.Kind == bench.KindScheduled || h.Kind == bench.KindConfirm)
}

// Metric is a result of a target as a gauge: the same for a scrape and for the
// history.
type Metric struct {
	Name  string // without the prefix restbench_
	Help  string
	Unit  string // as OpenMetrics declares it; often it is only in the name
	Value func(Row) *float64
}

// Metrics lists them all.
func Metrics() []Metric {
	low := func(i *Interval) *float64 { return intervalEnd(i, 0) }
	high := func(i *Interval) *float64 { return intervalEnd(i, 1) }
	return []Metric{
		{"requests_per_second", "Right answers per second, mean over the rounds.", "",
			func(r Row) *float64 { return &r.RequestsPerSecond.Mean }},
		{"requests_per_second_stddev", "Standard deviation of the right answers per second over the rounds, absent below two rounds.", "",
			func(r Row) *float64 { return r.RequestsPerSecond.Stddev }},
		{"requests_per_second_ci95_low", "Lower end of the 95 % confidence interval of the mean right answers per second.", "",
			func(r Row) *float64 { return low(r.RequestsPerSecond.CI95) }},
		{"requests_per_second_ci95_high", "Upper end of the 95 % confidence interval of the mean right answers per second.", "",
			func(r Row) *float64 { return high(r.RequestsPerSecond.CI95) }},
		{"relative_performance", "Mean right answers per second divided by those of the base, the slowest framework of the edition (slowest = 1).", "",
			func(r Row) *float64 { return r.Relative }},
		{"relative_performance_ci95_low", "Lower end of the 95 % confidence interval of the relative performance, from the ratios inside the rounds.", "",
			func(r Row) *float64 { return low(r.RelativeCI95) }},
		{"relative_performance_ci95_high", "Upper end of the 95 % confidence interval of the relative performance, from the ratios inside the rounds.", "",
			func(r Row) *float64 { return high(r.RelativeCI95) }},
		{"rounds", "Number of valid rounds that the results rest on.", "",
			func(r Row) *float64 { n := float64(r.Rounds); return &n }},
		{"server_cpu_seconds_per_request", "Processor seconds of the server's whole process tree per right answer.", "",
			func(r Row) *float64 { return r.ServerCPUSecondsPerReq }},
		{"server_memory_bytes", "Memory of the server's whole process tree after a round in bytes (proportional set size), median over the rounds.", "bytes",
			func(r Row) *float64 { return toFloat(r.ServerMemoryBytes) }},
		{"client_cpu_seconds_per_request", "Processor seconds of the load generator per right answer.", "",
			func(r Row) *float64 { return r.ClientCPUSecondsPerReq }},
	}
}

func intervalEnd(i *Interval, which int) *float64 {
	if i == nil {
		return nil
	}
	return &i[which]
}

func toFloat(n *int64) *float64 {
	if n == nil {
		return nil
	}
	x := float64(*n)
	return &x
}

// sample is one value of one series, in the form of the text format.
type sample struct {
	labels string
	value  float64
	at     time.Time
}

func (f Metric) write(out *bytes.Buffer, history []Result, labels map[string]string) {
	var samples []sample
	for _, r := range history {
		for _, row := range r.Results {
			if value := f.Value(row); value != nil {
				samples = append(samples, sample{resultLabels(row, r.Campaign.Protocol, labels), *value, *r.Campaign.Finished})
			}
		}
	}
	writeFamily(out, f, samples)
}

// ControlMetric is the metric of restbench's own servers, which have the label
// control and no other.
func ControlMetric() Metric {
	return Metric{Name: "control_requests_per_second", Help: "Right answers per second of a server of restbench's own, mean over the rounds."}
}

// writeControls leaves out what was measured under another protocol than the
// newest: without its label two of them would meet in one series.
func writeControls(out *bytes.Buffer, history []Result, labels map[string]string) {
	var samples []sample
	for _, r := range history {
		if r.Campaign.Protocol.Hash() != history[len(history)-1].Campaign.Protocol.Hash() {
			continue
		}
		for _, row := range r.Controls {
			samples = append(samples, sample{labelText(map[string]string{"control": row.Framework}, labels), row.RequestsPerSecond.Mean, *r.Campaign.Finished})
		}
	}
	writeFamily(out, ControlMetric(), samples)
}

// writeFamily writes the family with its series together and rising in time, as
// the format demands.
func writeFamily(out *bytes.Buffer, f Metric, samples []sample) {
	if len(samples) == 0 {
		return
	}
	slices.SortStableFunc(samples, func(a, b sample) int {
		return cmp.Or(cmp.Compare(a.labels, b.labels), a.at.Compare(b.at))
	})
	samples = slices.CompactFunc(samples, func(a, b sample) bool { return a.labels == b.labels && a.at.Equal(b.at) })
	name := "restbench_" + f.Name
	fmt.Fprintf(out, "# TYPE %s gauge\n", name)
	if f.Unit != "" {
		fmt.Fprintf(out, "# UNIT %s %s\n", name, f.Unit)
	}
	fmt.Fprintf(out, "# HELP %s %s\n", name, f.Help)
	for _, s := range samples {
		fmt.Fprintf(out, "%s{%s} %s %s\n", name, s.labels, strconv.FormatFloat(s.value, 'g', -1, 64),
			strconv.FormatFloat(float64(s.at.UnixMilli())/1000, 'f', 3, 64))
	}
}

func resultLabels(r Row, p bench.Protocol, more map[string]string) string {
	return labelText(map[string]string{
		"framework": r.Framework, "edition": r.Edition, "serving": r.Serving, "workload": r.Workload, "protocol": p.Label(),
	}, more)
}

func labelText(own, more map[string]string) string {
	all := maps.Clone(own)
	maps.Copy(all, more)
	parts := make([]string, 0, len(all))
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	for name, value := range all {
		parts = append(parts, fmt.Sprintf(`%s="%s"`, name, escape.Replace(value)))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

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

// family is a metric as the daemon exposes it, with what it is in a Row.
type family struct {
	name, help, unit string
	value            func(Row) *float64
}

// WriteOpenMetrics writes the history of results for
// "promtool tsdb create-blocks-from openmetrics": the same names and labels as
// the daemon's result metrics, one sample a campaign at the time when it
// finished. Campaigns that feed no metrics (other kinds than scheduled and
// confirm), that did not finish, or that have no result are left out, as they
// are there. Labels are added to every sample, such as job and instance, which
// a scrape would add.
func WriteOpenMetrics(w io.Writer, results []Result, labels map[string]string) error {
	history := slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return !feedsMetrics(r.Campaign) })
	slices.SortFunc(history, func(a, b Result) int {
		return cmp.Or(a.Campaign.Finished.Compare(*b.Campaign.Finished), cmp.Compare(a.Campaign.ID, b.Campaign.ID))
	})
	var out bytes.Buffer
	for _, f := range families() {
		f.write(&out, history, labels)
	}
	out.WriteString("# EOF\n")
	_, err := w.Write(out.Bytes())
	return err
}

func feedsMetrics(h Header) bool {
	return h.Finished != nil && h.State == bench.StateFinished &&
		(h.Kind == bench.KindScheduled || h.Kind == bench.KindConfirm)
}

func families() []family {
	low := func(i *Interval) *float64 { return intervalEnd(i, 0) }
	high := func(i *Interval) *float64 { return intervalEnd(i, 1) }
	return []family{
		{"requests_per_second", "Mean of the rounds; right answers only.", "", func(r Row) *float64 { return &r.RequestsPerSecond.Mean }},
		{"requests_per_second_stddev", "Standard deviation of the rounds.", "", func(r Row) *float64 { return r.RequestsPerSecond.Stddev }},
		{"requests_per_second_ci95_low", "Lower end of the 95 % interval of the mean.", "", func(r Row) *float64 { return low(r.RequestsPerSecond.CI95) }},
		{"requests_per_second_ci95_high", "Upper end of the 95 % interval of the mean.", "", func(r Row) *float64 { return high(r.RequestsPerSecond.CI95) }},
		{"relative_performance", "Mean divided by the mean of the base (slowest = 1).", "", func(r Row) *float64 { return r.Relative }},
		{"relative_performance_ci95_low", "Lower end of the 95 % interval, from the ratios inside the rounds.", "", func(r Row) *float64 { return low(r.RelativeCI95) }},
		{"relative_performance_ci95_high", "Upper end of the 95 % interval, from the ratios inside the rounds.", "", func(r Row) *float64 { return high(r.RelativeCI95) }},
		{"rounds", "Rounds that the numbers rest on.", "", func(r Row) *float64 { n := float64(r.Rounds); return &n }},
		{"server_cpu_seconds_per_request", "Processor time that the server used for one request.", "", func(r Row) *float64 { return r.ServerCPUSecondsPerReq }},
		{"server_memory_bytes", "Memory of the server's processes, shared pages by share.", "bytes", func(r Row) *float64 { return toFloat(r.ServerMemoryBytes) }},
		{"client_cpu_seconds_per_request", "Processor time that the load generator used for one request.", "", func(r Row) *float64 { return r.ClientCPUSecondsPerReq }},
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

// write writes the family with its series together and rising in time, as the
// format demands.
func (f family) write(out *bytes.Buffer, history []Result, labels map[string]string) {
	var samples []sample
	for _, r := range history {
		for _, row := range r.Results {
			if value := f.value(row); value != nil {
				samples = append(samples, sample{labelText(row, r.Campaign.Protocol, labels), *value, *r.Campaign.Finished})
			}
		}
	}
	if len(samples) == 0 {
		return
	}
	slices.SortStableFunc(samples, func(a, b sample) int {
		return cmp.Or(cmp.Compare(a.labels, b.labels), a.at.Compare(b.at))
	})
	samples = slices.CompactFunc(samples, func(a, b sample) bool { return a.labels == b.labels && a.at.Equal(b.at) })
	name := "restbench_" + f.name
	fmt.Fprintf(out, "# TYPE %s gauge\n", name)
	if f.unit != "" {
		fmt.Fprintf(out, "# UNIT %s %s\n", name, f.unit)
	}
	fmt.Fprintf(out, "# HELP %s %s\n", name, f.help)
	for _, s := range samples {
		fmt.Fprintf(out, "%s{%s} %s %s\n", name, s.labels, strconv.FormatFloat(s.value, 'g', -1, 64),
			strconv.FormatFloat(float64(s.at.UnixMilli())/1000, 'f', 3, 64))
	}
}

func labelText(r Row, p bench.Protocol, more map[string]string) string {
	all := map[string]string{
		"framework": r.Framework, "edition": r.Edition, "serving": r.Serving, "workload": r.Workload, "protocol": p.Name,
	}
	maps.Copy(all, more)
	parts := make([]string, 0, len(all))
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	for name, value := range all {
		parts = append(parts, fmt.Sprintf(`%s="%s"`, name, escape.Replace(value)))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

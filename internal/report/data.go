package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"restbench/internal/bench"
)

// WriteJSON writes the result for programs: keys may be added, never renamed.
func WriteJSON(w io.Writer, r Result) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write the result as JSON: %w", err)
	}
	return nil
}

// field of CSV: its column and how a row fills it.
type csvColumn struct {
	name string
	cell func(Header, Row) string
}

// CSVColumns are the names of the columns, in their order. Columns may be added
// at the end, never renamed; cells are empty where undefined, times RFC 3339.
func CSVColumns() []string {
	var names []string
	for _, c := range csvColumns() {
		names = append(names, c.name)
	}
	return names
}

// WriteCSV writes one line a target, after a line with the columns' names.
func WriteCSV(w io.Writer, r Result) error {
	out := csv.NewWriter(w)
	lines := [][]string{CSVColumns()}
	for _, row := range r.Results {
		var line []string
		for _, c := range csvColumns() {
			line = append(line, c.cell(r.Campaign, row))
		}
		lines = append(lines, line)
	}
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("write the result as CSV: %w", err)
	}
	return nil
}

func csvColumns() []csvColumn {
	columns := []csvColumn{
		{"campaign", func(h Header, _ Row) string { return strconv.FormatInt(h.ID, 10) }},
		{"started", func(h Header, _ Row) string { return h.Started.UTC().Format(time.RFC3339) }},
		{"protocol", func(h Header, _ Row) string { return h.Protocol.Name }},
		{"protocol_hash", func(h Header, _ Row) string { return h.Protocol.Hash() }},
		{"engine", func(h Header, _ Row) string { return engineNames(h) }},
		{"target", func(_ Header, r Row) string { return r.Name }},
		{"framework", func(_ Header, r Row) string { return r.Framework }},
		{"edition", func(_ Header, r Row) string { return r.Edition }},
		{"serving", func(_ Header, r Row) string { return r.Serving }},
		{"workload", func(_ Header, r Row) string { return r.Workload }},
		{"version", func(_ Header, r Row) string { return r.Version }},
		{"server", func(_ Header, r Row) string { return r.Server }},
		{"python", func(_ Header, r Row) string { return r.Python }},
		{"rounds", func(_ Header, r Row) string { return strconv.Itoa(r.Rounds) }},
		{"requests_per_second_mean", func(_ Header, r Row) string { return plain(&r.RequestsPerSecond.Mean) }},
		{"requests_per_second_stddev", func(_ Header, r Row) string { return plain(r.RequestsPerSecond.Stddev) }},
		{"requests_per_second_ci95_low", func(_ Header, r Row) string { return end(r.RequestsPerSecond.CI95, 0) }},
		{"requests_per_second_ci95_high", func(_ Header, r Row) string { return end(r.RequestsPerSecond.CI95, 1) }},
		{"relative", func(_ Header, r Row) string { return plain(r.Relative) }},
		{"relative_ci95_low", func(_ Header, r Row) string { return end(r.RelativeCI95, 0) }},
		{"relative_ci95_high", func(_ Header, r Row) string { return end(r.RelativeCI95, 1) }},
		{"base", func(_ Header, r Row) string { return or(r.Base) }},
	}
	columns = append(columns, csvCounts()...)
	return append(columns,
		csvColumn{"server_cpu_seconds_per_request", func(_ Header, r Row) string { return plain(r.ServerCPUSecondsPerReq) }},
		csvColumn{"server_memory_bytes", func(_ Header, r Row) string { return whole(r.ServerMemoryBytes) }},
		csvColumn{"client_cpu_seconds_per_request", func(_ Header, r Row) string { return plain(r.ClientCPUSecondsPerReq) }},
		csvColumn{"limited_by", func(_ Header, r Row) string { return or(r.LimitedBy) }},
		csvColumn{"marks", func(_ Header, r Row) string { return strings.Join(r.Marks, "; ") }},
	)
}

// csvCounts is one column a quantile and one a kind of error.
func csvCounts() []csvColumn {
	var columns []csvColumn
	for _, name := range QuantileNames() {
		columns = append(columns, csvColumn{"latency_" + strings.ReplaceAll(name, ".", "_") + "_seconds", func(_ Header, r Row) string {
			if s, ok := r.LatencySeconds[name]; ok {
				return plain(&s)
			}
			return ""
		}})
	}
	for _, kind := range bench.ErrorKinds() {
		columns = append(columns, csvColumn{"errors_" + string(kind), func(_ Header, r Row) string {
			return strconv.FormatInt(r.Errors[kind], 10)
		}})
	}
	return columns
}

func plain(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'g', -1, 64)
}

func whole(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

func end(i *Interval, which int) string {
	if i == nil {
		return ""
	}
	return plain(&i[which])
}

func or(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Margins of the comparison of engines.
const (
	EngineMargin = 0.02 // rates that lie within ± this share are the same
	CPUMargin    = 1.05 // native may use up to this times the processor time of wrk
)

// EngineRow compares the native engine with wrk on one server. Pointers are nil
// where a value is undefined.
type EngineRow struct {
	Target       string            `json:"target"`
	Blocks       int               `json:"blocks"` // of two runs each, that are compared
	NativeRate   float64           `json:"native_requests_per_second"`
	WrkRate      float64           `json:"wrk_requests_per_second"`
	Ratio        *float64          `json:"ratio"` // native ÷ wrk
	RatioCI90    *Interval         `json:"ratio_ci90"`
	Verdict      stats.Equivalence `json:"verdict"`
	NativeCPU    float64           `json:"native_cpu_seconds_per_request"` // the window's; its start is apart
	WrkCPU       float64           `json:"wrk_cpu_seconds_per_request"`    // its start, which nobody knows, included
	CPURatio     *float64          `json:"cpu_ratio"`
	CPURatioCI95 *Interval         `json:"cpu_ratio_ci95"`
	NativeStart  float64           `json:"native_start_cpu_seconds"` // of one run
	NativeUse    float64           `json:"native_client_use"`        // share of the processors that an engine can use, its start included
	WrkUse       float64           `json:"wrk_client_use"`
	Errors       int64             `json:"errors"`          // of both engines
	Cause        string            `json:"cause,omitempty"` // why there is no comparison, or not of all blocks
}

// NewEngineRow compares inside the blocks, where both engines saw the same
// server and machine; a block is one observation. One with a run without an answer
// is none, and is told. processors is how many an engine can use.
func NewEngineRow(target string, blocks []bench.EngineBlock, processors int, cause error) EngineRow {
	row := EngineRow{Target: target, Verdict: stats.TooNoisy}
	var rates, costs []float64
	var native, wrk []bench.Load
	var left silence
	for _, b := range blocks {
		row.Errors += errorsOf(b)
		if left.has(b) {
			continue
		}
		row.Blocks++
		native, wrk = append(native, b.Native[:]...), append(wrk, b.Wrk[:]...)
		rates = append(rates, logRatio(b, bench.Load.RequestsPerSecond))
		costs = append(costs, logRatio(b, windowCPU))
	}
	row.Cause = left.cause(cause)
	row.NativeRate, row.WrkRate = mean(native, bench.Load.RequestsPerSecond), mean(wrk, bench.Load.RequestsPerSecond)
	row.NativeCPU, row.WrkCPU = mean(native, windowCPU), mean(wrk, windowCPU)
	row.NativeStart = mean(native, func(l bench.Load) float64 { return l.ClientStartCPU.Seconds() })
	use := func(l bench.Load) float64 { return over(l.ClientCPU, l.Duration) / float64(max(1, processors)) }
	row.NativeUse, row.WrkUse = mean(native, use), mean(wrk, use)
	if ratio, ok := summarizeLogs(rates); ok {
		row.Ratio, row.RatioCI90, row.Verdict = &ratio.Estimate, interval(ratio.CI90), ratio.Test(EngineMargin)
	}
	if ratio, ok := summarizeLogs(costs); ok {
		row.CPURatio, row.CPURatioCI95 = &ratio.Estimate, interval(ratio.CI95)
	}
	return row
}

// errorsOf is of both engines.
func errorsOf(b bench.EngineBlock) int64 {
	return b.Native[0].ErrorCount() + b.Native[1].ErrorCount() + b.Wrk[0].ErrorCount() + b.Wrk[1].ErrorCount()
}

// silence counts the blocks that have no ratio, and whose runs brought no answer.
type silence struct{ blocks, native, wrk int }

// has counts b if one of its runs had no right answer.
func (s *silence) has(b bench.EngineBlock) bool {
	native, wrk := silent(b.Native), silent(b.Wrk)
	if native+wrk == 0 {
		return false
	}
	s.blocks, s.native, s.wrk = s.blocks+1, s.native+native, s.wrk+wrk
	return true
}

func silent(runs [2]bench.Load) (n int) {
	for _, l := range runs {
		if l.Requests == 0 {
			n++
		}
	}
	return n
}

// cause joins what was left out with what ended the comparison, if anything did.
func (s silence) cause(ended error) string {
	var texts []string
	if s.blocks > 0 {
		texts = append(texts, fmt.Sprintf("%s left out: not one right answer in %s of native and %d of wrk",
			plural(s.blocks, "block"), plural(s.native, "run"), s.wrk))
	}
	if ended != nil {
		texts = append(texts, ended.Error())
	}
	return strings.Join(texts, "; ")
}

// limit says that an engine was measured, if one was busy all the time. The cheaper
// one brings more answers then.
func (r EngineRow) limit() string {
	if max(r.NativeUse, r.WrkUse) < busy {
		return ""
	}
	return fmt.Sprintf("native used %.0f %% and wrk %.0f %% of the processors they may use: "+
		"the client is the limit, and the cheaper engine gets more answers", 100*r.NativeUse, 100*r.WrkUse)
}

// windowCPU is the processor time of a request. What the native engine used to
// start is left out: it knows it, and it would grow with shorter runs.
func windowCPU(l bench.Load) float64 {
	if l.Requests == 0 {
		return 0
	}
	return (l.ClientCPU - l.ClientStartCPU).Seconds() / float64(l.Requests)
}

// logRatio of a block is the mean of its two runs' logarithms; infinite or not
// a number where a run has none of it.
func logRatio(b bench.EngineBlock, of func(bench.Load) float64) float64 {
	return (math.Log(of(b.Native[0])) + math.Log(of(b.Native[1])) - math.Log(of(b.Wrk[0])) - math.Log(of(b.Wrk[1]))) / 2
}

func summarizeLogs(logs []float64) (stats.LogRatio, bool) {
	for _, l := range logs {
		if math.IsNaN(l) || math.IsInf(l, 0) {
			return stats.LogRatio{}, false
		}
	}
	return stats.SummarizeLogs(logs), len(logs) > 0
}

func mean(loads []bench.Load, of func(bench.Load) float64) float64 {
	vs := make([]float64, len(loads))
	for i, l := range loads {
		vs[i] = of(l)
	}
	return stats.Summarize(vs).Mean
}

// EngineTable is the comparison as people read it.
func EngineTable(rows []EngineRow) Table {
	t := Table{
		Title: fmt.Sprintf("Native engine and wrk (the same within ± %g %%)", 100*EngineMargin),
		Columns: []Column{
			{Name: "target"},
			{"native", true, "Requests per second."},
			{"wrk", true, "Requests per second."},
			{"native ÷ wrk", true, "Geometric mean of the ratios inside the blocks."},
			{"90 % interval", true, "Its two ends are two one-sided tests at 5 %."},
			{"blocks", true, "Each of two runs of either engine, all with answers."},
			{Name: "verdict", Help: "agree: the interval lies within the margin; differ: outside; too noisy: on both sides."},
			{"CPU ratio", true, "Processor time of a request, native ÷ wrk, by wait4; native's start apart."},
			{"95 % interval", true, "Of the CPU ratio."},
			{"errors", true, "Answers that were wrong or missing, of both."},
		},
	}
	for _, r := range rows {
		t.Rows = append(t.Rows, []string{
			r.Target, fmt.Sprintf("%.0f", r.NativeRate), fmt.Sprintf("%.0f", r.WrkRate),
			ratioCell(r.Ratio), spanCell(r.RatioCI90), Count(int64(r.Blocks)), string(r.Verdict),
			ratioCell(r.CPURatio), spanCell(r.CPURatioCI95), Count(r.Errors),
		})
		for _, note := range []string{r.Cause, r.limit()} {
			if note != "" {
				t.Notes = append(t.Notes, r.Target+": "+note)
			}
		}
	}
	if ratio, n := meanCPURatio(rows); n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("CPU ratio, geometric mean of %d targets: %.3f", n, ratio))
	}
	return t
}

// meanCPURatio is over the n targets that have one.
func meanCPURatio(rows []EngineRow) (ratio float64, n int) {
	sum := 0.0
	for _, r := range rows {
		if r.CPURatio != nil {
			sum += math.Log(*r.CPURatio)
			n++
		}
	}
	return math.Exp(sum / float64(n)), n
}

func ratioCell(r *float64) string {
	if r == nil {
		return none
	}
	return fmt.Sprintf("%.3f", *r)
}

func spanCell(i *Interval) string {
	if i == nil {
		return none
	}
	return fmt.Sprintf("%.3f – %.3f", i.Low(), i.High())
}

// Dearer reports whether the native engine may cost more than the margin allows.
func (r EngineRow) Dearer() bool { return r.CPURatioCI95 != nil && r.CPURatioCI95.High() > CPUMargin }

// WriteEngines writes the table for a terminal.
func WriteEngines(w io.Writer, rows []EngineRow) error { return writeTable(w, EngineTable(rows)) }

// WriteEnginesJSON writes the same for programs.
func WriteEnginesJSON(w io.Writer, rows []EngineRow) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"engines": rows, "margin": EngineMargin, "cpu_margin": CPUMargin})
}

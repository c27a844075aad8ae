package exporter

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// How often the page asks for itself again: it needs no script, and a reader
// who forgets an open page hardly disturbs a measurement.
const (
	refreshRunning = 10 * time.Second
	refreshIdle    = time.Minute
)

// page is what people see at /.
type page struct {
	exporter *Exporter
	template *template.Template
	policy   string // Content-Security-Policy: nothing but the page's own style
}

func newPage(e *Exporter) (*page, error) {
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("parse the page: %w", err)
	}
	style := sha256.Sum256([]byte(pageCSS))
	return &page{
		exporter: e,
		template: t,
		policy: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-" +
			base64.StdEncoding.EncodeToString(style[:]) + "'",
	}, nil
}

// view is what the template is given. All text in it may come from frameworks,
// their servers or the configuration, and is escaped.
type view struct {
	Style       template.CSS // ours, embedded
	Version     string
	Refresh     int // seconds
	MetricsPath string
	Runbooks    bool // there is a page of them
	Problems    []string
	State       state
	Charts      []chart
	Early       bool // Charts are single measurements: no round is complete
	Tables      []report.Table
	Conditions  []string
	Provisional string // why the results are not those of a whole campaign
	Failed      string // that something failed in the campaign that is shown
}

// ServeHTTP answers GET /.
func (p *page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var out bytes.Buffer // whole or not at all: no half page with status 200
	if err := p.write(&out); err != nil {
		p.exporter.options.Log.Error().Err(err).Msg("page")
		say(w, http.StatusInternalServerError, "the page cannot be shown")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := out.WriteTo(w); err != nil {
		return // the reader has gone
	}
}

func (p *page) write(w io.Writer) error {
	o := p.exporter.options
	now, s := o.Now(), *p.exporter.now.Load()
	v := view{
		Style:       template.CSS(pageCSS), //nolint:gosec // embedded, not from outside
		Version:     o.Version,
		Refresh:     int(refreshIdle.Seconds()),
		MetricsPath: strings.TrimPrefix(o.TelemetryPath, "/"), // relative: works behind a prefix
		Runbooks:    o.Runbooks != "",
		Problems:    problems(s, o.StoreStatus()),
		State:       newState(s, now, o.Next()),
	}
	if s.live != nil {
		v.Refresh = int(refreshRunning.Seconds())
	}
	if s.shown == nil {
		v.Charts = newCharts(s.early())
		v.Early = len(v.Charts) > 0
	} else {
		r := s.shown.result
		if s.live != nil && s.live.campaign.ID == r.Campaign.ID {
			r.Failures = nil // they are listed with the state
		}
		v.results(r)
	}
	v.Tables = append(v.Tables, s.changeTables(now)...)
	v.Tables = append(v.Tables, s.upgradeTables(now)...)
	return p.template.Execute(w, v)
}

func (v *view) results(r report.Result) {
	v.Charts, v.Tables, v.Conditions = newCharts(r.Results), report.Tables(r), report.Conditions(r)
	switch n := len(r.Failures); {
	case n == 1:
		v.Failed = "1 failure"
	case n > 1:
		v.Failed = fmt.Sprintf("%d failures", n)
	}
	if r.Campaign.State != bench.StateFinished {
		v.Provisional = fmt.Sprintf("No campaign of this protocol has finished yet: these are the first %d of %d rounds.",
			r.Campaign.Rounds, r.Campaign.Protocol.Rounds)
	}
}

// early is what there is before the first round is complete: the newest
// measurement of each target, fastest first within an edition.
func (s snapshot) early() []report.Row {
	var rows []report.Row
	var editions []string
	for _, t := range s.targets {
		if t.started.IsZero() {
			continue
		}
		if !slices.Contains(editions, t.name.Edition) {
			editions = append(editions, t.name.Edition)
		}
		rows = append(rows, report.Row{
			Framework: t.name.Framework, Edition: t.name.Edition, RequestsPerSecond: report.Estimate{Mean: t.newest},
		})
	}
	slices.SortStableFunc(rows, func(a, b report.Row) int {
		return cmp.Or(
			cmp.Compare(slices.Index(editions, a.Edition), slices.Index(editions, b.Edition)),
			cmp.Compare(b.RequestsPerSecond.Mean, a.RequestsPerSecond.Mean))
	})
	return rows
}

func problems(s snapshot, store StoreStatus) []string {
	var problems []string
	if store.Err != "" {
		problems = append(problems, fmt.Sprintf("The history cannot be written: %s. Measurements that wait: %d.", store.Err, store.Pending))
	}
	if s.reloadErr != nil {
		problems = append(problems, "The configuration could not be reloaded; the one before is in use. "+s.reloadErr.Error())
	}
	return problems
}

// chart is the bars of one edition.
type chart struct {
	Title string
	Bars  []bar
}

// bar is one target. Lengths are parts of the widest of all charts, so that
// editions can be compared.
type bar struct {
	Name, Value, Relative, Limit string
	Length                       string
	Low, High                    string // ends of the interval, empty where there is none
}

func newCharts(rows []report.Row) []chart {
	widest := 0.0
	for _, r := range rows {
		widest = max(widest, r.RequestsPerSecond.Mean)
		if ci := r.RequestsPerSecond.CI95; ci != nil {
			widest = max(widest, ci.High())
		}
	}
	var charts []chart
	for i, r := range rows {
		if i == 0 || r.Edition != rows[i-1].Edition {
			charts = append(charts, chart{Title: "Edition " + r.Edition})
		}
		last := &charts[len(charts)-1]
		last.Bars = append(last.Bars, newBar(r, widest))
	}
	return charts
}

func newBar(r report.Row, widest float64) bar {
	b := bar{Name: r.Framework, Value: report.Rate(r.RequestsPerSecond), Length: part(r.RequestsPerSecond.Mean, widest)}
	if ci := r.RequestsPerSecond.CI95; ci != nil {
		b.Low, b.High = part(ci.Low(), widest), part(ci.High(), widest)
	}
	if r.Relative != nil {
		b.Relative = report.Relative(*r.Relative, r.RelativeCI95) + "×"
	}
	if r.LimitedBy != nil && *r.LimitedBy != report.LimitServer {
		b.Limit = *r.LimitedBy
	}
	return b
}

// part is a length for SVG.
func part(v, whole float64) string {
	if whole <= 0 {
		return "0%"
	}
	return fmt.Sprintf("%.2f%%", max(0, min(100, 100*v/whole)))
}

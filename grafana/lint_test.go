package grafana

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// lint is a rule and what it finds against a dashboard.
type lint struct {
	name string
	find func(dashboard) []string
}

// lints are the seventeen rules of Grafana's dashboard-linter, under its names.
// Some ask for more than it does.
func lints() []lint {
	return []lint{
		{"template-datasource-rule", datasourceVariable},
		{"template-job-rule", func(d dashboard) []string { return choice(d, "job", "Job") }},
		{"template-instance-rule", func(d dashboard) []string { return choice(d, "instance", "Instance") }},
		{"template-label-promql-rule", labelQueries},
		{"template-on-time-change-reload-rule", reloads},
		{"panel-datasource-rule", datasources},
		{"panel-title-description-rule", titles},
		{"panel-units-rule", units},
		{"panel-no-targets-rule", targets},
		{"target-logql-rule", onlyPrometheus},
		{"target-logql-auto-rule", onlyPrometheus},
		{"target-promql-rule", expressions}, // that they parse is asked of a real Prometheus
		{"target-rate-interval-rule", intervals},
		{"target-job-rule", func(d dashboard) []string { return selects(d, `job=~"$job"`) }},
		{"target-instance-rule", func(d dashboard) []string { return selects(d, `instance=~"$instance"`) }},
		{"target-counter-agg-rule", counters},
		{"uneditable-dashboard", uneditable},
	}
}

func TestDashboardsFollowTheUsualRules(t *testing.T) {
	rules := lints()
	if len(rules) != 17 {
		t.Fatalf("%d rules", len(rules))
	}
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, d := range dashboards(t) {
				for _, finding := range rule.find(d) {
					t.Errorf("%s: %s", d.file, finding)
				}
			}
		})
	}
}

func (d dashboard) variable(name string) (variable, bool) {
	i := slices.IndexFunc(d.Templating.List, func(v variable) bool { return v.Name == name })
	if i < 0 {
		return variable{}, false
	}
	return d.Templating.List[i], true
}

func datasourceVariable(d dashboard) []string {
	v, _ := d.variable("datasource")
	if v.Type != "datasource" || v.text() != "prometheus" || v.Label != "Data source" {
		return []string{fmt.Sprintf("the variable datasource is %+v", v)}
	}
	return nil
}

func choice(d dashboard, name, label string) []string {
	v, _ := d.variable(name)
	if v.Type != "query" || v.Label != label || !v.Multi || v.AllValue != ".+" || v.Datasource.UID != "${datasource}" {
		return []string{fmt.Sprintf("the variable %s is %+v", name, v)}
	}
	return nil
}

var labelValues = regexp.MustCompile(`^label_values\((restbench_[a-z_]+(?:\{.*\})?), [a-z]+\)$`)

func labelQueries(d dashboard) (found []string) {
	for _, v := range d.Templating.List {
		if v.Type == "query" && !labelValues.MatchString(v.text()) {
			found = append(found, fmt.Sprintf("variable %s asks %q", v.Name, v.text()))
		}
	}
	for _, name := range []string{"edition", "framework", "workload"} {
		if _, ok := d.variable(name); !ok {
			found = append(found, "no variable "+name)
		}
	}
	return found
}

func reloads(d dashboard) (found []string) {
	for _, v := range d.Templating.List {
		if v.Type == "query" && v.Refresh != 2 {
			found = append(found, "variable "+v.Name+" does not follow the time range")
		}
	}
	return found
}

func datasources(d dashboard) (found []string) {
	want := source{"prometheus", "${datasource}"}
	for _, p := range d.graphs() {
		if p.Datasource != want {
			found = append(found, fmt.Sprintf("%q asks %v", p.Title, p.Datasource))
		}
	}
	return found
}

func titles(d dashboard) (found []string) {
	for _, p := range d.graphs() {
		if p.Title == "" || len(p.Description) < 20 {
			found = append(found, fmt.Sprintf("%q is described as %q", p.Title, p.Description))
		}
	}
	return found
}

func units(d dashboard) (found []string) {
	known := []string{"string", "none", "short", "locale", "s", "bytes", "reqps", "percentunit", "suffix:×"}
	for _, p := range d.graphs() {
		if !slices.Contains(known, p.FieldConfig.Defaults.Unit) {
			found = append(found, fmt.Sprintf("%q has the unit %q", p.Title, p.FieldConfig.Defaults.Unit))
		}
	}
	return found
}

func targets(d dashboard) (found []string) {
	for _, p := range d.graphs() {
		if len(p.Targets) == 0 {
			found = append(found, fmt.Sprintf("%q asks nothing", p.Title))
		}
	}
	return found
}

func onlyPrometheus(d dashboard) (found []string) {
	for _, p := range d.graphs() {
		for _, t := range p.Targets {
			if t.Datasource.Type != "prometheus" {
				found = append(found, fmt.Sprintf("%q, %s asks %v", p.Title, t.RefID, t.Datasource))
			}
		}
	}
	return found
}

func expressions(d dashboard) (found []string) {
	for _, p := range d.graphs() {
		ids := map[string]bool{}
		for _, t := range p.Targets {
			if t.Expr == "" || ids[t.RefID] || t.Instant == t.Range {
				found = append(found, fmt.Sprintf("%q, %s: %q", p.Title, t.RefID, t.Expr))
			}
			ids[t.RefID] = true
		}
	}
	return found
}

// intervals holds rate to the interval of Grafana. increase may also have the
// window that the user chose: counters rise only while a target is measured.
func intervals(d dashboard) (found []string) {
	window := regexp.MustCompile(`\b([a-z_]+)\([A-Za-z_]+\{[^{}]*\}\[([^\]]*)\]`)
	brackets := regexp.MustCompile(`\}\[`)
	for _, q := range d.queries() {
		calls := window.FindAllStringSubmatch(q.expr, -1)
		if len(calls) != len(brackets.FindAllString(q.expr, -1)) {
			found = append(found, q.where+": a range outside of a call")
		}
		for _, call := range calls {
			if call[2] != "$__rate_interval" && (call[1] != "increase" || call[2] != "$window") {
				found = append(found, q.where+": "+call[0])
			}
		}
	}
	return found
}

// selectors are the metrics of a query with what stands in braces behind them.
var selectors = regexp.MustCompile(`\b((?:restbench|process|scrape|go|promhttp)_[a-z0-9_]+|up|ALERTS)(\{[^{}]*\})?`)

// selects leaves ALERTS out: an alert about what is missing has no job.
func selects(d dashboard, matcher string) (found []string) {
	for _, q := range d.queries() {
		all := selectors.FindAllStringSubmatch(q.expr, -1)
		if len(all) == 0 {
			found = append(found, q.where+": no selector")
		}
		for _, s := range all {
			if s[1] != "ALERTS" && !strings.Contains(s[2], matcher) {
				found = append(found, q.where+": "+s[0])
			}
		}
	}
	return found
}

// counters finds those that are shown as they are, labels or not.
func counters(d dashboard) (found []string) {
	counter := regexp.MustCompile(`([a-z]*)\(?\b[a-z_]+(_total|_bucket|_count|_sum)\{`)
	for _, q := range d.queries() {
		for _, c := range counter.FindAllStringSubmatch(q.expr, -1) {
			if c[1] != "increase" && c[1] != "rate" {
				found = append(found, q.where+": "+c[0])
			}
		}
	}
	return found
}

func uneditable(d dashboard) []string {
	if d.Editable {
		return []string{"can be edited, and the next start would undo that"}
	}
	return nil
}

// Labels that queries name are those that docs/metrics.md and the design know.
func TestQueriesNameKnownLabels(t *testing.T) {
	known := strings.Fields("job instance framework edition serving workload protocol le target " + // target is made by label_join
		"kind stage reason limit version server python engine host cpu cores kernel system " +
		"signal direction scope id note before after confirmation campaigns verdict control alertname alertstate severity")
	lists := regexp.MustCompile(`\b(?:by|on|ignoring|without|group_left|group_right) \(([^)]*)\)`)
	matchers := regexp.MustCompile(`[{,] ?([a-z_]+)(?:=~|!~|!=|=)`)
	for _, d := range dashboards(t) {
		for _, q := range d.queries() {
			var named []string
			for _, m := range lists.FindAllStringSubmatch(q.expr, -1) {
				named = append(named, strings.Split(m[1], ", ")...)
			}
			for _, m := range matchers.FindAllStringSubmatch(q.expr, -1) {
				named = append(named, m[1])
			}
			for _, label := range named {
				if !slices.Contains(known, label) {
					t.Errorf("%s names the label %q", q.where, label)
				}
			}
		}
	}
}

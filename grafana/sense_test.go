package grafana

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Grafana formats text that looks like a number: with the unit of a ratio, the
// edition 2020 is 202000 %; with no unit, version 3.10 is 3.1.
func TestTextIsNotFormattedAsANumber(t *testing.T) {
	tables := 0
	drawn(t, func(where string, p shown) {
		if p.Type != "table" {
			return
		}
		tables++
		for column, text := range p.texts(t, where) {
			unit := p.setting(column, "unit")
			if (unit == "string") != text {
				t.Errorf("%s: the column %q has the unit %v", where, column, unit)
			}
		}
	})
	if tables < 8 {
		t.Errorf("only %d tables", tables)
	}
}

// What a table shows when it is empty, Grafana also puts into each empty cell. Those
// of labels that some rows do not have say something else.
func TestEmptyCellsDoNotSayNone(t *testing.T) {
	drawn(t, func(where string, p shown) {
		whole := p.FieldConfig.Defaults["noValue"]
		if p.Type != "table" || whole == nil {
			return
		}
		for column := range p.texts(t, where) {
			mayBeEmpty := slices.Contains([]string{"Framework", "Edition", "Instance", "Second signal", "from", "to"}, column)
			always := !strings.Contains(p.Targets[0].Expr, `framework=""`) && !strings.Contains(p.Targets[0].Expr, "ALERTS")
			if mayBeEmpty && !always && p.setting(column, "noValue") == whole {
				t.Errorf("%s: an empty %s reads %q", where, column, whole)
			}
		}
	})
}

// texts are the columns of a table as they are named at last: true for text.
func (p shown) texts(t *testing.T, where string) map[string]bool {
	t.Helper()
	columns := p.columns(t, where)
	for _, tr := range p.Transformations {
		columns = tr.after(columns)
	}
	from := map[string]string{}
	for _, tr := range p.Transformations {
		names, _ := tr.Options["renameByName"].(map[string]any)
		for before, after := range names {
			from[fmt.Sprint(after)] = before
		}
	}
	value, texts := regexp.MustCompile(`^(Value( #[A-Z])?|[0-9]+)$`), map[string]bool{}
	for column, there := range columns {
		if there && !strings.HasPrefix(column, "Time") {
			before, ok := from[column]
			texts[column] = !value.MatchString(column) && !(ok && value.MatchString(before))
		}
	}
	return texts
}

// setting is an option of a column, its own or that of all.
func (p shown) setting(column, id string) any {
	for _, o := range p.FieldConfig.Overrides {
		if o.Matcher.Options == column {
			if value := o.property(id); value != nil {
				return value
			}
		}
	}
	return p.FieldConfig.Defaults[id]
}

// A change of the interpreter of a whole edition, or of the host, has no framework:
// what counts or shows changes of frameworks asks for it as well, of the editions that
// are looked at.
func TestChangesOfWholeEditionsAreShown(t *testing.T) {
	change := regexp.MustCompile(`\b(restbench_change_(?:active|effect|onset|accepted)[a-z0-9_]*)\{([^{}]*)\}`)
	seen := 0
	for _, d := range dashboards(t) {
		for _, q := range d.queries() {
			of, whole := map[string]bool{}, map[string]bool{}
			for _, m := range change.FindAllStringSubmatch(q.expr, -1) {
				switch {
				case strings.Contains(m[2], `framework=~"$framework"`):
					of[m[1]] = true
				case strings.Contains(m[2], `framework="", edition=~"$edition|", serving=~"$serving|", workload=~"$workload|"`):
					whole[m[1]] = true
				case !strings.Contains(m[2], `scope="host"`):
					t.Errorf("%s asks for changes of anything: %s", q.where, m[0])
				}
			}
			seen += len(of)
			for metric := range of {
				if !whole[metric] {
					t.Errorf("%s leaves out the changes of whole editions", q.where)
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d queries about changes", seen)
	}
}

// What has been accepted, or is of long ago, is no alert any more: what counts
// verdicts or changes asks whether they are active.
func TestCountsOfAlertsAskWhatIsActive(t *testing.T) {
	counted := regexp.MustCompile(`\bcount(?: by \([^)]*\))? ?\(+restbench_(change|upgrade)_(\w+)`)
	seen := map[string]int{}
	for _, d := range dashboards(t) {
		for _, q := range d.queries() {
			m := counted.FindStringSubmatch(q.expr)
			if m == nil || m[2] == "learning" {
				continue
			}
			seen[m[1]]++
			if !strings.Contains(q.expr, "restbench_"+m[1]+"_active{") {
				t.Errorf("%s counts %s: %s", q.where, m[2], q.expr)
			}
		}
	}
	if seen["change"] < 3 || seen["upgrade"] < 1 {
		t.Errorf("only %v queries count", seen)
	}
}

// Where several editions can be chosen, their numbers do not meet: the maximum of
// flask in 2020 and today is nobody's.
func TestEditionsStayApart(t *testing.T) {
	grouped := regexp.MustCompile(`\b(?:max|min) by \(([^)]*)\)`)
	for _, d := range dashboards(t) {
		if v, _ := d.variable("edition"); !v.Multi {
			continue
		}
		for _, p := range d.graphs() {
			for _, target := range p.Targets {
				for _, m := range grouped.FindAllStringSubmatch(target.Expr, -1) {
					labels := strings.Split(m[1], ", ")
					if slices.Contains(labels, "framework") && !slices.Contains(labels, "edition") {
						t.Errorf("%s: %q: %s", d.file, p.Title, m[0])
					}
				}
				if strings.Contains(target.Expr, "sum by (le)") && p.Repeat != "edition" {
					t.Errorf("%s: %q adds up the latencies of all editions", d.file, p.Title)
				}
			}
			if p.Repeat != "" && (p.Repeat != "edition" || !strings.Contains(p.Title, "$edition") || p.GridPos.W != 24) {
				t.Errorf("%s: %q is repeated for each %s", d.file, p.Title, p.Repeat)
			}
		}
	}
}

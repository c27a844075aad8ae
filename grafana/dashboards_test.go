package grafana

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// dashboard is what the tests look at of Grafana's classic JSON, schema 39.
type dashboard struct {
	file          string
	UID           string
	Title         string
	Description   string
	Editable      bool
	SchemaVersion int
	Tags          []string
	Links         []link
	Panels        []panel
	Templating    struct{ List []variable }
	Annotations   struct{ List []annotation }
}

type source struct{ Type, UID string }

type panel struct {
	ID                       int
	Type, Title, Description string
	Repeat                   string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               source
	Targets                  []target
	FieldConfig              struct {
		Defaults struct {
			Unit  string
			Color struct{ FixedColor string }
		}
		Overrides []override
	}
}

type override struct {
	Matcher struct {
		ID      string
		Options any
	}
	Properties []struct {
		ID    string
		Value any
	}
}

type target struct {
	RefID      string
	Datasource source
	Expr       string
	Instant    bool
	Range      bool
}

type variable struct {
	Name, Label, Type string
	Datasource        source
	Query             any
	Refresh           int
	Multi, IncludeAll bool
	AllValue          string
}

type annotation struct {
	Name            string
	Datasource      source
	BuiltIn         int
	Expr            string
	Step            string
	TextFormat      string
	UseValueForTime string
	Target          struct{ Expr, Interval string }
}

// dashboards are all that are shipped.
func dashboards(t *testing.T) []dashboard {
	t.Helper()
	names, err := fs.Glob(Files(), "dashboards/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("dashboards: %v, %v", names, err)
	}
	var all []dashboard
	for _, name := range names {
		text, err := fs.ReadFile(Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		d := dashboard{file: path.Base(name)}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, d)
	}
	return all
}

// graphs are the panels that show something.
func (d dashboard) graphs() []panel {
	var graphs []panel
	for _, p := range d.Panels {
		if p.Type != "row" {
			graphs = append(graphs, p)
		}
	}
	return graphs
}

// query is one that a dashboard makes, with its place for messages.
type query struct{ where, expr string }

func (d dashboard) queries() []query {
	var all []query
	for _, p := range d.graphs() {
		for _, t := range p.Targets {
			all = append(all, query{fmt.Sprintf("%s: panel %q, %s", d.file, p.Title, t.RefID), t.Expr})
		}
	}
	for _, a := range d.Annotations.List {
		if a.BuiltIn == 0 {
			all = append(all, query{fmt.Sprintf("%s: annotation %q", d.file, a.Name), a.Expr})
		}
	}
	return all
}

// text is the query of a variable, which newer versions keep in an object.
func (v variable) text() string {
	switch q := v.Query.(type) {
	case string:
		return q
	case map[string]any:
		s, _ := q["query"].(string)
		return s
	}
	return ""
}

func TestDashboardsAreUniqueAndOfKnownForm(t *testing.T) {
	uids, titles := map[string]bool{}, map[string]bool{}
	for _, d := range dashboards(t) {
		if uids[d.UID] || d.UID == "" || len(d.UID) > 40 {
			t.Errorf("%s: uid %q: two with the same stop Grafana from loading any", d.file, d.UID)
		}
		if titles[d.Title] || d.Title == "" {
			t.Errorf("%s: title %q", d.file, d.Title)
		}
		uids[d.UID], titles[d.Title] = true, true
		if d.UID != "restbench-"+strings.TrimSuffix(d.file, ".json") {
			t.Errorf("%s has the uid %s: alerts link to the name of the file", d.file, d.UID)
		}
		if d.SchemaVersion != 39 || d.Description == "" {
			t.Errorf("%s: schema %d, description %q", d.file, d.SchemaVersion, d.Description)
		}
	}
}

func TestPanelsLieSideBySide(t *testing.T) {
	for _, d := range dashboards(t) {
		taken, ids := map[[2]int]string{}, map[int]bool{}
		for _, p := range d.Panels {
			if ids[p.ID] {
				t.Errorf("%s: id %d is there twice", d.file, p.ID)
			}
			ids[p.ID] = true
			g := p.GridPos
			if g.W < 1 || g.H < 1 || g.X+g.W > 24 {
				t.Errorf("%s: %q lies at %+v", d.file, p.Title, g)
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: %q lies over %q", d.file, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

// A framework has the same colour wherever it is drawn.
func TestColoursStayWithTheirFramework(t *testing.T) {
	folders, err := os.ReadDir("../frameworks")
	if err != nil {
		t.Fatal(err)
	}
	colours := map[string]string{}
	for _, d := range dashboards(t) {
		for _, p := range d.graphs() {
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					name, _ := o.Matcher.Options.(string)
					if property.ID != "color" {
						continue
					}
					if o.Matcher.ID == "byRegexp" { // of the framework in every edition
						name = strings.TrimSuffix(strings.TrimPrefix(name, "/^"), "@/")
					}
					colour := fmt.Sprint(property.Value)
					if before, ok := colours[name]; ok && before != colour {
						t.Errorf("%s: %q: %s is %s, elsewhere %s", d.file, p.Title, name, colour, before)
					}
					colours[name] = colour
				}
			}
		}
	}
	owners := map[string]string{}
	for _, f := range folders {
		if _, err := os.Stat("../frameworks/" + f.Name() + "/framework.yaml"); err != nil {
			continue // not a framework
		}
		colour := colours[f.Name()]
		if colour == "" {
			t.Errorf("%s has no colour of its own", f.Name())
		} else if other := owners[colour]; other != "" {
			t.Errorf("%s and %s have the same colour", f.Name(), other)
		}
		owners[colour] = f.Name()
	}
	for _, d := range dashboards(t) {
		for _, p := range d.graphs() {
			owner := owners[fmt.Sprint(map[string]any{"fixedColor": p.FieldConfig.Defaults.Color.FixedColor, "mode": "fixed"})]
			if owner != "" {
				t.Errorf("%s: everything in %q has the colour of %s", d.file, p.Title, owner)
			}
		}
	}
}

func TestQueriesNameDocumentedMetrics(t *testing.T) {
	docs, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	metric := regexp.MustCompile(`\brestbench_[a-z0-9_]+`)
	for _, d := range dashboards(t) {
		queries := d.queries()
		for _, v := range d.Templating.List {
			queries = append(queries, query{d.file + ": variable " + v.Name, v.text()})
		}
		for _, q := range queries {
			for _, name := range metric.FindAllString(q.expr, -1) {
				base := strings.TrimSuffix(name, "_bucket")
				if !strings.Contains(string(docs), "`"+base+"`") {
					t.Errorf("%s: %s is not documented", q.where, name)
				}
			}
		}
	}
}

// Held gauges repeat between campaigns: a statistic over time would weigh them by
// how long they were held.
func TestNoStatisticsOfHeldGauges(t *testing.T) {
	forbidden := regexp.MustCompile(`(avg|stddev|stdvar|quantile)_over_time|\bderiv\(|\bdelta\(`)
	for _, d := range dashboards(t) {
		for _, q := range d.queries() {
			if forbidden.MatchString(q.expr) {
				t.Errorf("%s: %s", q.where, q.expr)
			}
		}
	}
}

// Where changes are marked, so is what became of them by somebody's word: each with
// its reason.
func TestAcceptancesAreMarkedWhereChangesAre(t *testing.T) {
	for _, d := range dashboards(t) {
		changes, accepted := d.annotation("restbench_change_onset_"), d.annotation("restbench_change_accepted_")
		if changes.Name == "" || accepted.Name == "" {
			t.Errorf("%s marks changes by %q and acceptances by %q", d.file, changes.Name, accepted.Name)
		}
		if !strings.Contains(accepted.TextFormat, "{{note}}") || accepted.UseValueForTime != "on" || !strings.HasPrefix(accepted.Expr, "1000 * ") {
			t.Errorf("%s: %+v", d.file, accepted)
		}
	}
}

// annotation is the one that asks for a metric; without a name when there is none.
func (d dashboard) annotation(metric string) annotation {
	for _, a := range d.Annotations.List {
		if strings.Contains(a.Expr, metric) {
			return a
		}
	}
	return annotation{}
}

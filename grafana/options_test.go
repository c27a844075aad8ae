package grafana

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// knownOptions are the options of each kind of panel that Grafana 11 to 13 know
// and that are used: a name that it does not know, it ignores without a word.
// First the panel's own, then those of a field.
func knownOptions() map[string][2]string {
	return map[string][2]string{
		"stat":     {"colorMode graphMode justifyMode orientation reduceOptions textMode wideLayout", ""},
		"gauge":    {"orientation reduceOptions showThresholdLabels showThresholdMarkers sizing", ""},
		"bargauge": {"displayMode legend maxVizHeight minVizHeight minVizWidth namePlacement orientation reduceOptions showUnfilled sizing valueMode", ""},
		"barchart": {
			"barRadius barWidth fullHighlight groupWidth legend orientation showValue stacking tooltip xField xTickLabelMaxLength xTickLabelRotation",
			"axisBorderShow axisGridShow axisLabel axisPlacement fillOpacity gradientMode lineWidth scaleDistribution",
		},
		"table": {"cellHeight footer showHeader", "align cellOptions"},
		"timeseries": {
			"legend tooltip",
			"axisSoftMax axisSoftMin drawStyle fillBelowTo fillOpacity hideFrom lineInterpolation lineWidth pointSize scaleDistribution showPoints spanNulls",
		},
		"state-timeline": {"alignValue legend mergeValues rowHeight showValue tooltip", "fillOpacity lineWidth"},
		"heatmap": {
			"calculate cellGap cellValues color exemplars filterValues legend rowsFrame showValue tooltip yAxis", "hideFrom scaleDistribution",
		},
	}
}

// Options of a field that every kind of panel has, and of transformations.
const (
	fieldOptions   = "color custom decimals links mappings max min noValue thresholds unit"
	transformation = "groupingToMatrix: columnField emptyValue rowField valueField; joinByField: byField mode; merge: ; " +
		"organize: excludeByName indexByName renameByName; sortBy: sort"
)

// shown is a panel with the parts that say how it is drawn.
type shown struct {
	panel

	Options     map[string]any
	FieldConfig struct {
		Defaults  map[string]any
		Overrides []override
	}
	Transformations []transform
}

type transform struct {
	ID      string
	Options map[string]any
}

// drawn calls test with every panel that shows something, and its place.
func drawn(t *testing.T, test func(where string, p shown)) {
	t.Helper()
	names, err := fs.Glob(Files(), "dashboards/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("dashboards: %v, %v", names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		var d struct{ Panels []shown }
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, p := range d.Panels {
			if p.Type != "row" {
				test(fmt.Sprintf("%s: %q", path.Base(name), p.Title), p)
			}
		}
	}
}

func TestPanelsHaveOptionsThatGrafanaKnows(t *testing.T) {
	known := knownOptions()
	drawn(t, func(where string, p shown) {
		options, ok := known[p.Type]
		if !ok {
			t.Errorf("%s: %s is no panel of Grafana itself, or of no use in all versions", where, p.Type)
			return
		}
		custom, _ := p.FieldConfig.Defaults["custom"].(map[string]any)
		unknown(t, where, slices.Collect(maps.Keys(p.Options)), options[0])
		unknown(t, where, slices.Collect(maps.Keys(custom)), options[1])
		unknown(t, where, slices.Collect(maps.Keys(p.FieldConfig.Defaults)), fieldOptions)
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if name, ok := strings.CutPrefix(property.ID, "custom."); ok {
					unknown(t, where, []string{name}, options[1])
				} else {
					unknown(t, where, []string{property.ID}, fieldOptions)
				}
			}
		}
		for _, tr := range p.Transformations {
			_, rest, ok := strings.Cut("; "+transformation, "; "+tr.ID+": ")
			if !ok {
				t.Errorf("%s: transformation %s", where, tr.ID)
			}
			names, _, _ := strings.Cut(rest, ";")
			unknown(t, where+" "+tr.ID, slices.Collect(maps.Keys(tr.Options)), names)
		}
	})
}

func unknown(t *testing.T, where string, names []string, known string) {
	t.Helper()
	for _, name := range names {
		if !slices.Contains(strings.Fields(known), name) {
			t.Errorf("%s: Grafana does not know %q here", where, name)
		}
	}
}

// columns are those that a panel's queries in table format give: their labels,
// and a value each.
func (p shown) columns(t *testing.T, where string) map[string]bool {
	t.Helper()
	columns := map[string]bool{"Time": true}
	for i, target := range p.Targets {
		m := regexp.MustCompile(`^(?:1000 \* )?(?:max|histogram_quantile\([0-9.]+, sum) by \(([^)]*)\)`).FindStringSubmatch(target.Expr)
		if m == nil {
			t.Fatalf("%s: labels of %s", where, target.Expr)
		}
		for label := range strings.SplitSeq(m[1], ", ") {
			columns[label] = true
		}
		columns[fmt.Sprintf("Time %d", i+1)] = true
		if len(p.Targets) > 1 {
			columns["Value #"+target.RefID] = true
		}
	}
	columns["Value"] = len(p.Targets) == 1
	return columns
}

// Columns that transformations and overrides name are there: a name that is not,
// Grafana ignores, and a column stays unsorted, unnamed or without its unit.
func TestColumnsThatAreNamedExist(t *testing.T) {
	drawn(t, func(where string, p shown) {
		if len(p.Transformations) == 0 {
			return
		}
		columns := p.columns(t, where)
		for _, tr := range p.Transformations {
			for _, name := range tr.names() {
				if !columns[name] {
					t.Errorf("%s: %s names %q, which is no column", where, tr.ID, name)
				}
			}
			columns = tr.after(columns)
		}
		for _, o := range p.FieldConfig.Overrides {
			if name, _ := o.Matcher.Options.(string); !columns[name] {
				t.Errorf("%s: an override is for %q, which is no column", where, name)
			}
		}
		if x, ok := p.Options["xField"].(string); ok && !columns[x] {
			t.Errorf("%s: bars are named by %q, which is no column", where, x)
		}
	})
}

// names are the columns that a transformation asks for.
func (tr transform) names() []string {
	var names []string
	for _, key := range []string{"byField", "rowField", "columnField", "valueField"} {
		if name, ok := tr.Options[key].(string); ok {
			names = append(names, name)
		}
	}
	for _, key := range []string{"excludeByName", "indexByName", "renameByName"} {
		m, _ := tr.Options[key].(map[string]any)
		names = slices.AppendSeq(names, maps.Keys(m))
	}
	sorts, _ := tr.Options["sort"].([]any)
	for _, s := range sorts {
		name, _ := s.(map[string]any)["field"].(string)
		names = append(names, name)
	}
	return names
}

// after are the columns behind it. A matrix has a column for every value of a
// label: the editions and the numbers of campaigns are known.
func (tr transform) after(columns map[string]bool) map[string]bool {
	switch tr.ID {
	case "groupingToMatrix":
		row, column := fmt.Sprint(tr.Options["rowField"]), fmt.Sprint(tr.Options["columnField"])
		if column == "campaigns" {
			return map[string]bool{row + `\` + column: true, "2": true, "3": true, "10": true}
		}
		return map[string]bool{row + `\` + column: true, "2020": true, "current": true, "latest": true, "own": true}
	case "organize":
		renamed := maps.Clone(columns)
		excluded, _ := tr.Options["excludeByName"].(map[string]any)
		for name := range excluded {
			delete(renamed, name)
		}
		names, _ := tr.Options["renameByName"].(map[string]any)
		for from, to := range names {
			delete(renamed, from)
			renamed[fmt.Sprint(to)] = true
		}
		return renamed
	}
	return columns
}

// Newer versions read the query of an annotation in one place, older ones in
// the other.
func TestAnnotationsAskTheSameInBothPlaces(t *testing.T) {
	for _, d := range dashboards(t) {
		for _, a := range d.Annotations.List {
			if a.BuiltIn == 0 && (a.Expr == "" || a.Target.Expr != a.Expr || a.Target.Interval != a.Step) {
				t.Errorf("%s: %s asks %q and %q", d.file, a.Name, a.Expr, a.Target.Expr)
			}
		}
	}
}

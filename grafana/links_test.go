package grafana

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// link leads from one dashboard to another.
type link struct {
	Type, Title, URL string
	IncludeVars      bool
}

var passed = regexp.MustCompile(`\$\{([a-z]+):queryparam\}`)

// A dashboard keeps what a link says of a variable, even a value that it does not
// offer: all frameworks at once where there is one at a time. So a link names what it
// passes on, and both ends must offer the same kind of choice.
func TestLinksPassOnWhatBothDashboardsHave(t *testing.T) {
	all := dashboards(t)
	for _, d := range all {
		var reached []string
		for _, l := range d.Links {
			if l.Type != "link" || l.IncludeVars {
				t.Errorf("%s: the link %q of type %s passes on all variables: %v", d.file, l.Title, l.Type, l.IncludeVars)
			}
			reached = append(reached, passes(t, d, l, all))
		}
		slices.Sort(reached)
		for _, other := range all {
			if _, there := slices.BinarySearch(reached, other.UID); there == (other.UID == d.UID) {
				t.Errorf("%s: links to %v", d.file, reached)
			}
		}
	}
}

// Names in tables are links, too.
func TestTablesLinkToOneFramework(t *testing.T) {
	all, links := dashboards(t), 0
	drawn(t, func(where string, p shown) {
		d := all[slices.IndexFunc(all, func(d dashboard) bool { return strings.HasPrefix(where, d.file) })]
		for _, o := range p.FieldConfig.Overrides {
			url, ok := o.link()
			if !ok {
				continue
			}
			links++
			if to := passes(t, d, link{URL: url}, all); to != "restbench-framework" || !strings.Contains(url, "var-framework=${__value.raw}") {
				t.Errorf("%s links to %s", where, url)
			}
			if value, _ := o.property("noValue").(string); value != "" {
				t.Errorf("%s: a cell without a framework shows %q, and links to nowhere", where, value)
			}
		}
	})
	if links < 3 {
		t.Errorf("only %d links", links)
	}
}

// passes says where a link leads, and checks what it passes on.
func passes(t *testing.T, from dashboard, l link, all []dashboard) string {
	t.Helper()
	uid, query, _ := strings.Cut(strings.TrimPrefix(l.URL, "/d/"), "?")
	i := slices.IndexFunc(all, func(d dashboard) bool { return d.UID == uid })
	if i < 0 || len(passed.FindAllString(query, -1)) < 6 || l.Title != "" && "restbench: "+l.Title != all[i].Title {
		t.Errorf("%s: the link %q leads to %s", from.file, l.Title, l.URL)
		return ""
	}
	for _, m := range passed.FindAllStringSubmatch(query, -1) {
		here, ok := from.variable(m[1])
		there, too := all[i].variable(m[1])
		if !ok || !too || here.Multi != there.Multi || here.IncludeAll != there.IncludeAll {
			t.Errorf("%s: the variable %s is another one on %s", from.file, m[1], uid)
		}
	}
	return uid
}

// property is the value of one of an override's properties.
func (o override) property(id string) any {
	for _, p := range o.Properties {
		if p.ID == id {
			return p.Value
		}
	}
	return nil
}

// link is the address that a column's cells lead to.
func (o override) link() (string, bool) {
	links, _ := o.property("links").([]any)
	for _, l := range links {
		m, _ := l.(map[string]any)
		url, ok := m["url"].(string)
		return url, ok
	}
	return "", false
}

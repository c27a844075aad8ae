package prometheus

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"restbench/internal/need"
)

// alerting is what the tests look at of a file of rules.
type alerting struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

// cases are the unit tests of the rules.
type cases struct {
	Tests []struct {
		Name   string
		Alerts []struct {
			Name     string `yaml:"alertname"`
			Expected []any  `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

func TestConfigurationAndRulesAreClean(t *testing.T) {
	run(t, "promtool", "prometheus", "check", "config", "prometheus.yml")
	run(t, "promtool", "prometheus", "check", "rules", "--lint=all", "--lint-fatal", "rules/recording.yml", "rules/alerts.yml")
}

func TestRulesFireAndStaySilent(t *testing.T) {
	run(t, "promtool", "prometheus", "test", "rules", "tests/recording.yml", "tests/alerts.yml")
}

// scrape.yml goes under scrape_configs of somebody else's file.
func TestScrapeSnippetFits(t *testing.T) {
	snippet, err := fs.ReadFile(Files(), "scrape.yml")
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/prometheus.yml"
	if err := os.WriteFile(path, []byte("scrape_configs:\n"+string(snippet)), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "promtool", "prometheus", "check", "config", path)
}

// Dashboards open with the first instance by name: the daemon that is always there.
func TestHistoryIsTheSecondInstance(t *testing.T) {
	m := regexp.MustCompile(`target_label: instance, replacement: "([^"]+)"`).FindStringSubmatch(text(t, "prometheus.yml"))
	if m == nil || m[1] <= "restbench:10226" || !strings.Contains(text(t, "../compose.yaml"), strings.TrimPrefix(m[1], "restbench")+":10226") {
		t.Errorf("the instance of the profile history is %q", m)
	}
}

func TestAlertmanagerExampleIsClean(t *testing.T) {
	run(t, "amtool", "prometheus-alertmanager", "check-config", "alertmanager.yml")
}

func TestAlertsReachTheirReceivers(t *testing.T) {
	for _, a := range alerts(t) {
		want := map[string]string{"critical": "urgent", "warning": "people", "info": "tickets", "none": "watchdog"}[a.Labels["severity"]]
		said := strings.Fields(run(t, "amtool", "prometheus-alertmanager", "config", "routes", "test",
			"--config.file=alertmanager.yml", "alertname="+a.Alert, "severity="+a.Labels["severity"]))
		got := ""
		if len(said) > 0 {
			got = said[len(said)-1] // the receiver stands behind warnings
		}
		if want == "" || got != want {
			t.Errorf("%s with severity %q goes to %q, want %q", a.Alert, a.Labels["severity"], got, want)
		}
	}
}

// An inhibition that names an alert that is not there inhibits nothing.
func TestInhibitionsNameAlerts(t *testing.T) {
	var config struct {
		Inhibit []struct {
			Source []string `yaml:"source_matchers"`
			Target []string `yaml:"target_matchers"`
		} `yaml:"inhibit_rules"`
	}
	load(t, "alertmanager.yml", &config)
	matcher := regexp.MustCompile(`^alertname =(~?) "?([^"]+)"?$`)
	for _, inhibition := range config.Inhibit {
		for _, m := range slices.Concat(inhibition.Source, inhibition.Target) {
			parts := matcher.FindStringSubmatch(m)
			if parts == nil {
				t.Errorf("%q names no alert", m)
				continue
			}
			pattern := regexp.MustCompile("^(?:" + parts[2] + ")$")
			if !slices.ContainsFunc(alerts(t), func(a rule) bool { return pattern.MatchString(a.Alert) }) {
				t.Errorf("%q matches no alert", m)
			}
		}
	}
}

func TestAlertsSayWhatIsTheMatter(t *testing.T) {
	runbooks := text(t, "../docs/runbooks.md")
	for _, a := range alerts(t) {
		note := a.Annotations
		if note["summary"] == "" || note["description"] == "" {
			t.Errorf("%s: summary %q, description %q", a.Alert, note["summary"], note["description"])
		}
		if !strings.Contains(note["description"], "$value") && !noNumber(a.Alert) {
			t.Errorf("%s is described without a number", a.Alert)
		}
		if note["runbook_url"] != "http://127.0.0.1:10226/runbooks#"+strings.ToLower(a.Alert) {
			t.Errorf("%s has the runbook %s", a.Alert, note["runbook_url"])
		}
		if !strings.Contains(runbooks, "\n## "+a.Alert+"\n") {
			t.Errorf("docs/runbooks.md has no section %s", a.Alert)
		}
		checkDashboard(t, a)
		if !regexp.MustCompile(`[<>=]=|[<>] `).MatchString(a.Expr) {
			t.Errorf("%s compares nothing: %s", a.Alert, a.Expr)
		}
	}
}

// noNumber are alerts whose value says nothing to a person: the numbers of
// failures by stage stand there instead, or there is none.
func noNumber(alert string) bool {
	return alert == "RestbenchTargetDown" || alert == "RestbenchDown"
}

// checkDashboard looks at every dashboard that an alert may link to.
func checkDashboard(t *testing.T, a rule) {
	t.Helper()
	links := regexp.MustCompile(`/d/restbench-([a-z]+)`).FindAllStringSubmatch(a.Annotations["dashboard"], -1)
	if len(links) == 0 {
		t.Errorf("%s links to %q", a.Alert, a.Annotations["dashboard"])
	}
	for _, m := range links {
		if _, err := os.Stat("../grafana/dashboards/" + m[1] + ".json"); err != nil {
			t.Errorf("%s: %v", a.Alert, err)
		}
	}
}

func TestEveryAlertHasACaseThatFiresAndOneThatIsSilent(t *testing.T) {
	var all cases
	load(t, "tests/alerts.yml", &all)
	fires, silent := map[string]bool{}, map[string]bool{"RestbenchWatchdog": true}
	for _, c := range all.Tests {
		for _, a := range c.Alerts {
			fires[a.Name] = fires[a.Name] || len(a.Expected) > 0
			silent[a.Name] = silent[a.Name] || len(a.Expected) == 0
		}
	}
	for _, a := range alerts(t) {
		if !fires[a.Alert] || !silent[a.Alert] {
			t.Errorf("%s: a case that fires: %v, one that is silent: %v", a.Alert, fires[a.Alert], silent[a.Alert])
		}
	}
}

// Alerts about changes read what restbench has found, and compute nothing.
func TestChangesAreNotComputedInRules(t *testing.T) {
	forbidden := regexp.MustCompile(`(avg|stddev|stdvar)_over_time|restbench_requests_per_second`)
	for _, a := range alerts(t) {
		if forbidden.MatchString(a.Expr) {
			t.Errorf("%s: %s", a.Alert, a.Expr)
		}
	}
}

func TestRecordedNamesHaveTheUsualForm(t *testing.T) {
	var recording alerting
	load(t, "rules/recording.yml", &recording)
	form := regexp.MustCompile(`^[a-z]+:restbench_[a-z_]+:[a-z0-9_]+$`)
	for _, group := range recording.Groups {
		for _, r := range group.Rules {
			if !form.MatchString(r.Record) {
				t.Errorf("%s is not level:metric:operation", r.Record)
			}
		}
	}
}

// Metrics in rules are documented, or of the design and not exposed yet.
func TestRulesNameDocumentedMetrics(t *testing.T) {
	docs := text(t, "../docs/metrics.md")
	planned := regexp.MustCompile(`^restbench_(?:change_(?:active|effect_ratio)|detectable_change_ratio)$`)
	for _, name := range regexp.MustCompile(`(?:^|[^:a-z_])(restbench_[a-z0-9_]+)[^:a-z0-9_]`).FindAllStringSubmatch(expressions(t), -1) {
		if !strings.Contains(docs, "`"+name[1]+"`") && !planned.MatchString(name[1]) {
			t.Errorf("%s is neither documented nor planned", name[1])
		}
	}
}

func expressions(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, file := range []string{"rules/recording.yml", "rules/alerts.yml"} {
		var rules alerting
		load(t, file, &rules)
		for _, group := range rules.Groups {
			for _, r := range group.Rules {
				fmt.Fprintln(&b, r.Expr)
			}
		}
	}
	return b.String()
}

func alerts(t *testing.T) []rule {
	t.Helper()
	var file alerting
	load(t, "rules/alerts.yml", &file)
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("no alerts")
	}
	return all
}

func load(t *testing.T, name string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text(t, name)), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func text(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// run runs a checker in this folder and returns what it says.
func run(t *testing.T, program, from string, args ...string) string {
	t.Helper()
	path := need.Program(t, program, from)
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

package deploy

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose is compose.yaml as compose itself reads it: held to its schema, merges
// and variables resolved, paths made absolute. No containers are started.
func compose(t *testing.T, profiles []string, environment ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithProfiles(profiles), cli.WithEnv(environment))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func everything(t *testing.T) *types.Project { return compose(t, []string{"*"}) }

func TestProfiles(t *testing.T) {
	usual := []string{"alertmanager", "grafana", "prometheus", "restbench"}
	if got := slices.Sorted(maps.Keys(compose(t, nil).Services)); !slices.Equal(got, usual) {
		t.Errorf("docker compose up starts %v", got)
	}
	if got := slices.Sorted(maps.Keys(compose(t, []string{"history"}).Services)); !slices.Equal(got, append(usual, "restbench-history")) {
		t.Errorf("with --profile history: %v", got)
	}
}

func TestMountsExist(t *testing.T) {
	project := everything(t)
	for name, s := range project.Services {
		for _, mount := range s.Volumes {
			switch mount.Type {
			case types.VolumeTypeVolume:
				if _, ok := project.Volumes[mount.Source]; !ok || mount.Source == "" {
					t.Errorf("%s: volume %q is not declared", name, mount.Source)
				}
			case types.VolumeTypeBind:
				if _, err := os.Stat(mount.Source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if !mount.ReadOnly {
					t.Errorf("%s can write to %s", name, mount.Source)
				}
			default:
				t.Errorf("%s: mount of type %s", name, mount.Type)
			}
		}
	}
}

// What a configuration file names inside of a container, something is mounted at.
func TestConfigurationsAreWhereProgramsLook(t *testing.T) {
	services := everything(t).Services
	for name, wants := range map[string][]string{
		"prometheus":   {"/etc/prometheus/prometheus.yml", "/etc/prometheus/rules"},
		"alertmanager": {"/etc/alertmanager/alertmanager.yml"},
		"grafana":      {provided(t, "path"), "/etc/grafana/provisioning/dashboards", "/etc/grafana/provisioning/datasources"},
	} {
		for _, want := range wants {
			if !slices.ContainsFunc(services[name].Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == want }) {
				t.Errorf("%s: nothing is mounted at %s", name, want)
			}
		}
	}
	for name, flag := range map[string]string{
		"prometheus": "--config.file=/etc/prometheus/prometheus.yml", "alertmanager": "--config.file=/etc/alertmanager/alertmanager.yml",
	} {
		if !slices.Contains(services[name].Command, flag) {
			t.Errorf("%s is started as %v", name, services[name].Command)
		}
	}
	home := "default_home_dashboard_path = " + provided(t, "path") + "/comparison.json"
	if ini := readFile(t, "grafana.ini"); !strings.Contains(ini, home+"\n") {
		t.Errorf("grafana.ini does not say %s", home)
	}
}

// provided is a value of the provider file of Grafana.
func provided(t *testing.T, key string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^ +` + key + `: (\S+)$`).FindStringSubmatch(readFile(t, "../grafana/provisioning/dashboards/restbench.yml"))
	if m == nil {
		t.Fatalf("no %s", key)
	}
	return m[1]
}

// Prometheus scrapes, and sends alerts to, services of compose.yaml.
func TestPrometheusKnowsTheServices(t *testing.T) {
	project := everything(t)
	text := readFile(t, "../prometheus/prometheus.yml")
	found := regexp.MustCompile(`(?:targets: \["|names: \[)([a-z-]+)`).FindAllStringSubmatch(text, -1)
	if len(found) < 4 {
		t.Fatalf("targets: %v", found)
	}
	for _, m := range found {
		if _, ok := project.Services[m[1]]; !ok && m[1] != "localhost" {
			t.Errorf("there is no service %s", m[1])
		}
	}
	if got := project.Services["grafana"].Environment["RESTBENCH_PROMETHEUS_URL"]; got == nil || *got != "http://prometheus:9090" {
		t.Errorf("Grafana asks %v", got)
	}
}

func TestPortsAreOnLoopback(t *testing.T) {
	taken := map[string]string{}
	for name, s := range everything(t).Services {
		if len(s.Ports) == 0 {
			t.Errorf("%s cannot be reached", name)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to others", name, port.Published)
			}
			if other := taken[port.Published]; other != "" {
				t.Errorf("%s and %s want port %s", name, other, port.Published)
			}
			taken[port.Published] = name
		}
	}
}

func TestContainersAreConfined(t *testing.T) {
	for name, s := range everything(t).Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s: %+v", name, s)
		}
		if s.HealthCheck == nil || s.HealthCheck.Disable || len(s.HealthCheck.Test) < 2 {
			t.Errorf("%s has no health check", name)
		}
		if strings.HasPrefix(name, "restbench") && !slices.Equal(s.HealthCheck.Test, []string{"CMD", "restbench", "healthcheck"}) {
			t.Errorf("%s is asked by %v", name, s.HealthCheck.Test)
		}
	}
}

func TestVersionsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`:v?\d+\.\d+\.\d+$`)
	for name, s := range everything(t).Services {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %q", name, s.Image)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^FROM ([a-z]+:\S+)`).FindAllStringSubmatch(readFile(t, "../Dockerfile"), -1) {
		if !regexp.MustCompile(`^(golang|python):\d+\.\d+-(slim-)?[a-z]+$`).MatchString(m[1]) {
			t.Errorf("Dockerfile begins from %s", m[1])
		}
	}
}

// What compose.yaml builds, the Dockerfile has, and the plain build is the one
// without old packages.
func TestBuildTargetsAreStages(t *testing.T) {
	dockerfile := readFile(t, "../Dockerfile")
	for name, s := range everything(t).Services {
		if s.Build != nil && !strings.Contains(dockerfile, " AS "+s.Build.Target+"\n") {
			t.Errorf("%s: no stage %s", name, s.Build.Target)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(dockerfile), "\nFROM restbench") {
		t.Error("the last stage is not the default image")
	}
	final := regexp.MustCompile(`(?s)FROM machine AS (restbench|history)\n.*?\nCMD`).FindAllString(dockerfile, -1)
	if len(final) != 2 {
		t.Fatalf("%d images", len(final))
	}
	for _, stage := range final {
		if !strings.Contains(stage, "\nUSER 10226:10226\n") {
			t.Errorf("runs as root:\n%s", stage)
		}
	}
	if strings.Contains(final[0], "2020") {
		t.Error("old packages are in everybody's image")
	}
}

// The binary of the image is built from what .dockerignore leaves.
func TestEmbeddedFilesAreNotIgnored(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{range .EmbedFiles}}{{$.ImportPath}}/{{.}}{{"\n"}}{{end}}`, "restbench/...").Output()
	embedded := strings.Fields(string(out))
	if err != nil || len(embedded) < 20 {
		t.Fatalf("%d embedded files, %v", len(embedded), err)
	}
	for _, file := range embedded {
		path := strings.TrimPrefix(file, "restbench/")
		for pattern := range strings.FieldsSeq(readFile(t, "../.dockerignore")) {
			if ignores(pattern, path) {
				t.Errorf("%s is ignored by %s", path, pattern)
			}
		}
	}
}

// ignores reports whether a pattern of .dockerignore, of the forms that are used
// here, leaves path out: it names the path or a folder above it.
func ignores(pattern, path string) bool {
	name, anywhere := strings.CutPrefix(pattern, "**/")
	for above := path; above != "."; above = filepath.Dir(above) {
		candidate := above
		if anywhere {
			candidate = filepath.Base(above)
		}
		if ok, err := filepath.Match(name, candidate); ok || err != nil {
			return true
		}
	}
	return false
}

func TestNoPasswordIsSetByDefault(t *testing.T) {
	ini := readFile(t, "grafana.ini")
	if !strings.Contains(ini, "disable_initial_admin_creation = true") || strings.Contains(ini, "admin_password") {
		t.Error("Grafana starts with an administrator")
	}
	for value, want := range map[string]string{"": "", "secret": "false"} {
		e := compose(t, nil, "GRAFANA_ADMIN_PASSWORD="+value).Services["grafana"].Environment
		if got := *e["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"]; got != want {
			t.Errorf("with the password %q no administrator is %q", value, got)
		}
		if got := *e["GF_SECURITY_ADMIN_PASSWORD"]; got != value {
			t.Errorf("the password %q becomes %q", value, got)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

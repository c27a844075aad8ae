package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composition is what the tests look at of compose.yaml, with its merges done.
type composition struct {
	Services map[string]service
	Volumes  map[string]any
}

type service struct {
	Image       string
	Build       struct{ Context, Target string }
	Ports       []string
	Volumes     []string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Healthcheck struct{ Test []string }
	Privileged  bool
	User        string
}

func compose(t *testing.T) composition {
	t.Helper()
	text, err := os.ReadFile("../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c composition
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) < 5 {
		t.Fatalf("%d services", len(c.Services))
	}
	return c
}

func TestMountsExist(t *testing.T) {
	c := compose(t)
	for name, s := range c.Services {
		for _, mount := range s.Volumes {
			parts := strings.Split(mount, ":")
			if !strings.HasPrefix(parts[0], ".") {
				if _, ok := c.Volumes[parts[0]]; !ok {
					t.Errorf("%s: volume %s is not declared", name, parts[0])
				}
				continue
			}
			if _, err := os.Stat(filepath.Join("..", parts[0])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if len(parts) != 3 || parts[2] != "ro" {
				t.Errorf("%s can write to %s", name, mount)
			}
		}
	}
}

func TestPortsAreOnLoopback(t *testing.T) {
	taken := map[string]string{}
	for name, s := range compose(t).Services {
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to others", name, port)
			}
			published := strings.Split(port, ":")[1]
			if other := taken[published]; other != "" {
				t.Errorf("%s and %s want port %s", name, other, published)
			}
			taken[published] = name
		}
	}
}

func TestContainersAreConfined(t *testing.T) {
	for name, s := range compose(t).Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s: %+v", name, s)
		}
		if len(s.Healthcheck.Test) == 0 {
			t.Errorf("%s has no health check", name)
		}
	}
}

func TestVersionsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`:v?\d+\.\d+\.\d+$`)
	for name, s := range compose(t).Services {
		if s.Build.Context == "" && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %q", name, s.Image)
		}
	}
}

// What compose.yaml builds, the Dockerfile has, and the plain build is the one
// without old packages.
func TestBuildTargetsAreStages(t *testing.T) {
	text, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range compose(t).Services {
		if s.Build.Target != "" && !strings.Contains(string(text), " AS "+s.Build.Target+"\n") {
			t.Errorf("%s: no stage %s", name, s.Build.Target)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(string(text)), "\nFROM restbench") {
		t.Error("the last stage is not the default image")
	}
	final := regexp.MustCompile(`(?s)FROM machine AS (restbench|history)\n.*?\nCMD`).FindAllString(string(text), -1)
	if len(final) != 2 {
		t.Fatalf("%d images", len(final))
	}
	for _, stage := range final {
		if !strings.Contains(stage, "\nUSER 10226:10226\n") {
			t.Errorf("runs as root:\n%s", stage)
		}
	}
}

func TestNoPasswordIsSetByDefault(t *testing.T) {
	ini, err := os.ReadFile("grafana.ini")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(ini), "disable_initial_admin_creation = true") || strings.Contains(string(ini), "admin_password") {
		t.Error("Grafana starts with an administrator")
	}
}

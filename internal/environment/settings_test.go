package environment

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Many machines know their mirror only from pip's configuration.
func TestPipSettingsReachUV(t *testing.T) {
	const file = `# a comment
[global]
index-url = https://user:secret@mirror.example/simple
extra_index_url =
    https://one.example/simple
    https://two.example/simple
cert = /etc/ours.pem

[list]
format = json
[install]
trusted-host = one.example two.example
`
	fromFile := []string{
		"SSL_CERT_FILE=/etc/ours.pem",
		"UV_DEFAULT_INDEX=https://user:secret@mirror.example/simple",
		"UV_INDEX=https://one.example/simple https://two.example/simple",
		"UV_INDEX_STRATEGY=unsafe-best-match",
		"UV_INSECURE_HOST=one.example two.example",
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  []string
		want []string
	}{
		{"file", nil, fromFile},
		{"variable before file", []string{"PIP_INDEX_URL=https://other.example"}, replaced(fromFile, 1, "UV_DEFAULT_INDEX=https://other.example")},
		{"certificates for all", []string{"SSL_CERT_FILE=/etc/all.pem"}, replaced(fromFile, 0, "SSL_CERT_FILE=/etc/all.pem")},
		{"uv has its own", []string{"UV_INDEX_URL=https://uv.example"}, []string{"UV_INDEX_URL=https://uv.example"}},
		{"no files", []string{"PIP_CONFIG_FILE=/dev/null", "PIP_FIND_LINKS=/a b https://c.example/d", "PIP_CLIENT_CERT=/me.pem"}, []string{"SSL_CLIENT_CERT=/me.pem", "UV_FIND_LINKS=/a," + filepath.Join(here, "b") + ",https://c.example/d"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home := t.TempDir()
			if err := os.MkdirAll(filepath.Join(home, ".config", "pip"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(home, ".config", "pip", "pip.conf"), []byte(file), 0o644); err != nil {
				t.Fatal(err)
			}
			m := New(Options{Dir: t.TempDir(), Env: append(test.env, "HOME="+home, "XDG_CONFIG_DIRS="+home)})
			got := slices.DeleteFunc(m.uvEnv(), func(pair string) bool {
				return strings.HasPrefix(pair, "XDG_") || slices.Contains([]string{"UV_PYTHON_DOWNLOADS=manual", "UV_HTTP_RETRIES=2"}, pair)
			})
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func replaced(list []string, i int, with string) []string {
	list = slices.Clone(list)
	list[i] = with
	return list
}

func TestIndexAddress(t *testing.T) {
	tests := map[string][]string{
		defaultIndex:              {},
		"https://a.example":       {"UV_DEFAULT_INDEX=https://a.example", "PIP_INDEX_URL=https://b.example"},
		"https://b.example":       {"PIP_INDEX_URL=https://b.example"},
		"https://c.example/x?y=1": {"UV_DEFAULT_INDEX=ours=https://c.example/x?y=1"},
		"https://d.example/x?y=z": {"UV_INDEX_URL=https://d.example/x?y=z"},
		"https://e.example":       {"UV_DEFAULT_INDEX=https://e.example", "PIP_NO_INDEX=1"},
		"":                        {"PIP_INDEX_URL=https://f.example", "PIP_NO_INDEX=1"},
	}
	for want, env := range tests {
		if got := newSettings(append(env, "PIP_CONFIG_FILE=/dev/null")).index(); got != want {
			t.Errorf("%q: got %s, want %s", env, got, want)
		}
	}
}

// What would change what a lock means does not reach uv, even if a runner hands
// on everything.
func TestUVCommandLeavesOutWhatChangesIt(t *testing.T) {
	m := New(Options{Dir: t.TempDir(), Offline: true, Env: []string{
		"UV_EXCLUDE_NEWER=2020-01-01", "UV_PYTHON=3.7", "PYTHONPATH=/x", "UV_CACHE_DIR=/c", "HTTPS_PROXY=http://p:1", "SECRET=1",
	}})
	command := m.uvCommand("/bin/uv", []string{"venv"})
	want := []string{"env", "-u", "PYTHONPATH", "-u", "UV_EXCLUDE_NEWER", "-u", "UV_PYTHON", "/bin/uv", "--no-progress", "--color", "never", "--offline", "venv"}
	if diff := cmp.Diff(want, command.Argv); diff != "" {
		t.Error(diff)
	}
	env := strings.Join(command.Env, "\n")
	if strings.Contains(env, "SECRET") || strings.Contains(env, "EXCLUDE") || !strings.Contains(env, "UV_CACHE_DIR=/c") || !strings.Contains(env, "HTTPS_PROXY=http://p:1") {
		t.Error(env)
	}
}

// uv has an option for what pip calls no-index, but no variable. Only the commands
// that ask an index have it, and it does not hold where uv has settings of its own.
func TestNoIndexIsAnOption(t *testing.T) {
	pip := []string{"PIP_CONFIG_FILE=/dev/null", "PIP_NO_INDEX=Yes"}
	tests := []struct {
		env, args []string
		want      string
	}{
		{pip, []string{"pip", "sync", "x"}, "pip sync --no-index x"},
		{pip, []string{"venv", "x"}, "venv x"},
		{append(pip, "UV_DEFAULT_INDEX=https://a.example"), []string{"pip", "sync", "x"}, "pip sync x"},
		{[]string{"PIP_CONFIG_FILE=/dev/null", "PIP_NO_INDEX=0"}, []string{"pip", "sync", "x"}, "pip sync x"},
	}
	for _, test := range tests {
		command := New(Options{Dir: t.TempDir(), Env: test.env}).uvCommand("/bin/uv", test.args)
		if got := strings.Join(command.Argv, " "); !strings.HasSuffix(got, " never "+test.want) {
			t.Errorf("%q: got %s, want %s at its end", test.env, got, test.want)
		}
	}
}

// Without a home of its own, as in a container, uv keeps its cache beside the
// environments.
func TestCacheWithoutHome(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, env := range [][]string{nil, {"HOME=" + file}} {
		m := New(Options{Dir: dir, Env: append([]string{"PIP_CONFIG_FILE=/dev/null"}, env...)})
		if want := "UV_CACHE_DIR=" + filepath.Join(dir, "cache"); !slices.Contains(m.uvEnv(), want) {
			t.Errorf("%q: got %q, want %s", env, m.uvEnv(), want)
		}
	}
}

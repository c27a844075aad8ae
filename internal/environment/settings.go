package environment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// settings is restbench's own environment: where the user says which index,
// mirror, proxy and certificates to use.
type settings struct {
	values map[string]string
}

func newSettings(env []string) settings {
	s := settings{values: make(map[string]string, len(env))}
	for _, pair := range env {
		if name, value, ok := strings.Cut(pair, "="); ok {
			s.values[name] = value
		}
	}
	return s
}

func (s settings) get(name string) string { return s.values[name] }

// first returns the first of these that is set.
func (s settings) first(names ...string) string {
	for _, name := range names {
		if value := s.values[name]; value != "" {
			return value
		}
	}
	return ""
}

func (s settings) all() []string {
	return s.filter(func(string) bool { return true })
}

func (s settings) filter(keep func(name string) bool) []string {
	var pairs []string
	for name, value := range s.values {
		if keep(name) {
			pairs = append(pairs, name+"="+value)
		}
	}
	slices.Sort(pairs)
	return pairs
}

// network names what decides how to get out of this machine, for every program.
func network(name string) bool {
	switch strings.ToUpper(name) {
	case "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "NETRC",
		"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME":
		return true
	}
	return false
}

// forUV names what is passed on to uv: how to reach what it needs, where it
// keeps it, how to compile. What would change the result is left out, because a
// lock means the same everywhere.
func forUV(name string) bool {
	switch name {
	case "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "PKG_CONFIG_PATH",
		"UV_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS",
		"UV_KEYRING_PROVIDER", "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_OFFLINE",
		"UV_HTTP_TIMEOUT", "UV_HTTP_CONNECT_TIMEOUT", "UV_REQUEST_TIMEOUT", "UV_HTTP_RETRIES",
		"UV_CACHE_DIR", "UV_NO_CACHE", "UV_LINK_MODE",
		"UV_PYTHON_CACHE_DIR", "UV_PYTHON_INSTALL_MIRROR", "UV_PYTHON_DOWNLOADS_JSON_URL":
		return true
	}
	return network(name) || strings.HasPrefix(name, "UV_INDEX") || strings.HasPrefix(name, "UV_CONCURRENT_")
}

// changesUV names what must not reach uv, or what it builds with.
func changesUV(name string) bool {
	return strings.HasPrefix(name, "UV_") && !forUV(name) || name == "PYTHONPATH" || name == "PYTHONHOME"
}

// without begins a command that runs without some variables, should its runner
// pass on restbench's whole environment. Nothing is needed where none is set.
func (s settings) without(bad func(name string) bool) []string {
	var argv []string
	for _, pair := range s.filter(bad) {
		name, _, _ := strings.Cut(pair, "=")
		argv = append(argv, "-u", name)
	}
	if argv == nil {
		return nil
	}
	return append([]string{"env"}, argv...)
}

func forPip(name string) bool { return network(name) || strings.HasPrefix(name, "PIP_") }

func (s settings) noPythonDownloads() bool {
	switch strings.ToLower(s.get("UV_PYTHON_DOWNLOADS")) {
	case "never", "manual", "false":
		return true
	}
	return s.get("UV_OFFLINE") != ""
}

// uvPythons is where uv keeps the user's interpreters.
func (s settings) uvPythons() string {
	if dir := s.get("UV_PYTHON_INSTALL_DIR"); dir != "" {
		return dir
	}
	if dir := s.base("XDG_DATA_HOME", ".local/share"); dir != "" {
		return filepath.Join(dir, "uv", "python")
	}
	return ""
}

// base is one of the user's base folders, empty when there is no home.
func (s settings) base(variable, below string) string {
	if dir := s.get(variable); filepath.IsAbs(dir) {
		return dir
	}
	if home := s.get("HOME"); home != "" {
		return filepath.Join(home, below)
	}
	return ""
}

// path lists the folders on PATH once each. Relative ones are left out: what
// they mean depends on where restbench was started.
func (s settings) path() []string {
	var dirs []string
	for _, dir := range filepath.SplitList(s.get("PATH")) {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, filepath.Clean(dir)) {
			dirs = append(dirs, filepath.Clean(dir))
		}
	}
	return dirs
}

// lookPath finds what the user named: a path, or a name on PATH.
func (s settings) lookPath(name string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		path, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return "", errors.Unwrap(err)
		case info.IsDir():
			return "", errors.New("is a folder; name the executable in it")
		case !executable(path):
			return "", errors.New("is not executable")
		}
		return path, nil
	}
	for _, dir := range s.path() {
		if path := filepath.Join(dir, name); executable(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("is not on PATH")
}

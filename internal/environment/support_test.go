package environment

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"restbench/internal/bench"
	"restbench/internal/need"
)

// runner runs programs with nothing but what they are given, and keeps a list.
type runner struct {
	before func(bench.Command) error // may refuse

	mu   sync.Mutex
	runs []string
}

func (r *runner) Run(ctx context.Context, c bench.Command) (bench.Output, error) {
	r.mu.Lock()
	r.runs = append(r.runs, strings.Join(c.Argv, " "))
	r.mu.Unlock()
	if r.before != nil {
		if err := r.before(c); err != nil {
			return bench.Output{}, err
		}
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Dir, bytes.NewReader(c.Stdin), &stdout, &stderr
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", c.Name, err, strings.TrimSpace(stderr.String()))
	}
	return bench.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, err
}

// count is how many of the programs that ran had this in their arguments.
func (r *runner) count(part string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, run := range r.runs {
		if strings.Contains(run, part) {
			n++
		}
	}
	return n
}

// tools finds a real uv and a real Python once for all tests.
var tools = sync.OnceValues(func() (uv string, python interpreter) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	m := New(Options{Dir: filepath.Join(cache, "restbench-test"), Runner: &runner{}})
	uv, _ = m.findUV(ctx, func(string) {})
	for _, found := range m.askAll(ctx, slices.Concat(m.candidates("3"))) {
		if bench.CompareVersions(found.Version, "3.10") >= 0 {
			python = found
			break
		}
	}
	return uv, python
})

func realUV(t *testing.T) string {
	t.Helper()
	uv, _ := tools()
	need.That(t, uv != "", "uv (pip install uv), or the package index to fetch it from")
	return uv
}

func realPython(t *testing.T) interpreter {
	t.Helper()
	_, python := tools()
	need.That(t, python.Path != "", "Python 3.10 or newer")
	return python
}

// index is a package index of our own on loopback, so that tests need no network.
type index struct {
	*httptest.Server
	wheels []wheel
	asked  atomic.Int64 // how often it was asked for anything
}

type wheel struct {
	project, version string
	content          []byte
	uploaded         string // RFC 3339
}

func (w wheel) file() string { return w.project + "-" + w.version + "-py3-none-any.whl" }

func (w wheel) hash() string {
	sum := sha256.Sum256(w.content)
	return hex.EncodeToString(sum[:])
}

// newWheel builds a package of one module that knows its version.
func newWheel(t *testing.T, project, version, uploaded string) wheel {
	t.Helper()
	info := project + "-" + version + ".dist-info/"
	return wheel{project: project, version: version, uploaded: uploaded, content: zipped(t, map[string]string{
		project + ".py":    "version = '" + version + "'\n",
		info + "METADATA":  "Metadata-Version: 2.1\nName: " + project + "\nVersion: " + version + "\n",
		info + "WHEEL":     "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		info + "RECORD":    "",
		info + "top_level": project + "\n",
	})}
}

func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(files)) { // the same files, the same hash
		w, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func newIndex(t *testing.T, wheels ...wheel) *index {
	t.Helper()
	x := &index{wheels: wheels}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simple/{project}/", x.list)
	mux.HandleFunc("GET /files/{name}", x.file)
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.asked.Add(1)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(x.Close)
	return x
}

func (x *index) list(w http.ResponseWriter, r *http.Request) {
	type entry map[string]any
	files := []entry{}
	for _, f := range x.wheels {
		if f.project == r.PathValue("project") {
			file := entry{
				"filename": f.file(), "url": "../../files/" + f.file(),
				"hashes": map[string]string{"sha256": f.hash()},
			}
			if f.uploaded != "" {
				file["upload-time"] = f.uploaded
			}
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.pypi.simple.v1+json")
	_ = json.NewEncoder(w).Encode(entry{"meta": entry{"api-version": "1.1"}, "name": r.PathValue("project"), "files": files})
}

func (x *index) file(w http.ResponseWriter, r *http.Request) {
	for _, f := range x.wheels {
		if f.file() == r.PathValue("name") {
			_, _ = w.Write(f.content)
			return
		}
	}
	http.NotFound(w, r)
}

func (x *index) simple() string { return x.URL + "/simple" }

// closedPort is an address on loopback where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	return server.URL
}

// world is all that a test needs to prepare an environment with real tools.
type world struct {
	dir    string
	runner *runner
	env    map[string]string
	python interpreter
}

func newWorld(t *testing.T, index string) *world {
	t.Helper()
	uv, python := realUV(t), realPython(t)
	root := t.TempDir()
	return &world{dir: filepath.Join(root, "state"), runner: &runner{}, python: python, env: map[string]string{
		"PATH":                filepath.Dir(uv) + ":" + filepath.Dir(python.Path) + ":/usr/bin:/bin",
		"HOME":                filepath.Join(root, "home"),
		"UV_DEFAULT_INDEX":    index,
		"UV_CACHE_DIR":        filepath.Join(root, "cache"),
		"UV_PYTHON_DOWNLOADS": "never",
		"NO_PROXY":            "127.0.0.1",
	}}
}

func (w *world) manager(change ...func(*Options)) *Manager {
	o := Options{Dir: w.dir, Runner: w.runner, Pythons: []string{w.python.Path}, Env: []string{}}
	for name, value := range w.env {
		o.Env = append(o.Env, name+"="+value)
	}
	for _, f := range change {
		f(&o)
	}
	return New(o)
}

func (w *world) recipe(lock string) bench.Recipe {
	return bench.Recipe{
		Name: "greeter@current", Package: "Greeter", Lock: []byte(lock),
		Python: bench.PythonWish{Version: minor(w.python.Version)},
		Files:  fstest.MapFS{"app.py": {Data: []byte("import greeter\nprint(greeter.version)\n")}},
	}
}

// lockOf lists wheels as a lock does.
func lockOf(wheels ...wheel) string {
	var lock strings.Builder
	for _, w := range wheels {
		fmt.Fprintf(&lock, "%s==%s \\\n    --hash=sha256:%s\n", w.project, w.version, w.hash())
	}
	return lock.String()
}

// script writes an executable.
func script(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+content+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

package environment

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
	"restbench/internal/need"
)

// A version manager's shim is on PATH under the very name that is looked for,
// and does not answer.
func TestIdleShimIsPassedOver(t *testing.T) {
	python := realPython(t)
	shims := t.TempDir()
	name := "python" + minor(python.Version)
	script(t, filepath.Join(shims, name), "echo '"+name+": command not found' >&2; exit 127")
	script(t, filepath.Join(shims, "python3"), "echo Hello, I am not Python")
	r := &runner{}
	m := New(Options{Dir: t.TempDir(), Runner: r, Env: []string{"PATH=" + shims + ":" + filepath.Dir(python.Path)}})
	got, err := m.choose(t.Context(), bench.PythonWish{Version: minor(python.Version)}, func(string) {})
	if err != nil || got.Path != python.Path {
		t.Fatalf("got %+v, %v, want %s", got, err, python.Path)
	}
	if r.count(shims) == 0 {
		t.Error("the shim was not asked at all, so this test shows nothing")
	}
}

func TestHangingPythonIsPassedOver(t *testing.T) {
	python := realPython(t)
	shims := t.TempDir()
	script(t, filepath.Join(shims, "python"+minor(python.Version)), "exec /bin/sleep 600")
	m := New(Options{Dir: t.TempDir(), Runner: &runner{}, Env: []string{"PATH=" + shims + ":" + filepath.Dir(python.Path)}})
	m.answerLimit = time.Second
	begin := time.Now()
	got, err := m.choose(t.Context(), bench.PythonWish{Version: minor(python.Version)}, func(string) {})
	if err != nil || got.Path != python.Path {
		t.Fatalf("got %+v, %v, want %s", got, err, python.Path)
	}
	if spent := time.Since(begin); spent < m.answerLimit || spent > time.Minute {
		t.Errorf("took %s", spent)
	}
}

// A working shim is a script: what runs is the interpreter behind it.
func TestShimIsFollowed(t *testing.T) {
	python := realPython(t)
	shims := t.TempDir()
	script(t, filepath.Join(shims, "python3"), `exec `+python.Path+` "$@"`)
	m := New(Options{Dir: t.TempDir(), Runner: &runner{}, Env: []string{"PATH=" + shims}})
	got, err := m.choose(t.Context(), bench.PythonWish{Version: minor(python.Version)}, func(string) {})
	if err != nil || got.Path != python.Path {
		t.Fatalf("got %+v, %v, want %s", got, err, python.Path)
	}
}

func TestOtherPythonIsMarked(t *testing.T) {
	greeter := newWheel(t, "greeter", "1.2", "")
	w := newWorld(t, newIndex(t, greeter).simple())
	recipe := w.recipe(lockOf(greeter))
	recipe.Python = bench.PythonWish{Version: "3.99", AtLeast: "3.10"}
	env, err := w.manager().Prepare(t.Context(), recipe)
	if err != nil {
		t.Fatal(err)
	}
	want := []bench.Mark{{
		Kind: bench.MarkNote, Reason: bench.ReasonOtherPython, Detail: "Python " + w.python.Version + " instead of 3.99",
	}}
	if diff := cmp.Diff(want, env.Marks); diff != "" {
		t.Error(diff)
	}
}

// Nothing else will do for an edition that names one version. Others go on, and
// the download is tried once, not once for each framework.
func TestMissingPython(t *testing.T) {
	greeter := newWheel(t, "greeter", "1.2", "")
	w := newWorld(t, newIndex(t, greeter).simple())
	delete(w.env, "UV_PYTHON_DOWNLOADS")
	w.env["UV_HTTP_RETRIES"] = "0"
	w.env["UV_PYTHON_DOWNLOADS_JSON_URL"] = downloads(t, "3.8.20", closedPort(t)+"/python.tar.gz")
	w.env["PATH"] = filepath.Dir(realUV(t))
	m := w.manager()
	for range 3 {
		recipe := w.recipe(lockOf(greeter))
		recipe.Name, recipe.Python = "greeter@2020", bench.PythonWish{Version: "3.8"}
		_, err := m.Prepare(t.Context(), recipe)
		if err == nil {
			t.Fatal("got an environment without its Python")
		}
		for _, part := range []string{"greeter@2020: install: Python 3.8 is needed", "Connection refused", "uv python install 3.8", "--python=PATH", "pythons:"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("got %q, want %q in it", err, part)
			}
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "package index") {
			t.Errorf("got %q", err)
		}
	}
	if n := w.runner.count("python install"); n != 1 {
		t.Errorf("the download was tried %d times", n)
	}
	if _, err := m.Prepare(t.Context(), w.recipe(lockOf(greeter))); err != nil {
		t.Errorf("another target does not run: %v", err)
	}
}

// A download that failed is not waited for again at the next start, where
// another interpreter will do.
func TestFailedDownloadIsRemembered(t *testing.T) {
	w := newWorld(t, closedPort(t))
	delete(w.env, "UV_PYTHON_DOWNLOADS")
	w.env["UV_HTTP_RETRIES"] = "0"
	w.env["UV_PYTHON_DOWNLOADS_JSON_URL"] = downloads(t, "3.8.20", closedPort(t)+"/python.tar.gz")
	wish := bench.PythonWish{Version: "3.8", AtLeast: "3.10"}
	for range 2 {
		m := w.manager(func(o *Options) { o.Pythons = nil })
		got, err := m.choose(t.Context(), wish, func(string) {})
		if err != nil || bench.CompareVersions(got.Version, "3.10") < 0 {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if n := w.runner.count("python install"); n != 1 {
		t.Errorf("the download was tried %d times", n)
	}
}

// uv puts an interpreter into restbench's own folder; the next start finds it
// there without uv.
func TestDownloadedPython(t *testing.T) {
	w := newWorld(t, closedPort(t))
	archive := pythonArchive(t, w.python)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) }))
	t.Cleanup(server.Close)
	delete(w.env, "UV_PYTHON_DOWNLOADS")
	w.env["UV_PYTHON_DOWNLOADS_JSON_URL"] = downloads(t, w.python.Version, server.URL+"/python.tar.gz")
	shared := filepath.Join(t.TempDir(), "bin") // uv's folder may hold a Python as well
	if err := os.MkdirAll(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(realUV(t), filepath.Join(shared, "uv")); err != nil {
		t.Fatal(err)
	}
	w.env["PATH"] = shared
	wish := bench.PythonWish{Version: minor(w.python.Version)}
	for range 2 {
		m := w.manager(func(o *Options) { o.Pythons = nil })
		got, err := m.choose(t.Context(), wish, func(string) {})
		if err != nil || got.Version != w.python.Version {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if n := w.runner.count("python install"); n != 1 {
		t.Errorf("downloaded %d times", n)
	}
	if installed, _ := filepath.Glob(filepath.Join(w.dir, "python", "cpython-*", "bin", "python3*")); installed == nil {
		t.Error("nothing is in restbench's own folder")
	}
}

// pythonArchive is laid out as the interpreters that uv downloads; in it is a
// script that hands over to one that is there already.
func pythonArchive(t *testing.T, python interpreter) []byte {
	t.Helper()
	var buffer bytes.Buffer
	packed := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(packed)
	for name, content := range map[string]string{
		"bin/python" + minor(python.Version):                                                "#!/bin/sh\nexec " + python.Path + ` "$@"` + "\n",
		"lib/python" + minor(python.Version) + "/_sysconfigdata__linux_x86_64-linux-gnu.py": "# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n",
	} {
		header := &tar.Header{Name: "python/" + name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content))}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// downloads describes one interpreter to uv, in place of its own list.
func downloads(t *testing.T, version, address string) string {
	t.Helper()
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	need.That(t, machine != "", "amd64 or arm64")
	numbers := strings.Split(version, ".")
	name := filepath.Join(t.TempDir(), "downloads.json")
	content := fmt.Sprintf(`{"cpython-%s-linux-%s-gnu": {"name": "cpython",
		"arch": {"family": %q, "variant": null}, "os": "linux", "libc": "gnu",
		"major": %s, "minor": %s, "patch": %s, "prerelease": "", "url": %q, "sha256": null, "variant": null, "build": "20241002"}}`,
		version, machine, machine, numbers[0], numbers[1], numbers[2], address)
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestNamedPythonThatDoesNotAnswer(t *testing.T) {
	dir := t.TempDir()
	silent := filepath.Join(dir, "silent")
	script(t, silent, "echo broken >&2; exit 3")
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		filepath.Join(dir, "nowhere"): "no such file",
		silent:                        "does not answer",
		plain:                         "is not executable",
		dir:                           "is a folder",
		"python-nobody-has":           "is not on PATH",
	}
	for name, want := range tests {
		m := New(Options{Dir: t.TempDir(), Runner: &runner{}, Pythons: []string{name}, Env: []string{"PATH=" + dir}})
		_, err := m.Prepare(t.Context(), bench.Recipe{Name: "a@current", Python: bench.PythonWish{Version: "3.13"}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q and %q in it", err, name, want)
		}
	}
}

// The memory must not survive what it is about.
func TestReplacedPythonIsAskedAgain(t *testing.T) {
	python := realPython(t)
	dir, state := t.TempDir(), t.TempDir()
	link := filepath.Join(dir, "python3")
	script(t, link, "exit 127")
	r := &runner{}
	choose := func() (choice, error) {
		m := New(Options{Dir: state, Runner: r, Offline: true, Env: []string{"PATH=" + dir}})
		return m.choose(t.Context(), bench.PythonWish{Version: minor(python.Version)}, func(string) {})
	}
	for range 2 {
		if got, err := choose(); err == nil {
			t.Fatalf("got %+v of a shim that does not answer", got)
		}
	}
	if n := r.count(link); n != 1 {
		t.Errorf("an unchanged file was asked %d times", n)
	}
	script(t, link, `exec `+python.Path+` "$@"`)
	if got, err := choose(); err != nil || got.Path != python.Path {
		t.Errorf("got %+v, %v after the file was replaced", got, err)
	}
}

func TestPick(t *testing.T) {
	have := []interpreter{{Path: "a", Version: "3.9.2"}, {Path: "b", Version: "3.12.1"}, {Path: "c", Version: "3.12.1"}, {Path: "d", Version: "3.10.0"}}
	tests := []struct {
		wish bench.PythonWish
		want string
	}{
		{bench.PythonWish{Version: "3.10", AtLeast: "3.10"}, "d"},
		{bench.PythonWish{Version: "3.13", AtLeast: "3.10"}, "b"}, // the newest, and the first of those
		{bench.PythonWish{Version: "3.13", AtLeast: "3.13"}, ""},
		{bench.PythonWish{Version: "3.1"}, ""}, // 3.10 is not 3.1
		{bench.PythonWish{Version: "3.12.1"}, "b"},
	}
	for _, test := range tests {
		got, ok := pick(have, test.wish)
		if got.Path != test.want || ok != (test.want != "") {
			t.Errorf("%+v: got %q, %v, want %q", test.wish, got.Path, ok, test.want)
		}
	}
}

package environment

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/need"
)

// The release that is asked for comes with what is preferred, though the index
// has a newer one of that.
func TestResolveKeepsWhatIsPreferred(t *testing.T) {
	old, recent := newWheel(t, "greeter", "1.2", ""), newWheel(t, "greeter", "1.3", "")
	helper, newer := newWheel(t, "helper", "3.0", ""), newWheel(t, "helper", "4.0", "")
	w := newWorld(t, newIndex(t, old, recent, helper, newer).simple())
	request := ResolveRequest{
		Name: "greeter==1.2", Requirements: []string{"greeter==1.2", "helper"},
		Python: bench.PythonWish{Version: minor(w.python.Version)}, Prefer: []byte(lockOf(recent, helper)),
	}
	found, err := w.manager().Resolve(t.Context(), request)
	if err != nil || string(found.Lock) != lockOf(old, helper) || found.Direct != nil {
		t.Errorf("got %q, %q, %v", found.Lock, found.Direct, err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, ".resolve-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// An index as it stood earlier has no newer releases, not even preferred ones.
func TestResolveAsOfADay(t *testing.T) {
	old, recent := newWheel(t, "greeter", "1.2", "2020-08-10T12:00:00Z"), newWheel(t, "greeter", "1.3", "2020-08-12T12:00:00Z")
	w := newWorld(t, newIndex(t, old, recent).simple())
	found, err := w.manager().Resolve(t.Context(), ResolveRequest{
		Name: "greeter>=1", Requirements: []string{"greeter>=1"}, Python: bench.PythonWish{Version: minor(w.python.Version)},
		Prefer: []byte(lockOf(recent)), ExcludeNewer: "2020-08-11T00:00:00Z",
	})
	if err != nil || string(found.Lock) != lockOf(old) {
		t.Errorf("got %q, %v", found.Lock, err)
	}
}

// What only pip was told about index and folders holds for the real uv, when it
// resolves and when it installs.
func TestPipSettingsTakeEffect(t *testing.T) {
	old, recent := newWheel(t, "greeter", "1.2", ""), newWheel(t, "greeter", "1.3", "")
	index, folder := newIndex(t, recent), t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, old.file()), old.content, 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "")
	delete(w.env, "UV_DEFAULT_INDEX")
	w.env["PIP_CONFIG_FILE"], w.env["PIP_INDEX_URL"], w.env["PIP_FIND_LINKS"] = os.DevNull, index.simple(), folder
	resolve := func(requirement string) string {
		found, err := w.manager().Resolve(t.Context(), ResolveRequest{
			Name: "greeter", Requirements: []string{requirement}, Python: bench.PythonWish{Version: minor(w.python.Version)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return string(found.Lock)
	}
	if got := resolve("greeter"); got != lockOf(recent) {
		t.Errorf("with the index: %q", got)
	}
	if got := resolve("greeter<1.3"); got != lockOf(old) {
		t.Errorf("with the folder: %q", got)
	}
	w.env["PIP_NO_INDEX"], w.env["UV_CACHE_DIR"] = "1", t.TempDir()
	before := index.asked.Load()
	if got := resolve("greeter"); got != lockOf(old) {
		t.Errorf("without the index: %q", got)
	}
	if env, err := w.manager().Prepare(t.Context(), w.recipe(lockOf(old))); err != nil || env.Version != "1.2" {
		t.Errorf("installed without the index: %+v, %v", env, err)
	}
	if n := index.asked.Load() - before; n != 0 {
		t.Errorf("the index was asked %d times though pip is told to ask none", n)
	}
}

func TestResolveErrors(t *testing.T) {
	w := newWorld(t, newIndex(t, newWheel(t, "greeter", "1.2", "")).simple())
	for requirement, want := range map[string]string{
		"greeter==99":                           "greeter==99",
		"stranger==1":                           "stranger",
		"greeter @ ./nowhere/":                  "no such file",
		"greeter @ git+file:///nowhere/greeter": "nowhere/greeter",
	} {
		_, err := w.manager().Resolve(t.Context(), ResolveRequest{
			Name: "it", Requirements: []string{requirement}, Python: bench.PythonWish{Version: minor(w.python.Version)},
		})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "install: resolve it: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q in it", requirement, err, want)
		}
	}
}

// project is a source tree that builds without anything else.
func project(t *testing.T, version string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a greeter")
	for name, text := range map[string]string{
		"pyproject.toml": `build-system = {requires = [], build-backend = "backend", backend-path = ["."]}
project = {name = "greeter", version = "` + version + `"}
`,
		"backend.py": `import zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    info = "greeter-` + version + `.dist-info/"
    with zipfile.ZipFile(directory + "/greeter-` + version + `-py3-none-any.whl", "w") as wheel:
        wheel.write("greeter.py")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: greeter\nVersion: ` + version + `\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")
    return "greeter-` + version + `-py3-none-any.whl"
`,
		"greeter.py": "version = 'first'\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// greeted resolves and installs greeter from a source, and returns its
// environment and what its application prints.
func greeted(t *testing.T, w *world, source string) (bench.Environment, string) {
	t.Helper()
	m, recipe := w.manager(), w.recipe("")
	found, err := m.Resolve(t.Context(), ResolveRequest{
		Name: "greeter", Requirements: []string{"greeter @ " + source}, Python: recipe.Python,
	})
	if err != nil {
		t.Fatal(err)
	}
	recipe.Lock, recipe.Direct = found.Lock, found.Direct
	env, err := m.Prepare(t.Context(), recipe)
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.runner.Run(t.Context(), bench.Command{Argv: []string{env.Python, "app.py"}, Dir: env.App})
	if err != nil {
		t.Fatal(err)
	}
	return env, strings.TrimSpace(string(out.Stdout))
}

// A folder is installed as it is now: a change of any of its files is another
// environment, and no change is the same one.
func TestResolveAFolder(t *testing.T) {
	w, dir := newWorld(t, newIndex(t).simple()), project(t, "9.9")
	first, said := greeted(t, w, dir)
	if first.Version != "9.9" || said != "first" {
		t.Errorf("version %q, says %q", first.Version, said)
	}
	if again, _ := greeted(t, w, dir); again.App != first.App {
		t.Errorf("the same folder: %s and %s", first.App, again.App)
	}
	write(t, filepath.Join(dir, "greeter.py"), "version = 'second'\n")
	second, said := greeted(t, w, dir)
	if second.App == first.App || said != "second" {
		t.Errorf("a changed folder: %s and %s, says %q", first.App, second.App, said)
	}
}

// The same holds for a folder by whatever name: a file URL, a link, and files that lie
// behind links.
func TestResolveAFolderByOtherNames(t *testing.T) {
	dir, elsewhere := project(t, "9.9"), filepath.Join(t.TempDir(), "greeter.py")
	link := filepath.Join(t.TempDir(), "link")
	for from, to := range map[string]string{link: dir, filepath.Join(dir, "further"): filepath.Dir(elsewhere)} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	for name, source := range map[string]string{
		"file URL": (&url.URL{Scheme: "file", Path: dir}).String(), "link": link, "of this machine": "file://localhost" + (&url.URL{Path: dir}).EscapedPath() + " ; python_version >= '3'",
	} {
		w := newWorld(t, newIndex(t).simple())
		write(t, filepath.Join(dir, "greeter.py"), "version = 'first'\n")
		first, said := greeted(t, w, source)
		if said != "first" {
			t.Errorf("%s: says %q", name, said)
		}
		write(t, filepath.Join(dir, "greeter.py"), "version = 'second'\n")
		if second, said := greeted(t, w, source); second.App == first.App || said != "second" {
			t.Errorf("%s: %s and %s, says %q after a change", name, first.App, second.App, said)
		}
	}
}

// What lies behind links is part of a folder, and links that lead nowhere, or in a
// circle, are an end and no error.
func TestContentFollowsLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "a.py"), "a")
	write(t, filepath.Join(elsewhere, "b.py"), "b")
	write(t, filepath.Join(elsewhere, "sub", "c.py"), "c")
	for from, to := range map[string]string{
		"b.py": filepath.Join(elsewhere, "b.py"), "sub": filepath.Join(elsewhere, "sub"), "circle": ".", "round": ".", "itself": "itself", "nowhere": "gone",
	} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	before := ""
	for _, change := range []func(){
		func() {},
		func() { write(t, filepath.Join(elsewhere, "b.py"), "B") },
		func() { write(t, filepath.Join(elsewhere, "sub", "c.py"), "C") },
		func() { write(t, filepath.Join(dir, "gone"), "found") },
	} {
		change()
		now, err := content(ctx, dir)
		if err != nil || now == before {
			t.Errorf("%s after %s, %v", now, before, err)
		}
		if again, _ := content(ctx, dir); again != now {
			t.Errorf("%s, then %s", now, again)
		}
		before = now
	}
}

// What lies on this machine is found by path and by file URL; everything else is
// left to uv.
func TestLocal(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		"/a b/c": "/a b/c", "./x": here + "/x", "/a:b": "/a:b",
		"file:///a%20b/c": "/a b/c", "file:/a": "/a", "file:x%20y": here + "/x y", "FILE:///a": "/a",
		"file:///a#subdirectory=s ; python_version>'3'": "/a + #subdirectory=s ; python_version>'3'",
		"git+file:///a": "", "https://x/y.whl": "", "git+ssh://git@x/y": "",
	} {
		path, further, here, err := local(source)
		if further != "" {
			path += " + " + further
		}
		if path != want || here != (want != "") || err != nil {
			t.Errorf("%s: %q, %t, %v; want %q", source, path, here, err, want)
		}
	}
	if _, _, _, err := local("file://other/a"); err == nil || !strings.Contains(err.Error(), `"other" is not this machine`) {
		t.Errorf("another machine: %v", err)
	}
}

// A repository is installed at the commit that it has now.
func TestResolveARepository(t *testing.T) {
	git := need.Program(t, "git", "git")
	w, dir := newWorld(t, newIndex(t).simple()), project(t, "9.9")
	commit := func() {
		for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x"}} {
			if out, err := exec.Command(git, append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
				t.Fatalf("git %v: %v\n%s", args, err, out)
			}
		}
	}
	commit()
	source := "git+file://" + strings.ReplaceAll(dir, " ", "%20")
	first, said := greeted(t, w, source)
	if first.Version != "9.9" || said != "first" {
		t.Errorf("version %q, says %q", first.Version, said)
	}
	write(t, filepath.Join(dir, "greeter.py"), "version = 'second'\n")
	commit()
	if second, said := greeted(t, w, source); second.App == first.App || said != "second" {
		t.Errorf("a new commit: %s and %s, says %q", first.App, second.App, said)
	}
}

// sourceOf is a source distribution of a project of newer packaging, whose
// metadata need no build.
func sourceOf(t *testing.T, version, folder string) {
	t.Helper()
	var buffer bytes.Buffer
	compressed := gzip.NewWriter(&buffer)
	archive, name := tar.NewWriter(compressed), "greeter-"+version
	add := func(file string, text []byte) {
		if err := archive.WriteHeader(&tar.Header{Name: name + "/" + file, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	add("PKG-INFO", []byte("Metadata-Version: 2.2\nName: greeter\nVersion: "+version+"\n"))
	dir := project(t, version)
	for _, file := range []string{"pyproject.toml", "backend.py", "greeter.py"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		add(file, text)
	}
	if err := errors.Join(archive.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".tar.gz"), buffer.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// With wheels alone, a release that would have to be built does not count when
// releases are chosen, and is not built when they are installed, unless its package is
// named.
func TestOnlyWheels(t *testing.T) {
	folder, old := t.TempDir(), newWheel(t, "greeter", "1.2", "")
	if err := os.WriteFile(filepath.Join(folder, old.file()), old.content, 0o600); err != nil {
		t.Fatal(err)
	}
	sourceOf(t, "1.3", folder)
	w := newWorld(t, newIndex(t).simple()) // which has nothing
	w.env["UV_FIND_LINKS"] = folder
	request := ResolveRequest{Name: "greeter@latest", Requirements: []string{"greeter"}, Python: bench.PythonWish{Version: minor(w.python.Version)}}
	whole, err := w.manager().Resolve(t.Context(), request)
	if err != nil || !strings.HasPrefix(string(whole.Lock), "greeter==1.3 ") {
		t.Fatalf("with source distributions: %q, %v", whole.Lock, err)
	}
	request.Wheels = true
	if found, err := w.manager().Resolve(t.Context(), request); err != nil || !strings.HasPrefix(string(found.Lock), "greeter==1.2 ") {
		t.Errorf("with wheels alone: %q, %v", found.Lock, err)
	}
	request.Built = []string{"greeter"}
	if found, err := w.manager().Resolve(t.Context(), request); err != nil || !strings.HasPrefix(string(found.Lock), "greeter==1.3 ") {
		t.Errorf("with wheels and what is named: %q, %v", found.Lock, err)
	}
	recipe := w.recipe(string(whole.Lock))
	recipe.Wheels = true
	if env, err := w.manager().Prepare(t.Context(), recipe); err == nil {
		t.Errorf("a source distribution was built: %+v", env)
	}
	recipe.Built = []string{"greeter"}
	if env, err := w.manager().Prepare(t.Context(), recipe); err != nil || env.Version != "1.3" {
		t.Errorf("built: %+v, %v", env, err)
	}
}

// An index that does not answer is told from one that cannot serve, and that from one
// that says no.
func TestResolveTellsAnUnreachableIndex(t *testing.T) {
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(busy.Close)
	for address, want := range map[string]error{
		closedPort(t) + "/simple": ErrUnreachable, busy.URL + "/simple": ErrUnavailable, newIndex(t, newWheel(t, "other", "1", "")).simple(): nil,
	} {
		w := newWorld(t, address)
		w.env["UV_HTTP_RETRIES"] = "0"
		_, err := w.manager().Resolve(t.Context(), ResolveRequest{
			Name: "greeter@latest", Requirements: []string{"greeter"}, Python: bench.PythonWish{Version: minor(w.python.Version)},
		})
		var failure *bench.Failure
		if errors.Is(err, ErrUnreachable) != errors.Is(want, ErrUnreachable) || errors.Is(err, ErrUnavailable) != errors.Is(want, ErrUnavailable) ||
			!errors.As(err, &failure) || failure.Stage != bench.StageInstall {
			t.Errorf("want %v: %v", want, err)
		}
	}
}

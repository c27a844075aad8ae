package frameworks_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/frameworks"
	"restbench/internal/bench"
)

func catalogue(t *testing.T, dirs ...string) *frameworks.Catalogue {
	t.Helper()
	c, err := frameworks.Load(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The releases of the publication of 10 August 2020.
func TestEdition2020IsThePublications(t *testing.T) {
	want := map[string]string{
		"sanic": "20.6.3", "aiohttp": "3.6.2", "fastapi": "0.60.1", "falcon": "2.0.0", "bottle": "0.12.18", "tornado": "6.0.4",
		"hug": "2.6.1", "pyramid": "1.10.4", "flask": "1.1.2", "eve": "1.1.2", "djangorestframework": "3.11.0",
	}
	entries, err := catalogue(t).Select(nil, []string{"2020"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries {
		if name := e.Target.Framework; want[name] != "" { // others may be added
			got[name] = e.LockedVersion()
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryFolderIsComplete(t *testing.T) {
	c := catalogue(t)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != "control" { // it is never ranked
			folders = append(folders, entry.Name())
		}
	}
	var names []string
	for _, f := range c.Frameworks {
		names = append(names, f.Name)
		if want, got := slices.Sorted(maps.Keys(f.Editions)), slices.Sorted(maps.Keys(f.Locks)); !slices.Equal(got, want) {
			t.Errorf("%s has locks for %v and editions %v", f.Name, got, want)
		}
	}
	if diff := cmp.Diff(folders, names); diff != "" {
		t.Errorf("folders and frameworks differ: %s", diff)
	}
}

func TestFilesAreWhatTheServerNeeds(t *testing.T) {
	entries, err := catalogue(t).Select([]string{"eve@current"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files := entries[0].Recipe.Files
	var got []string
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, name)
		}
		return err
	})
	if diff := cmp.Diff([]string{"app.py", "settings.py"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if _, err := fs.ReadFile(files, "current.txt"); err == nil {
		t.Error("a new lock would change the application")
	}
}

func TestSelect(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		names, editions []string
		want            string // targets, or the beginning of the error
	}{
		{[]string{"sanic", "flask"}, []string{"current"}, "sanic@current flask@current"},
		{[]string{"flask"}, []string{"current", "2020"}, "flask@current flask@2020"},
		{[]string{"flask"}, nil, "flask@2020 flask@current"},
		{[]string{"flask@2020", "flask"}, []string{"current", "2020"}, "flask@2020 flask@current"},
		{[]string{"flask@2020"}, []string{"current"}, "flask@2020"},
		{[]string{"flaks"}, nil, `unknown framework "flaks" (did you mean flask?); there are: aiohttp, bottle, djangorestframework, eve, `},
		{[]string{"django"}, nil, `unknown framework "django" (did you mean djangorestframework?); there are: `},
		{[]string{"express"}, nil, `unknown framework "express"; there are: aiohttp, `},
		{[]string{"flask@2021"}, nil, `unknown edition "2021" (did you mean 2020?); there are: 2020, current`},
		{nil, []string{"crrent"}, `unknown edition "crrent" (did you mean current?); there are: 2020, current`},
		{[]string{""}, nil, `unknown framework ""; there are: `},
	} {
		entries, err := c.Select(test.names, test.editions)
		got := ""
		if err != nil {
			got = err.Error()
		}
		for _, e := range entries {
			got = strings.TrimSpace(got + " " + e.Target.String())
		}
		if err == nil && got != test.want || !strings.HasPrefix(got, test.want) {
			t.Errorf("Select(%q, %q)\n got %s\nwant %s", test.names, test.editions, got, test.want)
		}
	}
	if all, err := c.Select(nil, nil); err != nil || len(all) != offered(c) {
		t.Errorf("all are %d of %d, %v", len(all), offered(c), err)
	}
}

// offered counts the targets that the manifests name.
func offered(c *frameworks.Catalogue) int {
	n := 0
	for _, f := range c.Frameworks {
		n += len(f.Editions)
	}
	return n
}

func TestCommand(t *testing.T) {
	e := frameworks.Entry{
		Target:  bench.Target{Framework: "x", Edition: "current"},
		Serving: bench.Serving{Argv: []string{"{bin}/serve", "--app={app}/x.py", "{port}"}, Env: map[string]string{"P": "{python}", "A": "{port}"}},
	}
	got := e.Command(bench.Environment{App: "/a", Bin: "/b", Python: "/b/python"})
	want := bench.Command{
		Name: "x@current", Argv: []string{"/b/serve", "--app=/a/x.py", "{port}"}, Dir: "/a", Env: []string{"A={port}", "P=/b/python"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEditionTimes(t *testing.T) {
	c := catalogue(t)
	for name, want := range map[string][2]string{"2020": {"2020-08-11T00:00:00Z", "3.8"}, "current": {"", "3.10"}} {
		e, err := c.Edition(name)
		if err != nil {
			t.Fatal(err)
		}
		newer, err := frameworks.ExcludeNewer(e)
		if err != nil || want[0] != "" && newer != want[0] || frameworks.LockPython(e) != want[1] {
			t.Errorf("edition %s: %s, Python %s, %v", name, newer, frameworks.LockPython(e), err)
		}
	}
}

// folder makes a user's folder of frameworks that holds one, with a change to
// its files.
func folder(t *testing.T, name string, change func(file, text string) string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"app.py":      "print()\n",
		"current.txt": "mine==1.0 \\\n    --hash=sha256:00\nother==2 ; python_full_version < '3.11' \\\n    --hash=sha256:01\n",
		"framework.yaml": `name: mine
package: Mine
homepage: https://example.org
servings:
  documented:
    server: its own
    argv: ["{python}", app.py, "{port}"]
    source: https://example.org/start
    read: 2026-11-23
workloads:
  hello:
    request: {path: /}
    expect: {status: 200, content_type: text/plain, body: hello}
editions:
  current:
    requirements: [mine]
`,
	}
	for file, text := range files {
		if change != nil {
			text = change(file, text)
		}
		if text != "" {
			write(t, filepath.Join(dir, name, file), text)
		}
	}
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAddedFolder(t *testing.T) {
	dir := folder(t, "mine", func(_, text string) string {
		return strings.Replace(text, "requirements: [mine]", `requirements: [mine]
    servings: {documented: {argv: [serve, "{port}"], env: {A: b}}}
    workloads: {hello: {request: {headers: {Accept: text/plain}}, expect: {body: bye}}}`, 1)
	})
	write(t, filepath.Join(dir, ".git", "config"), "")
	write(t, filepath.Join(dir, "mine", "__pycache__", "app.pyc"), "")
	c := catalogue(t, dir)
	entries, err := c.Select([]string{"mine"}, []string{"current"})
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	if diff := cmp.Diff(bench.Target{Framework: "mine", Edition: "current", Serving: "documented", Workload: "hello"}, e.Target); diff != "" {
		t.Error(diff)
	}
	want := bench.Serving{Server: "its own", Argv: []string{"serve", "{port}"}, Env: map[string]string{"A": "b"}, Source: "https://example.org/start", Read: "2026-11-23"}
	if diff := cmp.Diff(want, e.Serving); diff != "" {
		t.Error(diff)
	}
	answer := bench.Workload{
		Request: bench.Request{Path: "/", Headers: map[string]string{"Accept": "text/plain"}},
		Expect:  bench.Expect{Status: 200, ContentType: "text/plain", Body: "bye"},
	}
	if diff := cmp.Diff(answer, e.Workload); diff != "" {
		t.Error(diff)
	}
	if files, err := fs.Glob(e.Recipe.Files, "*"); err != nil || !slices.Equal(files, []string{"app.py"}) {
		t.Errorf("the application is %v, %v", files, err)
	}
	if !slices.IsSortedFunc(c.Frameworks, func(a, b bench.Framework) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the frameworks are not in the order of their names")
	}
	if got := e.LockedVersion(); got != "1.0" {
		t.Errorf("locked %q", got)
	}
	if all, err := c.Select(nil, []string{"2020"}); err != nil || slices.ContainsFunc(all, func(e frameworks.Entry) bool { return e.Target.Framework == "mine" }) {
		t.Errorf("of 2020 there are %v, %v", all, err)
	}
	if _, err := c.Select([]string{"mine@2020"}, nil); err == nil || err.Error() != `mine has no edition "2020"; it has: current` {
		t.Error(err)
	}
}

func TestAddedEdition(t *testing.T) {
	dir := folder(t, "mine", func(_, text string) string { return strings.ReplaceAll(text, "  current:", "  \"2022\":") })
	write(t, filepath.Join(dir, "editions.yaml"), "- {name: \"2022\", date: 2022-01-01, python: {version: \"3.10\"}}\n")
	_, err := catalogue(t, dir).Select([]string{"mine"}, nil)
	if err == nil || err.Error() != "mine@2022 has no lock yet: make it by `restbench lock mine --edition=2022 --frameworks.dir="+dir+"`" {
		t.Error(err)
	}
	write(t, filepath.Join(dir, "editions.yaml"), "\n- {name: current, date: 2022-01-01, python: {version: \"3.10\"}}\n")
	if _, err := frameworks.Load(dir); err == nil || !strings.HasSuffix(err.Error(), `editions.yaml:2: 0.name: the edition "current" is already there`) {
		t.Error(err)
	}
}

func TestLockPath(t *testing.T) {
	dir := folder(t, "mine", nil)
	c := catalogue(t, dir)
	if got, err := c.LockPath("mine", "current", "."); err != nil || got != filepath.Join(dir, "mine", "current.txt") {
		t.Error(got, err)
	}
	if got, err := c.LockPath("flask", "2020", ".."); err != nil || got != filepath.Join("..", "frameworks", "flask", "2020.txt") {
		t.Error(got, err)
	}
	if _, err := c.LockPath("flask", "2020", t.TempDir()); err == nil {
		t.Error("a folder without the source tree was taken for it")
	}
	if _, err := c.LockPath("mine", "2020", "."); err == nil {
		t.Error("a lock of an edition that the framework does not have")
	}
}

func TestSetDate(t *testing.T) {
	text := "# first\n- name: \"2020\"\n  date: 2020-08-10   # then\n- {name: current, date: '2026-01-01', python: {version: \"3.13\"}}\n"
	got, err := frameworks.SetDate([]byte(text), "current", "2027-02-03")
	if err == nil {
		got, err = frameworks.SetDate(got, "2020", "2020-08-09")
	}
	want := "# first\n- name: \"2020\"\n  date: 2020-08-09   # then\n- {name: current, date: 2027-02-03, python: {version: \"3.13\"}}\n"
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, wrong := range [][2]string{{"2021", "2027-02-03"}, {"current", "tomorrow"}} {
		if _, err := frameworks.SetDate([]byte(text), wrong[0], wrong[1]); err == nil {
			t.Errorf("%v was set", wrong)
		}
	}
	if got := frameworks.EditionsPath("x"); got != filepath.Join("x", "frameworks", "editions.yaml") {
		t.Error(got)
	}
}

// The manifests that the documentation shows are right ones.
func TestDocumentedManifest(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "adding-a-framework.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 2 {
		t.Fatalf("the page has %d manifests", len(blocks))
	}
	whole := blocks[0][1]
	other := whole[:strings.Index(whole, "   editions:")] + blocks[1][1]
	for _, manifest := range []string{whole, other} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "starlette", "framework.yaml"), manifest)
		if _, err := frameworks.Load(dir); err != nil {
			t.Error(err)
		}
	}
}

package frameworks_test

import (
	"path/filepath"
	"strings"
	"testing"

	"restbench/frameworks"
)

// Each case changes one thing in a right folder; the error names the file, the
// line and the field.
func TestInvalidFolder(t *testing.T) {
	for _, test := range []struct{ file, old, new, want string }{
		{"framework.yaml", "package:", "pakage:", `framework.yaml:2: unknown key "pakage"`},
		{"framework.yaml", "    read:", "    raed:", `framework.yaml:9: unknown key "raed"`},
		{"framework.yaml", "name: mine", "name: [mine", `framework.yaml:1: did not find expected ',' or ']'`},
		{"framework.yaml", "name: mine", "name: yours", `framework.yaml:1: name: is "yours", must be the folder's name, "mine"`},
		{"framework.yaml", "package: Mine", "package: ''", `framework.yaml:2: package: is missing: the framework's name in the package index`},
		{"framework.yaml", "https://example.org\n", "example.org\n", `framework.yaml:3: homepage: "example.org" is not a web address`},
		{"framework.yaml", "  documented:", "  deployed:", `framework.yaml:4: servings.documented: is missing: the server of the framework's first example`},
		{"framework.yaml", "    server: its own\n", "", `framework.yaml:5: servings.documented.server: is missing: what listens, in words`},
		{"framework.yaml", `["{python}", app.py, "{port}"]`, "[]", `framework.yaml:7: servings.documented.argv: is missing: the command that serves`},
		{"framework.yaml", `, "{port}"`, ", 80", `framework.yaml:7: servings.documented.argv: has no {port}: the server must listen where it is told to`},
		{"framework.yaml", `{python}`, "{pyhton}", `framework.yaml:7: servings.documented.argv: {pyhton} is unknown; there are {python}, {bin}, {app} and {port}`},
		{"framework.yaml", "/start", "/start\n    read: x", `framework.yaml:10: mapping key "read" already defined at line 9`},
		{"framework.yaml", "2026-11-23", "today", `framework.yaml:9: servings.documented.read: "today" is not a date (2006-01-02): the day on which the page was read`},
		{"framework.yaml", "    read:", "    signal: latency\n    read:", `framework.yaml:9: servings.documented.signal: "latency" is none; there are requests_per_second and server_cpu_seconds_per_request`},
		{"framework.yaml", "path: /", "path: hello", `framework.yaml:12: workloads.hello.request.path: is "hello", must begin with / and have no spaces`},
		{"framework.yaml", "path: /", "path: /, method: get", `framework.yaml:12: workloads.hello.request.method: is "get", must be in capital letters`},
		{"framework.yaml", "path: /", `path: /, headers: {A: "b\r\nC: d"}`, `framework.yaml:12: workloads.hello.request.headers.A: is not a header`},
		{"framework.yaml", "status: 200, ", "", `framework.yaml:13: workloads.hello.expect.status: is 0, must be 200 to 599`},
		{"framework.yaml", "status: 200", "status: ok", `framework.yaml:13: cannot unmarshal !!str ` + "`ok` into int"},
		{"framework.yaml", "  current:", "  2021:", `framework.yaml:15: editions.2021: editions.yaml has no such edition`},
		{"framework.yaml", "[mine]", "[]", `framework.yaml:16: editions.current.requirements: is missing: what to install`},
		{"framework.yaml", "[mine]", "[mine]\n    servings: {deployed: {server: x}}", `framework.yaml:17: editions.current.servings.deployed: changes a serving that is not there`},
		{"framework.yaml", "[mine]", "[mine]\n    servings: {documented: {argv: [x]}}", `framework.yaml:17: editions.current.servings.documented.argv: has no {port}: the server must listen where it is told to`},
		{"framework.yaml", "[mine]", "[mine]\n    workloads: {bye: {}}", `framework.yaml:17: editions.current.workloads.bye: changes a workload that is not there`},
		{"current.txt", "mine==1.0", "mine>=1.0", `current.txt:1: "mine>=1.0 \\" is not a release (package==version)`},
		{"current.txt", " \\\n    --hash=sha256:00", "", `current.txt:1: has no hash`},
		{"current.txt", " \\\n    --hash=sha256:01", "", `current.txt:3: has no hash`},
		{"current.txt", "mine==1.0", "yours==1.0", `current.txt:1: Mine is not in it`},
		{"current.txt", "mine==1.0", "--index-url https://example.org\nmine==1.0", `current.txt:1: "--index-url https://example.org" is not a release (package==version)`},
		{"current.txt", "mine==1.0", "mine @ file:///tmp/mine", `current.txt:1: "mine @ file:///tmp/mine \\" is not a release (package==version)`},
	} {
		dir := folder(t, "mine", func(file, text string) string {
			if file != test.file {
				return text
			}
			if !strings.Contains(text, test.old) {
				t.Fatalf("%q is not in %s", test.old, file)
			}
			return strings.Replace(text, test.old, test.new, 1)
		})
		invalid(t, dir, dir+"/mine/"+test.want)
	}
}

func invalid(t *testing.T, dir, want string) {
	t.Helper()
	if _, err := frameworks.Load(dir); err == nil || err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
}

func TestInvalidLayout(t *testing.T) {
	dir := folder(t, "flask", func(_, text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, "mine", "flask"), "Mine", "flask")
	})
	invalid(t, dir, filepath.Join(dir, "flask")+`: the framework "flask" is already in the built-in catalogue; give it another name`)

	dir = folder(t, "mine", nil)
	write(t, filepath.Join(dir, "mine", "templates", "x.html"), "")
	invalid(t, dir, filepath.Join(dir, "mine", "templates")+": a framework's folder is flat, folders in it are not supported")

	dir = folder(t, "mine", nil)
	write(t, filepath.Join(dir, "mine", "Procfile"), "")
	invalid(t, dir, filepath.Join(dir, "mine", "Procfile")+": files need an extension, others are not taken along")

	dir = folder(t, "mine", nil)
	write(t, filepath.Join(dir, "other", "app.py"), "")
	invalid(t, dir, filepath.Join(dir, "other")+": framework.yaml is missing")

	write(t, filepath.Join(dir, "other", "framework.yaml"), "")
	invalid(t, dir, filepath.Join(dir, "other", "framework.yaml")+": the file is empty")

	missing := filepath.Join(dir, "missing")
	invalid(t, missing, "read the folder of frameworks: open "+missing+": no such file or directory")
}

func TestInvalidEditions(t *testing.T) {
	for text, want := range map[string]string{
		"- {name: a, date: 2022-13-01, python: {version: \"3.10\"}}": `1: 0.date: "2022-13-01" is not a date (2006-01-02)`,
		"- name: a\n  date: 2022-01-01\n  python: {version: 2}":      `3: 0.python.version: is "2", must be like "3.13"`,
		"- name: A":  `1: 0.name: "A" must consist of lower-case letters, digits, dots, dashes and underscores`,
		"- nname: a": `1: unknown key "nname"`,
		"- name: own\n  date: 2022-01-01\n  python: {version: \"3.9\"}": `1: 0.name: the edition "own" is already there`,
		"": "",
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "editions.yaml")
		write(t, file, text)
		if want == "" {
			invalid(t, dir, file+": the file is empty")
			continue
		}
		invalid(t, dir, file+":"+want)
	}
}

func TestLockedVersion(t *testing.T) {
	lock := []byte(`a==1 ; sys_platform == 'win32' \
    --hash=sha256:00
a==2 ; python_full_version < '3.11' and sys_platform != 'win32' \
    --hash=sha256:00
A==3 ; python_full_version >= '3.11' and sys_platform != 'win32' \
    --hash=sha256:00
b.c[extra]==1.2.post1
d==4 ; implementation_name == 'pypy' or (python_full_version >= '3.13' and platform_machine == 'x86_64')
`)
	for _, test := range []struct{ name, python, want string }{
		{"a", "3.10", "2"},
		{"a", "3.9", "2"},
		{"a", "3.11", "3"},
		{"a", "3.13.0", "3"},
		{"B_C", "3.8", "1.2.post1"},
		{"d", "3.12", ""},
		{"d", "3.13", "4"},
		{"e", "3.13", ""},
	} {
		if got := frameworks.LockedVersion(lock, test.name, test.python); got != test.want {
			t.Errorf("%s on Python %s is %q, want %q", test.name, test.python, got, test.want)
		}
	}
}

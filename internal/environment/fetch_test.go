package environment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/need"
)

// fakeUV is a wheel like uv's with a script in place of the program.
func fakeUV(t *testing.T, script string) (name string, content []byte, p pin) {
	t.Helper()
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	need.That(t, machine != "", "amd64 or arm64")
	content = zipped(t, map[string]string{
		"uv/__init__.py":              "",
		"uv-9.8.7.data/scripts/uv":    "#!/bin/sh\n" + script + "\n",
		"uv-9.8.7.dist-info/METADATA": "Name: uv\n",
	})
	sum := sha256.Sum256(content)
	name = "uv-9.8.7-py3-none-manylinux_2_17_" + machine + ".manylinux2014_" + machine + ".musllinux_1_1_" + machine + ".whl"
	return name, content, pin("uv==9.8.7 \\\n    --hash=sha256:" + hex.EncodeToString(sum[:]) + "\n")
}

// uvIndex offers a wheel beside some that do not fit.
func uvIndex(t *testing.T, kind, name string, content []byte) string {
	t.Helper()
	others := []string{"uv-9.8.7.tar.gz", "uv-9.8.7-py3-none-macosx_11_0_arm64.whl", "uv-9.8.7-py3-none-manylinux_2_17_riscv64.whl",
		strings.Replace(name, "9.8.7", "9.8.70", 1), strings.Replace(name, "9.8.7", "1.0.0", 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /root/pypi/+simple/uv/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		var page strings.Builder
		for _, name := range append(others, name) {
			if strings.Contains(kind, "json") {
				fmt.Fprintf(&page, `,{"filename": %q, "url": "../../%%2Bf/%s"}`, name, name)
			} else {
				fmt.Fprintf(&page, "<a data-requires-python=\"&gt;=3.8\"\n href='../../%%2Bf/%s?a=1&amp;b=2#sha256=00'>%s</a><br>\n", name, name)
			}
		}
		if strings.Contains(kind, "json") {
			fmt.Fprintf(w, `{"files": [%s]}`, page.String()[1:])
			return
		}
		fmt.Fprintf(w, "<html><body>%s</body></html>", page.String())
	})
	mux.HandleFunc("GET /root/pypi/+f/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/root/pypi/+simple/"
}

// A machine may have neither uv nor pip.
func TestFetchUVFromTheIndex(t *testing.T) {
	for _, kind := range []string{"application/vnd.pypi.simple.v1+json", "text/html; charset=utf-8"} {
		t.Run(kind, func(t *testing.T) {
			name, content, p := fakeUV(t, "echo uv 9.8.7")
			env := []string{"PATH=/nowhere", "PIP_INDEX_URL=" + uvIndex(t, kind, name, content)}
			dir := t.TempDir()
			m := New(Options{Dir: dir, Runner: &runner{}, Env: env})
			m.pin = p
			uv, err := m.findUV(t.Context(), func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(dir, "uv", "9.8.7", "uv"); uv != want || !executable(uv) {
				t.Errorf("got %s, want %s", uv, want)
			}
			left, _ := os.ReadDir(filepath.Join(dir, "uv"))
			if len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
			again := New(Options{Dir: dir, Runner: &runner{}, Env: []string{"PATH=/nowhere"}, Offline: true})
			again.pin = p
			if found, err := again.findUV(t.Context(), func(string) {}); err != nil || found != uv {
				t.Errorf("the next start finds %q, %v", found, err)
			}
		})
	}
}

// pip goes first, because it knows all of its user's settings. What it leaves
// when it does not succeed must not be in the way.
func TestFetchUVWithPip(t *testing.T) {
	for _, status := range []int{0, 1} {
		t.Run(fmt.Sprint("exit ", status), func(t *testing.T) {
			name, content, p := fakeUV(t, "echo uv 9.8.7")
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
			python := filepath.Join(dir, "python3")
			script(t, python, fmt.Sprintf(`case "$*" in
*" -c "*) echo %s; echo 3.12.1; echo True;;
*--require-hashes*) /bin/cp %s "$PWD" && exit %d;;
esac`, python, filepath.Join(dir, name), status))
			address := closedPort(t)
			if status != 0 {
				address = uvIndex(t, "text/html", name, content)
			}
			r := &runner{}
			m := New(Options{Dir: filepath.Join(dir, "state"), Runner: r, Env: []string{"PATH=" + dir, "PIP_INDEX_URL=" + address}})
			m.pin = p
			if uv, err := m.findUV(t.Context(), func(string) {}); err != nil || !executable(uv) {
				t.Errorf("got %q, %v", uv, err)
			}
			if n := r.count("-m pip"); n != 1 {
				t.Errorf("pip ran %d times", n)
			}
		})
	}
}

func TestFetchUVErrors(t *testing.T) {
	const json = "application/vnd.pypi.simple.v1+json"
	name, content, good := fakeUV(t, "echo uv 9.8.7")
	_, silent, silentPin := fakeUV(t, "exit 1")
	tests := []struct {
		name, index string
		pin         pin
		offline     bool
		want        string
	}{
		{"tampered", uvIndex(t, json, name, append([]byte("x"), content...)), good, false, "is none of uv 9.8.7"},
		{"does not run", uvIndex(t, json, name, silent), silentPin, false, "does not answer"},
		{"not offered", uvIndex(t, json, "uv-9.8.7-py3-none-win32.whl", content), good, false, "the index has no uv 9.8.7 for " + runtime.GOOS},
		{"no such page", closedPort(t), good, false, "check the network, or name a mirror"},
		{"not JSON", uvIndex(t, json, `"`, content), good, false, "invalid character"},
		{"offline", closedPort(t), good, true, "switched off"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			m := New(Options{Dir: dir, Runner: &runner{}, Offline: test.offline, Env: []string{"PATH=/nowhere", "PIP_INDEX_URL=" + test.index}})
			m.pin = test.pin
			uv, err := m.findUV(t.Context(), func(string) {})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, %v, want %q in one line", uv, err, test.want)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "uv", "*")); left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// Who told pip to ask no index has not allowed restbench to.
func TestFetchUVAsksNoIndexAgainstTheUsersWill(t *testing.T) {
	name, content, p := fakeUV(t, "echo uv 9.8.7")
	m := New(Options{Dir: t.TempDir(), Runner: &runner{}, Env: []string{
		"PATH=/nowhere", "PIP_NO_INDEX=1", "PIP_INDEX_URL=" + uvIndex(t, "text/html", name, content),
	}})
	m.pin = p
	if uv, err := m.findUV(t.Context(), func(string) {}); err == nil || !strings.Contains(err.Error(), "no index") {
		t.Errorf("got %q, %v", uv, err)
	}
}

// What is called uv on PATH may be a shim, another program or too old.
func TestUnfitUVIsPassedOver(t *testing.T) {
	uv := realUV(t)
	root := t.TempDir()
	path := []string{}
	for dir, content := range map[string]string{"shim": "exit 127", "other": "echo libuv 1.2", "old": "echo uv 0.1.44", "good": `exec ` + uv + ` "$@"`} {
		script(t, filepath.Join(root, dir, "uv"), content)
	}
	for _, dir := range []string{"shim", "other", "old", "good"} {
		path = append(path, filepath.Join(root, dir))
	}
	m := New(Options{Dir: t.TempDir(), Runner: &runner{}, Env: []string{"PATH=" + strings.Join(path, ":")}})
	if got, err := m.findUV(t.Context(), func(string) {}); err != nil || got != filepath.Join(root, "good", "uv") {
		t.Errorf("got %q, %v", got, err)
	}
}

// The lock that is built in must be one that can be fetched.
func TestPin(t *testing.T) {
	p := pin(uvLock)
	if version := p.version(); bench.CompareVersions(version, uvOldest) < 0 {
		t.Errorf("uv %s is pinned, older than %s", version, uvOldest)
	}
	if n := strings.Count(uvLock, "--hash=sha256:"); n < 10 || strings.Contains(uvLock, "http") {
		t.Errorf("the lock has %d hashes:\n%s", n, uvLock)
	}
}

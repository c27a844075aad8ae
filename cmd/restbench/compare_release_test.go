//go:build linux && (amd64 || arm64)

package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"restbench/internal/need"
)

// tinyWheel is a release of a package that answers after a delay.
func tinyWheel(t *testing.T, dir, version string, milliseconds int) string {
	t.Helper()
	path := filepath.Join(dir, "tiny-"+version+"-py3-none-any.whl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	archive, info := zip.NewWriter(file), "tiny-"+version+".dist-info/"
	for name, text := range map[string]string{
		"tiny.py":         fmt.Sprintf("delay = %d / 1000\n", milliseconds),
		info + "METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: " + version + "\n",
		info + "WHEEL":    "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		info + "RECORD":   "",
	} {
		w, err := archive.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

const tinyManifest = `name: tiny
package: tiny
homepage: https://example.org
servings:
  documented:
    server: http.server
    argv: ["{python}", app.py, "{port}"]
    source: https://example.org
    read: 2026-11-23
workloads:
  hello:
    request: {path: /}
    expect: {status: 200, body: hello}
editions:
  current: {requirements: [tiny]}
`

const tinyApp = `import http.server, sys, time
import tiny

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(tiny.delay)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
`

// onlyFrom leaves uv nothing but a folder of releases: packages of these names on
// the real index are others. The index that stands in for it has nothing, and must
// have been asked, else another one was.
func onlyFrom(t *testing.T, releases string) {
	t.Helper()
	var asked atomic.Int64
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.NotFound(w, r)
	}))
	t.Cleanup(func() {
		empty.Close()
		if asked.Load() == 0 && !t.Skipped() && !t.Failed() {
			t.Error("uv has asked another index than the one of this test")
		}
	})
	t.Setenv("UV_FIND_LINKS", releases)
	t.Setenv("UV_DEFAULT_INDEX", empty.URL+"/simple")
	t.Setenv("NO_PROXY", "127.0.0.1")
}

// tinyFramework is a catalogue of one framework, whose edition has release 1.0,
// and a folder of releases that stands in for the package index.
func tinyFramework(t *testing.T, state string) (catalogue, releases string) {
	t.Helper()
	catalogue, releases = t.TempDir(), t.TempDir()
	wheel, err := os.ReadFile(tinyWheel(t, releases, "1.0", 20))
	if err != nil {
		t.Fatal(err)
	}
	tinyWheel(t, releases, "2.0", 50)
	rewrite(t, filepath.Join(releases, "tiny-3.0-py3-none-any.whl"), "not an archive")
	sum := sha256.Sum256(wheel)
	if err := os.Mkdir(filepath.Join(catalogue, "tiny"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"framework.yaml": tinyManifest, "app.py": tinyApp,
		"current.txt": "tiny==1.0 \\\n    --hash=sha256:" + hex.EncodeToString(sum[:]) + "\n",
	} {
		rewrite(t, filepath.Join(catalogue, "tiny", name), text)
	}
	onlyFrom(t, releases)
	bare := writeFile(t, "bare.yml", "controls: []\n")
	got := restbench(t.Context(), t, "install", "tiny", "--config.file="+bare, "--storage.path="+state, "--frameworks.dir="+catalogue)
	need.That(t, got.code == exitDone, pythonAndIndex+lastLine(got.err))
	return catalogue, releases
}

// The edition's release is compared with a newer one that is resolved and
// installed for it, by its number and as a file.
func TestCompareReleases(t *testing.T) {
	state := isolated(t)
	catalogue, releases := tinyFramework(t, state)
	for _, b := range []string{"tiny==2.0", "tiny>1.0,<3", "tiny @ " + filepath.Join(releases, "tiny-2.0-py3-none-any.whl")} {
		c, got := compare(t, quickly(state, "tiny@current", b, "--frameworks.dir="+catalogue)...)
		if c.Verdict != "slower" || got.code != exitDone {
			t.Fatalf("%s: verdict %q, exit code %d, stderr %s", b, c.Verdict, got.code, got.err)
		}
		if len(c.Packages) != 1 || c.Packages[0].Package != "tiny" || *c.Packages[0].A != "1.0" || *c.Packages[0].B != "2.0" {
			t.Errorf("%s: packages that differ: %+v", b, c.Packages)
		}
		if c.A.Target != "tiny@current" || *c.A.Version != "1.0" || *c.B.Version != "2.0" || b == "tiny==2.0" && c.B.Target != b {
			t.Errorf("%s: sides are %+v and %+v", b, *c.A, *c.B)
		}
	}
}

// A release that there is not, or that cannot be installed, is one line, and what
// was made for the other side is kept.
func TestCompareReleasesThatCannotBeHad(t *testing.T) {
	state := isolated(t)
	catalogue, _ := tinyFramework(t, state)
	if err := os.RemoveAll(filepath.Join(state, "environments")); err != nil { // that of the installation
		t.Fatal(err)
	}
	for release, want := range map[string]string{"tiny==9": "tiny==9", "tiny==3.0": "download"} {
		c, got := compare(t, quickly(state, "tiny==1.0", release, "--frameworks.dir="+catalogue)...)
		last := lastLine(got.err)
		if got.code != exitFailed || len(c.Failures) != 1 || c.Failures[0].Stage != "install" ||
			!strings.HasPrefix(last, "restbench: "+release+": install: ") || !strings.Contains(last, want) {
			t.Errorf("%s: exit code %d, failures %+v, stderr %s", release, got.code, c.Failures, got.err)
		}
	}
	if made, _ := filepath.Glob(filepath.Join(state, "environments", "tiny-*", "environment.json")); len(made) == 0 {
		t.Error("no environment was kept")
	}
}

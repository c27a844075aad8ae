//go:build linux && (amd64 || arm64)

package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/need"
)

// wheelOf is a release of a package of one module.
func wheelOf(t *testing.T, name, version, text string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	archive, info := zip.NewWriter(&buffer), name+"-"+version+".dist-info/"
	for _, file := range [][2]string{
		{name + ".py", text},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", ""},
	} {
		w, err := archive.Create(file[0])
		if err == nil {
			_, err = io.WriteString(w, file[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// offer puts a release into the folder that stands in for the package index, at
// once and as a whole.
func offer(t *testing.T, releases, name, version, text string) {
	t.Helper()
	path := filepath.Join(releases, name+"-"+version+"-py3-none-any.whl")
	if err := os.WriteFile(path+".part", wheelOf(t, name, version, text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		t.Fatal(err)
	}
}

// delayed is a package whose part of the time that an answer takes is fixed by a
// clock, so that no ratio depends on a processor.
func delayed(milliseconds int) string { return fmt.Sprintf("delay = %d / 1000\n", milliseconds) }

const delayedManifest = `name: tiny
package: tiny
homepage: https://example.org
servings:
  documented:
    server: asyncio
    argv: ["{python}", app.py, "{port}", %s]
    source: https://example.org
    read: 2026-11-23
workloads:
  hello:
    request: {path: /}
    expect: {status: 200, body: hello}
editions:
  current: {requirements: [%s]}
`

const delayedApp = `import asyncio, sys

delay = sum(__import__(name).delay for name in sys.argv[2:])

async def answer(reader, writer):
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(delay)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
`

// delayedFramework is a catalogue of the framework tiny, whose application takes
// 10 ms and what further packages add, and a folder with their releases 1.0.
func delayedFramework(t *testing.T, state string, further ...string) (catalogue, releases string) {
	t.Helper()
	catalogue, releases = t.TempDir(), t.TempDir()
	packages := strings.Join(append([]string{"tiny"}, further...), ", ")
	offer(t, releases, "tiny", "1.0", delayed(10))
	for _, name := range further {
		offer(t, releases, name, "1.0", delayed(0))
	}
	sum := sha256.Sum256(wheelOf(t, "tiny", "1.0", delayed(10)))
	if err := os.Mkdir(filepath.Join(catalogue, "tiny"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"framework.yaml": fmt.Sprintf(delayedManifest, packages, packages), "app.py": delayedApp,
		"current.txt": "tiny==1.0 \\\n    --hash=sha256:" + hex.EncodeToString(sum[:]) + "\n",
	} {
		rewrite(t, filepath.Join(catalogue, "tiny", name), text)
	}
	empty := httptest.NewServer(http.NotFoundHandler()) // packages of these names elsewhere are others
	t.Cleanup(empty.Close)
	t.Setenv("UV_FIND_LINKS", releases)
	t.Setenv("UV_DEFAULT_INDEX", empty.URL+"/simple")
	t.Setenv("NO_PROXY", "127.0.0.1")
	bare := writeFile(t, "bare.yml", "controls: []\n")
	got := restbench(t.Context(), t, "install", "tiny", "--config.file="+bare, "--storage.path="+state, "--frameworks.dir="+catalogue)
	need.That(t, got.code == exitDone, pythonAndIndex+lastLine(got.err))
	return catalogue, releases
}

// latestFile measures tiny@latest and asks for new releases every second.
func latestFile(t *testing.T, schedule string) string {
	t.Helper()
	return writeFile(t, "restbench.yml", `schedule: "`+schedule+`"
editions: [latest]
frameworks: [tiny]
controls: []
protocol: {name: short, rounds: 1, duration: 100ms, threads: 1, connections: 4}
latest: {schedule: "@every 1s", min_age: 0s, time: 1m, precision: 0.3}
`)
}

const upgradeLabels = `{edition="latest",framework="tiny",protocol="upgrade",serving="documented",workload="hello"}`

func (d *runningDaemon) upgradeRatio() string {
	return d.metric("restbench_upgrade_ratio" + upgradeLabels)
}

func (d *runningDaemon) awaitLog(within time.Duration, text string) {
	d.t.Helper()
	defer func() {
		if d.t.Failed() {
			d.t.Log(d.log.String())
		}
	}()
	eventually(d.t, within, "the log says "+text, func() bool { return strings.Contains(d.log.String(), text) })
}

// Three packages have a new release, and one of them makes answers slower: it is
// found, also by a daemon that looks at the history alone.
func TestTheResponsiblePackageIsFound(t *testing.T) {
	state := isolated(t)
	catalogue, releases := delayedFramework(t, state, "extra", "helper")
	file := latestFile(t, "@yearly")
	rewrite(t, file, strings.Replace(read(t, file), "precision: 0.3", "precision: 0.6", 1))
	first := startDaemon(t, state, file, "--frameworks.dir="+catalogue)
	first.awaitCampaign()
	eventually(t, time.Minute, "the index was asked", func() bool {
		_, err := os.Stat(filepath.Join(state, "latest", "asked"))
		return err == nil
	})
	first.stop() // so that all three are offered at once
	offer(t, releases, "tiny", "2.0", delayed(10))
	offer(t, releases, "extra", "2.0", delayed(0))
	offer(t, releases, "helper", "2.0", delayed(20))
	second := startDaemon(t, state, file, "--frameworks.dir="+catalogue)
	second.awaitLog(10*time.Minute, "; responsible: helper")
	if _, page := second.get("/"); !strings.Contains(page, "<td class=\"\">helper</td>") {
		t.Errorf("the page does not say who is responsible:\n%s", page)
	}
	second.stop()
	list := restbench(t.Context(), t, "report", "--list", "--storage.path="+state).out
	if n := strings.Count(list, " upgrade "); n < 3 { // the whole, tiny alone, tiny and extra; more where one was unclear
		t.Errorf("%d campaigns for the upgrade, want 3:\n%s", n, list)
	}
	checkPrecisionBetween(t, state)
	third := startDaemon(t, state, file, "--frameworks.dir="+catalogue)
	eventually(t, time.Minute, "the history tells it again", func() bool {
		_, page := third.get("/")
		return strings.Contains(page, "<td class=\"\">helper</td>")
	})
}

// checkPrecisionBetween reads the campaigns after the first: that of the whole
// upgrade is asked for what is configured, those of sets between for what tells a
// third from the whole.
func checkPrecisionBetween(t *testing.T, state string) {
	t.Helper()
	between := 0
	for _, id := range []string{"2", "3", "4"} {
		got := restbench(t.Context(), t, "report", "--campaign="+id, "--format=json", "--storage.path="+state)
		var c struct {
			Campaign struct {
				Protocol struct {
					Name      string
					Precision float64
				}
			}
			B struct{ Target string }
		}
		if err := json.Unmarshal([]byte(got.out), &c); err != nil {
			t.Fatalf("%v: %+v", err, got)
		}
		switch precision := c.Campaign.Protocol.Precision; {
		case c.Campaign.Protocol.Name != "upgrade":
		case c.B.Target == "tiny@latest" && precision != 0.6:
			t.Errorf("campaign %s is to know the upgrade to ± %g", id, precision)
		case c.B.Target == "tiny@latest (between)":
			between++
			if precision < 0.15 || precision > 0.5 {
				t.Errorf("campaign %s is to know a set between to ± %g, want about ± 0.275", id, precision)
			}
		}
	}
	if between == 0 {
		t.Error("no campaign of a set between")
	}
}

// New releases that do not start leave the old ones in their place, and that is
// told once.
func TestReleasesThatDoNotStartLeaveTheOldOnes(t *testing.T) {
	state := isolated(t)
	catalogue, releases := delayedFramework(t, state)
	d := startDaemon(t, state, latestFile(t, "@yearly"), "--frameworks.dir="+catalogue)
	d.awaitCampaign()
	offer(t, releases, "tiny", "2.0", "raise SystemExit('a broken release')\n")
	const offered, told = "the package index offers other releases", "the new releases have no result"
	eventually(t, 5*time.Minute, "the new release was tried three times", func() bool {
		return strings.Count(d.log.String(), offered) > 2
	})
	if ratio := d.upgradeRatio(); ratio != "" {
		t.Errorf("a release without a number has the ratio %s", ratio)
	}
	log := d.stop().err
	if n := strings.Count(log, told); n != 1 || !strings.Contains(log, "a broken release") {
		t.Errorf("told %d times:\n%s", n, log)
	}
	if lock := read(t, filepath.Join(state, "latest", "tiny", "lock.txt")); !strings.HasPrefix(lock, "tiny==1.0") {
		t.Errorf("from now on is measured: %s", lock)
	}
}

// A first set that does not start holds its place only until releases are offered
// that do: they have no ratio then, and that is told.
func TestAFirstReleaseThatDoesNotStartIsReplaced(t *testing.T) {
	state := isolated(t)
	catalogue, releases := delayedFramework(t, state)
	offer(t, releases, "tiny", "1.1", "raise SystemExit('a broken release')\n")
	d := startDaemon(t, state, latestFile(t, "@yearly"), "--frameworks.dir="+catalogue)
	eventually(t, 2*time.Minute, "the broken release is what the edition has", func() bool { return hasLocked(state, "tiny==1.1 ") })
	offer(t, releases, "tiny", "2.0", delayed(10))
	defer func() {
		if t.Failed() {
			t.Log(d.log.String())
		}
	}()
	eventually(t, 5*time.Minute, "the next release has taken its place", func() bool { return hasLocked(state, "tiny==2.0 ") })
	if ratio := d.upgradeRatio(); ratio != "" {
		t.Errorf("a release that nothing could be compared with has the ratio %s", ratio)
	}
	log := d.stop().err
	told := regexp.MustCompile(`(?m)^.*the new ones take their place.*$`).FindAllString(log, -1)
	if len(told) != 1 || !strings.Contains(told[0], "tiny 1.1 → 2.0: no verdict") || !strings.Contains(told[0], "a broken release") {
		t.Errorf("told: %q", told)
	}
	if strings.Contains(log, "the new releases have no result") {
		t.Error("a release that starts was called one without a result")
	}
}

// hasLocked reports whether the lock of tiny@latest begins so.
func hasLocked(state, lock string) bool {
	text, err := os.ReadFile(filepath.Join(state, "latest", "tiny", "lock.txt"))
	return err == nil && strings.HasPrefix(string(text), lock)
}

// While the index cannot be reached, that is told once and the old releases are
// measured on.
func TestAnUnreachableIndexIsToldOnce(t *testing.T) {
	state := isolated(t)
	catalogue, _ := delayedFramework(t, state)
	file := latestFile(t, "@every 2s")
	first := startDaemon(t, state, file, "--frameworks.dir="+catalogue)
	first.awaitCampaign()
	first.stop()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if err := os.Unsetenv("UV_FIND_LINKS"); err != nil { // the fixture puts it back
		t.Fatal(err)
	}
	t.Setenv("UV_DEFAULT_INDEX", gone.URL+"/simple")
	t.Setenv("UV_HTTP_RETRIES", "0")
	second := startDaemon(t, state, file, "--frameworks.dir="+catalogue, "--log.level=debug")
	eventually(t, 3*time.Minute, "the index was asked three times, and a campaign has begun and ended", func() bool {
		log := second.log.String()
		return strings.Count(log, "asking the package index") > 3 && strings.Contains(log, "campaign ended")
	})
	if up := second.metric("restbench_target_up" + strings.Replace(upgradeLabels, "upgrade", "short", 1)); up != "1" {
		t.Errorf("the old releases are up: %q", up)
	}
	log := second.stop().err
	if n := strings.Count(log, "edition latest stays as it is: the package index cannot be reached"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log)
	}
	if strings.Contains(log, `"stage":"install"`) {
		t.Errorf("the old releases were not measured:\n%s", log)
	}
}

// uploadIndex is a package index that tells when the releases of tiny were
// uploaded.
func uploadIndex(t *testing.T, uploaded map[string]time.Time) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simple/tiny/", func(w http.ResponseWriter, _ *http.Request) {
		files := []map[string]any{}
		for version, at := range uploaded {
			name := "tiny-" + version + "-py3-none-any.whl"
			sum := sha256.Sum256(wheelOf(t, "tiny", version, delayed(0)))
			files = append(files, map[string]any{
				"filename": name, "url": "/files/" + version + "/" + name, "upload-time": at.UTC().Format(time.RFC3339),
				"hashes": map[string]string{"sha256": hex.EncodeToString(sum[:])},
			})
		}
		w.Header().Set("Content-Type", "application/vnd.pypi.simple.v1+json")
		_ = json.NewEncoder(w).Encode(map[string]any{"meta": map[string]any{"api-version": "1.1"}, "name": "tiny", "files": files})
	})
	mux.HandleFunc("GET /files/{version}/{name}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(wheelOf(t, "tiny", r.PathValue("version"), delayed(0))))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/simple"
}

// Releases of the last three days wait.
func TestYoungReleasesWait(t *testing.T) {
	state := isolated(t)
	delayedFramework(t, state) // there is a Python, and uv
	if err := os.Unsetenv("UV_FIND_LINKS"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("UV_DEFAULT_INDEX", uploadIndex(t, map[string]time.Time{
		"1.0": time.Now().Add(-100 * time.Hour), "2.0": time.Now().Add(-71 * time.Hour), "3.0": time.Now().Add(-time.Minute),
	}))
	s := &session{streams: streams{strings.NewReader(""), io.Discard, io.Discard}, storagePath: state, logLevel: "error"}
	k, err := s.newKit()
	if err != nil {
		t.Fatal(err)
	}
	m := s.environments(k, nil, nil)
	o := frameworks.Other{Requirements: []string{"tiny"}}
	o.Target = bench.Target{Framework: "tiny", Edition: bench.EditionLatest}
	o.Recipe = bench.Recipe{Name: "tiny@latest", Package: "tiny", Python: bench.PythonWish{Version: "3.13", AtLeast: "3.10"}}
	for age, want := range map[time.Duration]string{72 * time.Hour: "1.0", time.Hour: "2.0", 0: "3.0"} {
		lock, err := latest{rules: config.Latest{MinAge: age}}.resolve(t.Context(), m, o)
		if err != nil || !strings.HasPrefix(string(lock), "tiny=="+want+" ") {
			t.Errorf("min_age %s: %v, %s, want %s", age, err, lock, want)
		}
	}
}

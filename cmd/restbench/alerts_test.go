//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A server that answers something else than it should makes the shipped alert
// arrive at the shipped receiver, by way of a real Prometheus and a real
// Alertmanager; only times to wait are shortened.
func TestAlertOfAFailingServerArrives(t *testing.T) {
	prometheus, alertmanager := findProgram(t, "prometheus"), findProgram(t, "prometheus-alertmanager", "alertmanager")
	config := ownTargets(t, "alpha", "beta")
	text := read(t, config)
	at := strings.LastIndex(text, "body: "+testAnswer)
	rewrite(t, config, text[:at]+"body: else"+text[at+len("body: "+testAnswer):])
	d := startDaemon(t, isolated(t), config)

	inbox := newInbox(t)
	dir := shortened(t, inbox.url)
	manager, server := fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	rewrite(t, filepath.Join(dir, "prometheus/prometheus.yml"), fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules/*.yml]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs: [{job_name: any-name, static_configs: [{targets: [%q]}]}]
`, manager, strings.TrimPrefix(d.url, "http://")))
	startProgram(t, alertmanager, "--config.file="+filepath.Join(dir, "prometheus/alertmanager.yml"),
		"--storage.path="+t.TempDir(), "--web.listen-address="+manager, "--cluster.listen-address=")
	startProgram(t, prometheus, "--config.file="+filepath.Join(dir, "prometheus/prometheus.yml"),
		"--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+server)

	// A minute of it is the time that a server has to become ready.
	eventually(t, 3*time.Minute, "alert of beta at people", func() bool { return inbox.has("people", "RestbenchTargetDown", "beta") })
	eventually(t, 30*time.Second, "watchdog", func() bool { return inbox.has("watchdog", "RestbenchWatchdog", "") })
	if inbox.has("people", "RestbenchTargetDown", "alpha") {
		t.Error("there is an alert of a server that is well")
	}
}

// shortened is a folder with all assets, whose receivers send to url, and in
// which nothing waits for longer than a second.
func shortened(t *testing.T, url string) string {
	t.Helper()
	dir := t.TempDir()
	if got := restbench(t.Context(), t, "assets", dir); got.code != exitDone {
		t.Fatalf("assets: %+v", got)
	}
	edit := func(name, pattern, replacement string) {
		path := filepath.Join(dir, "prometheus", name)
		text := read(t, path)
		changed := regexp.MustCompile(pattern).ReplaceAllString(text, replacement)
		if changed == text {
			t.Fatalf("%s: nothing matches %s", name, pattern)
		}
		rewrite(t, path, changed)
	}
	edit("rules/alerts.yml", `(?m)^( +for:) \S+$`, "$1 1s")
	edit("alertmanager.yml", `(?m)^( +group_wait:) \S+$`, "$1 1s")
	edit("alertmanager.yml", `(?m)^  - name: (\S+)$`, "  - name: $1\n    webhook_configs: [{url: \""+url+"\"}]")
	edit("alertmanager.yml", `(?m)^ +# (email|webhook)_configs.*$`, "")
	return dir
}

// inbox is where an Alertmanager sends its messages.
type inbox struct {
	url  string
	lock sync.Mutex
	seen map[string]bool
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{seen: map[string]bool{}}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

func (in *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var message struct {
		Receiver string
		Alerts   []struct {
			Status string
			Labels map[string]string
		}
	}
	if json.NewDecoder(r.Body).Decode(&message) != nil {
		return
	}
	in.lock.Lock()
	defer in.lock.Unlock()
	for _, a := range message.Alerts {
		if a.Status == "firing" {
			in.seen[message.Receiver+" "+a.Labels["alertname"]+" "+a.Labels["framework"]] = true
		}
	}
}

func (in *inbox) has(receiver, alert, framework string) bool {
	in.lock.Lock()
	defer in.lock.Unlock()
	return in.seen[receiver+" "+alert+" "+framework]
}

// findProgram looks one of these names up, or skips the test.
func findProgram(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	text := names[0] + " is missing: install the package " + names[0]
	if os.Getenv("RESTBENCH_TEST_REQUIRE") == "all" {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

// startProgram runs one until the test ends.
func startProgram(t *testing.T, path string, args ...string) {
	t.Helper()
	log := &syncBuffer{}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = log, log, 5*time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the test's context has ended it
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s\n%s", path, log.String())
		}
	})
}

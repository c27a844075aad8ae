//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"restbench/internal/need"
)

// A server that is killed and does not come back makes the shipped alert arrive at
// the shipped receiver, by way of a real Prometheus and a real Alertmanager with
// their shipped configurations; only addresses and times to wait are changed.
func TestAlertOfAKilledServerArrives(t *testing.T) {
	prometheus, alertmanager := monitoring(t)
	link := filepath.Join(t.TempDir(), "beta-server")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	config := ownTargets(t, "alpha", "beta")
	text := strings.Replace(read(t, config), "rounds: 2", "rounds: 10000", 1)
	at := strings.LastIndex(text, fmt.Sprintf("%q, __server", self))
	rewrite(t, config, text[:at]+strings.Replace(text[at:], self, link, 1))
	d := startDaemon(t, isolated(t), config)
	stack := startStack(t, prometheus, alertmanager, strings.TrimPrefix(d.url, "http://"))

	eventually(t, time.Minute, "both servers are measured, which Prometheus has seen", func() bool {
		return len(stack.prometheus.query(`restbench_target_up == 1`)) == 2
	})
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	kill(t, link)
	eventually(t, 2*time.Minute, "alert of beta at people", func() bool { return stack.inbox.has("people", "RestbenchTargetDown", "beta") })
	eventually(t, time.Minute, "watchdog", func() bool { return stack.inbox.has("watchdog", "RestbenchWatchdog", "") })
	if stack.inbox.has("people", "RestbenchTargetDown", "alpha") {
		t.Error("there is an alert of a server that is well")
	}
	said := stack.inbox.annotations("RestbenchTargetDown beta")
	if !strings.Contains(said["summary"], "beta@own") || !strings.Contains(said["description"], "Stages of the last day: ") {
		t.Errorf("the message says %v", said)
	}
	if code, page := d.get(strings.TrimPrefix(said["runbook_url"], shippedDaemon)); code != http.StatusOK || !strings.Contains(page, `id="restbenchtargetdown"`) {
		t.Errorf("the runbook at %s: status %d", said["runbook_url"], code)
	}
}

// shippedDaemon is the address in the shipped links to runbooks.
const shippedDaemon = "http://127.0.0.1:10226"

// kill ends the process that was started as executable.
func kill(t *testing.T, executable string) {
	t.Helper()
	killed := 0
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		command, _ := os.ReadFile(filepath.Join(path, "cmdline")) // nothing of a process that has just ended
		if !strings.HasPrefix(string(command), executable+"\x00") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed++
	}
	if killed != 1 {
		t.Fatalf("%d processes were started as %s", killed, executable)
	}
}

// What the detector exposes about a framework becomes a message about it; a slow
// machine is one message, and those about its eleven frameworks are held back.
// The changes are made up here: finding them is not what is tested.
func TestASlowHostSilencesItsFrameworks(t *testing.T) {
	prometheus, alertmanager := monitoring(t)
	framework := func(name string) string {
		return fmt.Sprintf(`framework=%q,edition="current",serving="documented",workload="hello",protocol="classic",signal="requests_per_second",direction="slower",scope="framework"`, name)
	}
	quiet := exposing(t, lasting(framework("flask"), -0.1))
	var slow strings.Builder
	slow.WriteString(lasting(`signal="requests_per_second",direction="slower",scope="host"`, -0.3))
	for i := range 11 {
		slow.WriteString(lasting(framework(fmt.Sprintf("framework%d", i)), -0.3))
	}
	stack := startStack(t, prometheus, alertmanager, quiet, exposing(t, slow.String()))

	eventually(t, 2*time.Minute, "the change of one framework at people", func() bool { return stack.inbox.has("people", "RestbenchFrameworkSlower", "flask") })
	eventually(t, 2*time.Minute, "the slow machine at people", func() bool { return stack.inbox.has("people", "RestbenchHostSlower", "") })
	eventually(t, time.Minute, "eleven alerts are held back", func() bool { return stack.heldBack(t, "RestbenchFrameworkSlower") == 11 })
	for i := range 11 {
		if stack.inbox.has("people", "RestbenchFrameworkSlower", fmt.Sprintf("framework%d", i)) {
			t.Errorf("there is a message about framework%d", i)
		}
	}
}

// lasting is how a change is exposed.
func lasting(labels string, effect float64) string {
	return fmt.Sprintf("restbench_change_active{%s} 1\nrestbench_change_effect_ratio{%s} %g\n", labels, labels, effect)
}

// exposing answers scrapes with text, and returns its address.
func exposing(t *testing.T, text string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// monitoring looks up the real programs.
func monitoring(t *testing.T) (prometheus, alertmanager string) {
	t.Helper()
	prometheus = need.Program(t, "prometheus", "prometheus")
	if path, err := exec.LookPath("alertmanager"); err == nil { // as its own project calls it
		return prometheus, path
	}
	return prometheus, need.Program(t, "prometheus-alertmanager", "prometheus-alertmanager")
}

// stack is a real Prometheus and a real Alertmanager with what `restbench assets`
// has written.
type stack struct {
	prometheus   prometheusServer
	alertmanager string // its address
	inbox        *inbox
}

func startStack(t *testing.T, prometheus, alertmanager string, scraped ...string) stack {
	t.Helper()
	s := stack{alertmanager: fmt.Sprintf("127.0.0.1:%d", freePort(t)), inbox: newInbox(t)}
	server := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s.prometheus = prometheusServer{t, "http://" + server}
	dir := shortened(t, s.inbox.url)
	config := filepath.Join(dir, "prometheus/prometheus.yml")
	text := read(t, config)
	for old, changed := range map[string]string{
		`"restbench:10226"`: `"` + strings.Join(scraped, `", "`) + `"`, `"alertmanager:9093"`: `"` + s.alertmanager + `"`,
		`"localhost:9090"`: `"` + server + `"`, "_interval: 15s": "_interval: 1s",
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("prometheus.yml has no %s", old)
		}
		text = strings.ReplaceAll(text, old, changed)
	}
	rewrite(t, config, text)
	background(t, alertmanager, "--config.file="+filepath.Join(dir, "prometheus/alertmanager.yml"),
		"--storage.path="+t.TempDir(), "--web.listen-address="+s.alertmanager, "--cluster.listen-address=")
	background(t, prometheus, "--config.file="+config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+server,
		"--rules.alert.resend-delay=1s") // what fires before it has found Alertmanager is not sent a minute later
	return s
}

// heldBack is how many alerts of a name an inhibition keeps from people.
func (s stack) heldBack(t *testing.T, name string) int {
	t.Helper()
	response, err := http.Get("http://" + s.alertmanager + "/api/v2/alerts?active=false&silenced=false&inhibited=true&filter=alertname%3D" + name)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	var alerts []struct {
		Status struct{ InhibitedBy []string }
	}
	if err := json.NewDecoder(response.Body).Decode(&alerts); err != nil {
		return 0
	}
	n := 0
	for _, a := range alerts {
		n += min(1, len(a.Status.InhibitedBy))
	}
	return n
}

// shortened is a folder with all assets, whose receivers send to url, and in
// which nothing waits for longer than a few seconds.
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
	edit("rules/alerts.yml", `(?m)^( +(?:keep_firing_)?for:) \S+$`, "$1 1s")
	edit("alertmanager.yml", `(?m)^( +group_wait:) \S+$`, "$1 5s") // both alerts of an inhibition must be there
	edit("alertmanager.yml", `(?m)^( +group_interval:) \S+$`, "$1 2s")
	edit("alertmanager.yml", `(?m)^  - name: (\S+)$`, "  - name: $1\n    webhook_configs: [{url: \""+url+"\"}]")
	edit("alertmanager.yml", `(?m)^ +# (email|webhook)_configs.*$`, "")
	return dir
}

// inbox is where an Alertmanager sends its messages.
type inbox struct {
	url  string
	lock sync.Mutex
	seen map[string]map[string]string // annotations by receiver, alert, framework
	over map[string]bool              // what has ended, likewise
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{seen: map[string]map[string]string{}, over: map[string]bool{}}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

func (in *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var message struct {
		Receiver string
		Alerts   []struct {
			Status              string
			Labels, Annotations map[string]string
		}
	}
	if json.NewDecoder(r.Body).Decode(&message) != nil {
		return
	}
	in.lock.Lock()
	defer in.lock.Unlock()
	for _, a := range message.Alerts {
		key := message.Receiver + " " + a.Labels["alertname"] + " " + a.Labels["framework"]
		in.over[key] = a.Status == "resolved"
		if a.Status == "firing" {
			in.seen[key] = a.Annotations
		}
	}
}

func (in *inbox) has(receiver, alert, framework string) bool {
	in.lock.Lock()
	defer in.lock.Unlock()
	return in.seen[receiver+" "+alert+" "+framework] != nil
}

// ended reports whether the newest message about an alert is that it is over.
func (in *inbox) ended(receiver, alert, framework string) bool {
	in.lock.Lock()
	defer in.lock.Unlock()
	return in.over[receiver+" "+alert+" "+framework]
}

// annotations are those of an alert that people have got.
func (in *inbox) annotations(alert string) map[string]string {
	in.lock.Lock()
	defer in.lock.Unlock()
	return in.seen["people "+alert]
}

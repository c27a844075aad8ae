//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
	"restbench/internal/store"
)

// seededCampaigns is how long the history is before anything is measured.
const seededCampaigns = 25

// A server that really becomes slower makes the shipped alert arrive, and being as
// quick as before ends it. The history before is made up by the simulator, around
// what the same servers really answer here; the campaigns from then on, Prometheus
// and Alertmanager are real, and only times to wait are shorter than shipped.
func TestAlertOfASlowedServerArrivesAndEnds(t *testing.T) {
	prometheus, alertmanager := monitoring(t)
	state := isolated(t)
	config, delays := clocked(t)
	seedLikeReality(t, state, config)
	slow := filepath.Join(delays, "delta")
	rewrite(t, slow, "20ms")
	rewrite(t, config, strings.Replace(read(t, config), "{name: delta, version: '1'", "{name: delta, version: '2'", 1))
	d := startDaemon(t, state, config)
	stack := startStack(t, prometheus, alertmanager, strings.TrimPrefix(d.url, "http://"))

	const alert = "RestbenchFrameworkSlower"
	eventually(t, 8*time.Minute, "alert of delta at people", func() bool { return stack.inbox.has("people", alert, "delta") })
	checkSlower(t, stack.inbox.annotations(alert+" delta"))
	checkConfirmed(t, state)
	stack.prometheus.await(`changes(restbench_campaign_last_success_timestamp_seconds[10m]) >= 6`, 8*time.Minute) // a level of its own
	rewrite(t, slow, "10ms")
	eventually(t, 8*time.Minute, "end of the alert at people", func() bool { return stack.inbox.ended("people", alert, "delta") })
	for _, name := range greek() {
		if name != "delta" && stack.inbox.has("people", alert, name) {
			t.Errorf("there is an alert of %s, which is as quick as ever", name)
		}
	}
}

// clocked is a configuration of servers that answer by the clock and so, with few
// connections, equally often on any machine; and the folder with a file for each
// that says how late.
func clocked(t *testing.T) (config, delays string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	delays = t.TempDir()
	var b strings.Builder
	b.WriteString("schedule: \"@every 2s\"\neditions: []\ncontrols: []\n" +
		"protocol: {name: clocked, rounds: 6, duration: 150ms, threads: 1, connections: 8}\ntargets:\n")
	for _, name := range greek() {
		path := filepath.Join(delays, name)
		rewrite(t, path, "10ms")
		fmt.Fprintf(&b, "  - {name: %s, version: '1', command: [%q, __server, '{port}', %q], expect: {content_type: text/plain, body: %s}}\n",
			name, self, "delay-in="+path, testAnswer)
	}
	return writeFile(t, "restbench.yml", b.String()), delays
}

// seedLikeReality measures all servers once and makes up a past of the same level.
func seedLikeReality(t *testing.T, state, config string) {
	t.Helper()
	if got := restbench(t.Context(), t, "run", "--storage.path="+state, "--config.file="+config, "--format=json"); got.code != exitDone {
		t.Fatalf("run: %+v", got)
	}
	history := openState(t, state)
	defer history.Close()
	measured, err := history.Campaign(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	measurements, err := history.Measurements(t.Context(), measured.ID)
	if err != nil {
		t.Fatal(err)
	}
	rates, engine, idle := map[bench.Target][]float64{}, "", ""
	for _, m := range measurements {
		if m.Valid() {
			rates[m.Target] = append(rates[m.Target], m.RequestsPerSecond())
			engine, idle = m.Load.Engine, m.Conditions.IdleLimit
		}
	}
	s := seeding{campaign: measured, engine: engine, idle: idle, scatter: 0.05, last: time.Now().UTC().Add(-3 * time.Hour), n: seededCampaigns}
	for _, p := range measured.Participants {
		if len(rates[p.Target]) == 0 {
			t.Fatalf("%s was not measured", p.Target)
		}
		s.levels = append(s.levels, stats.Median(rates[p.Target]))
	}
	s.into(t, history, 0, s.n)
}

// checkSlower reads the message: who, by how much, what ran before and since.
func checkSlower(t *testing.T, said map[string]string) {
	t.Helper()
	m := regexp.MustCompile(`^delta@own became slower: -([0-9.]+)%$`).FindStringSubmatch(said["summary"])
	if m == nil {
		t.Fatalf("the message says %v", said)
	}
	if size, err := strconv.ParseFloat(m[1], 64); err != nil || size < 30 || size > 70 {
		t.Errorf("slower by %s %%, want about 50", m[1])
	}
	for _, want := range []string{"what changed: framework. Before: 1; since: 2.", "restbench accept ", "-delta@own --reason=TEXT"} {
		if !strings.Contains(said["description"], want) {
			t.Errorf("no %q in %q", want, said["description"])
		}
	}
}

// checkConfirmed looks at what followed the first real campaign, in which delta
// was suspicious.
func checkConfirmed(t *testing.T, state string) {
	t.Helper()
	since := measuredSince(t, state)
	if len(since) < 2 || since[0].Kind != bench.KindScheduled || since[1].Kind != bench.KindConfirm {
		t.Fatalf("campaigns since: %+v", since)
	}
	for i, c := range since[1:] {
		if c.Started.Before(since[i].Finished) {
			t.Errorf("campaign %d started at %s, the one before ended at %s", c.ID, c.Started, since[i].Finished)
		}
		if c.Kind == bench.KindConfirm && since[i].Kind == bench.KindConfirm {
			t.Errorf("campaign %d confirms one that confirms", c.ID)
		}
	}
}

// measuredSince are the finished campaigns that are not made up, oldest first.
func measuredSince(t *testing.T, state string) []bench.Campaign {
	t.Helper()
	history, err := store.OpenReadOnly(t.Context(), filepath.Join(state, historyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer history.Close()
	found, err := history.Campaigns(t.Context(), store.Filter{After: 1 + seededCampaigns, States: []bench.State{bench.StateFinished}})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(found)
	return found
}

// The servers above can become slower, and quick again.
func TestAServerIsAsLateAsItsFileSays(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path, port := writeFile(t, "delay", "0s"), strconv.Itoa(freePort(t))
	background(t, self, "__server", port, "delay-in="+path)
	const late = 300 * time.Millisecond
	took := func() time.Duration {
		begun := time.Now()
		response, err := http.Get("http://127.0.0.1:" + port)
		if err != nil {
			return 2 * late // it does not listen yet
		}
		response.Body.Close()
		return time.Since(begun)
	}
	eventually(t, time.Minute, "an answer at once", func() bool { return took() < late })
	rewrite(t, path, late.String())
	eventually(t, time.Minute, "a late answer", func() bool { return took() >= late })
	rewrite(t, path, "0s")
	eventually(t, time.Minute, "an answer at once again", func() bool { return took() < late })
}

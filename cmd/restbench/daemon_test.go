//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// runningDaemon is restbench serve in this process.
type runningDaemon struct {
	t      *testing.T
	url    string
	cancel context.CancelFunc
	ended  chan struct{} // closed when it has
	left   outcome       // what it left behind, then
	log    *syncBuffer
}

// startDaemon starts one and returns when it is ready.
func startDaemon(t *testing.T, state, config string, args ...string) *runningDaemon {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	ctx, cancel := context.WithCancel(t.Context())
	d := &runningDaemon{t: t, url: "http://" + address, cancel: cancel, ended: make(chan struct{})}
	all := append([]string{"serve", "--storage.path=" + state, "--config.file=" + config, "--log.format=json",
		"--web.listen-address=" + address}, args...)
	log := &syncBuffer{}
	d.log = log
	go func() {
		code := execute(ctx, all, streams{strings.NewReader(""), io.Discard, log})
		d.left = outcome{code: code, err: log.String()}
		close(d.ended)
	}()
	t.Cleanup(func() { d.stop() })
	eventually(t, 20*time.Second, "daemon is ready", func() bool {
		if code, _ := d.get("/-/ready"); code == http.StatusOK {
			return true
		}
		select {
		case <-d.ended:
			t.Fatalf("daemon ended: %+v", d.left)
		default:
		}
		return false
	})
	return d
}

// stop ends the daemon and returns what it left behind.
func (d *runningDaemon) stop() outcome {
	d.cancel()
	select {
	case <-d.ended:
		return d.left
	case <-time.After(40 * time.Second):
		d.t.Error("daemon did not stop")
		return outcome{}
	}
}

func (d *runningDaemon) get(path string) (int, string) {
	response, err := http.Get(d.url + path)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

func (d *runningDaemon) metric(name string) string {
	_, body := d.get("/metrics")
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

const lastSuccess = "restbench_campaign_last_success_timestamp_seconds"

func (d *runningDaemon) awaitCampaign() {
	d.t.Helper()
	eventually(d.t, time.Minute, "a campaign has succeeded", func() bool {
		value := d.metric(lastSuccess)
		return value != "" && value != "0"
	})
}

// Everything of a daemon is its own, so two run in one process: their campaigns
// wait for each other, because they share the machine.
func TestTwoDaemonsAtOnce(t *testing.T) {
	state := isolated(t)
	first := startDaemon(t, state+"1", ownTargets(t, "alpha"))
	second := startDaemon(t, state+"2", ownTargets(t, "beta"))
	first.awaitCampaign()
	second.awaitCampaign()
	checkApart(t, state+"1", state+"2")
	for d, names := range map[*runningDaemon][2]string{first: {"alpha", "beta"}, second: {"beta", "alpha"}} {
		_, metrics := d.get("/metrics")
		if !strings.Contains(metrics, `framework="`+names[0]+`"`) || strings.Contains(metrics, `framework="`+names[1]+`"`) {
			t.Errorf("the daemon of %s shows the wrong targets", names[0])
		}
		if got := d.stop(); got.code != exitDone {
			t.Errorf("daemon of %s ended with %+v", names[0], got)
		}
	}
}

// span is when the campaign of a state folder ran.
func span(t *testing.T, state string) (started, finished time.Time) {
	t.Helper()
	got := restbench(t.Context(), t, "report", "--storage.path="+state, "--format=json")
	var result struct {
		Campaign struct{ Started, Finished time.Time }
	}
	if err := json.Unmarshal([]byte(got.out), &result); err != nil {
		t.Fatalf("report: %v %+v", err, got)
	}
	return result.Campaign.Started, result.Campaign.Finished
}

func checkApart(t *testing.T, a, b string) {
	t.Helper()
	aStarted, aFinished := span(t, a)
	bStarted, bFinished := span(t, b)
	if aStarted.Before(bFinished) && bStarted.Before(aFinished) {
		t.Errorf("the campaigns overlap: %s to %s, %s to %s", aStarted, aFinished, bStarted, bFinished)
	}
}

func TestARestartShowsTheLastResultsAtOnce(t *testing.T) {
	state, config := isolated(t), ownTargets(t, "alpha")
	first := startDaemon(t, state, config)
	first.awaitCampaign()
	name := `restbench_requests_per_second{edition="own",framework="alpha",protocol="short",serving="documented",workload="hello"}`
	before := first.metric(name)
	first.stop()
	second := startDaemon(t, state, config)
	if after := second.metric(name); after != before || after == "" {
		t.Errorf("requests per second after the restart: %q, before: %q", after, before)
	}
	if n := second.metric("restbench_campaign_running"); n != "0" {
		t.Errorf("campaign_running is %s although the last success is younger than one slot", n)
	}
}

// An own target that has another version, or another command, is another one: its
// results do not wait for the next slot.
func TestARestartMeasuresAChangedOwnTargetAtOnce(t *testing.T) {
	state, config := isolated(t), ownTargets(t, "alpha")
	d := startDaemon(t, state, config)
	d.awaitCampaign()
	for _, change := range [][2]string{{"version: '1'", "version: '2'"}, {"'{port}']", "'{port}', delay=1ms]"}} {
		before := d.metric(lastSuccess)
		d.stop()
		rewrite(t, config, strings.Replace(read(t, config), change[0], change[1], 1))
		d = startDaemon(t, state, config)
		eventually(t, time.Minute, "it is measured with "+change[1], func() bool {
			value := d.metric(lastSuccess)
			return value != "" && value != "0" && value != before
		})
	}
}

func TestReloadTakesTheNewFileAndKeepsTheOldForABadOne(t *testing.T) {
	state, config := isolated(t), ownTargets(t, "alpha")
	d := startDaemon(t, state, config, "--web.enable-lifecycle")
	d.awaitCampaign()
	reload := func() int {
		response, err := http.Post(d.url+"/-/reload", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	rewrite(t, config, "nonsense: 1\n")
	if code := reload(); code != http.StatusInternalServerError {
		t.Errorf("reload of a bad file answered %d, want 500", code)
	}
	if v := d.metric("restbench_config_last_reload_successful"); v != "0" {
		t.Errorf("config_last_reload_successful is %s after a bad file, want 0", v)
	}
	rewrite(t, config, read(t, ownTargets(t, "gamma")))
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "SIGHUP has reloaded", func() bool {
		return d.metric("restbench_config_last_reload_successful") == "1"
	})
	if code := reload(); code != http.StatusOK {
		t.Errorf("reload of a good file answered %d, want 200", code)
	}
	if _, metrics := d.get("/metrics"); strings.Contains(metrics, `framework="alpha"`) || !strings.Contains(metrics, `framework="gamma"`) {
		t.Error("after the reload the metrics do not name gamma alone")
	}
}

// Under another protocol nothing is shown of what was measured before, so that it is
// measured at once, as after a restart.
func TestAReloadOfAnotherProtocolMeasuresAtOnce(t *testing.T) {
	state, config := isolated(t), ownTargets(t, "alpha")
	d := startDaemon(t, state, config)
	d.awaitCampaign()
	rewrite(t, config, strings.Replace(read(t, config), "name: short, rounds: 2", "name: shorter, rounds: 1", 1))
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "it is measured with the other protocol", func() bool {
		return d.metric(`restbench_rounds{edition="own",framework="alpha",protocol="shorter",serving="documented",workload="hello"}`) == "1"
	})
}

// pretendNewer gives the history the mark of a later version.
func pretendNewer(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
}

// syncBuffer may be written and read at once.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

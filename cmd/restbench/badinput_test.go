//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"restbench/internal/host"
	"restbench/internal/need"
)

// Each mistake is told in one line that names it; the exit code says whether
// the command line (2) or something else (1) was wrong.
func TestBadInputIsToldInOneLine(t *testing.T) {
	tests := map[string]struct {
		file string // content of the configuration file, none when empty
		args []string
		code int
		want []string
	}{
		"unknown key":            {"schedule: '@daily'\nshedule: 1\n", []string{"serve", "--config.check"}, 1, []string{".yml:2:", `unknown key "shedule"`}},
		"impossible date":        {"schedule: '30 2 30 2 *'\n", []string{"serve", "--config.check"}, 1, []string{"schedule", "30 2 30 2 *", "never comes"}},
		"zone without times":     {"schedule: 'TZ=UTC'\n", []string{"serve", "--config.check"}, 1, []string{"schedule", "TZ=UTC"}},
		"unknown framework":      {"", []string{"run", "flusk"}, 2, []string{"flusk", "flask"}},
		"unknown edition":        {"", []string{"run", "--edition=1999"}, 2, []string{"1999", "2020", "current"}},
		"framework in the file":  {"frameworks: [djingo]\n", []string{"serve", "--config.check"}, 1, []string{"djingo"}},
		"missing interpreter":    {"pythons: [/no/such/python3.8]\n", []string{"serve", "--config.check"}, 1, []string{".yml", "pythons", "/no/such/python3.8: no such file"}},
		"missing --python":       {"", []string{"serve", "--config.check", "--python=/no/such/python3.8"}, 1, []string{"--python", "/no/such/python3.8: no such file"}},
		"pinning":                {"pinning: sideways\n", []string{"serve", "--config.check"}, 1, []string{"pinning", "sideways"}},
		"unknown flag":           {"", []string{"run", "--round=3"}, 2, []string{"--round"}},
		"unknown command":        {"", []string{"bench"}, 2, []string{"bench"}},
		"no rounds":              {"", []string{"run", "--rounds=0"}, 2, []string{"rounds is 0"}},
		"unknown engine":         {"", []string{"run", "--engine=ab"}, 2, []string{`engine is "ab"`}},
		"unknown protocol":       {"", []string{"run", "--protocol=quick"}, 2, []string{"quick", "classic"}},
		"no history":             {"", []string{"report"}, 1, []string{"no history"}},
		"load of no URL":         {"", []string{"load", "ftp://x/"}, 2, []string{"http://"}},
		"load of another host":   {"", []string{"load", "http://192.0.2.1/", "-d", "1s"}, 2, []string{"192.0.2.1", "loopback"}},
		"header without a colon": {"", []string{"load", "http://127.0.0.1/", "-H", "x"}, 2, []string{"Name: value"}},
		"nobody is healthy":      {"", []string{"healthcheck", "--url=http://127.0.0.1:1/"}, 1, []string{"not healthy"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			args := append(test.args, "--storage.path="+isolated(t))
			if test.file != "" {
				args = append(args, "--config.file="+writeFile(t, "restbench.yml", test.file))
			}
			got := restbench(t.Context(), t, args...)
			checkOneLine(t, got, test.code, test.want)
		})
	}
}

func checkOneLine(t *testing.T, got outcome, code int, want []string) {
	t.Helper()
	if got.code != code {
		t.Errorf("exit code %d, want %d", got.code, code)
	}
	if lines := strings.Count(got.err, "\n"); lines != 1 || got.out != "" {
		t.Errorf("stdout %q and %d lines on stderr, want one line:\n%s", got.out, lines, got.err)
	}
	for _, word := range want {
		if !strings.Contains(got.err, word) {
			t.Errorf("%q is not in %q", word, got.err)
		}
	}
}

func TestServeOnATakenPortNamesIt(t *testing.T) {
	state := isolated(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := restbench(t.Context(), t, "serve", "--storage.path="+state, "--log.level=error",
		"--config.file="+ownTargets(t, "a"), "--web.listen-address="+l.Addr().String())
	checkOneLine(t, got, exitFailed, []string{l.Addr().String(), "in use"})
}

func TestSecondDaemonNamesTheFirst(t *testing.T) {
	state := isolated(t)
	config := ownTargets(t, "a")
	d := startDaemon(t, state, config)
	got := restbench(t.Context(), t, "serve", "--storage.path="+state, "--log.level=error", "--config.file="+config,
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", freePort(t)))
	checkOneLine(t, got, exitFailed, []string{"in use by pid", "restbench serve", state})
	d.stop()
}

func TestRunBesideACampaignWaitsAndSaysForWhom(t *testing.T) {
	state := isolated(t)
	lock, _, err := host.TryLock(os.Getenv("RESTBENCH_CAMPAIGN_LOCK"), "pid 4711 (restbench serve)")
	if err != nil || lock == nil {
		t.Fatalf("take the campaign lock: %v", err)
	}
	args := []string{"run", "--storage.path=" + state, "--config.file=" + ownTargets(t, "a"), "--output=" + t.TempDir()}
	got := restbench(t.Context(), t, append(args, "--no-wait")...)
	checkOneLine(t, got, exitFailed, []string{"another campaign", "pid 4711 (restbench serve)"})

	waited := make(chan outcome)
	go func() { waited <- restbench(t.Context(), t, args...) }()
	select {
	case got := <-waited:
		t.Fatalf("did not wait: %+v", got)
	case <-time.After(1500 * time.Millisecond): // long enough to have begun
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	done := <-waited
	if done.code != exitDone || !strings.Contains(done.err, "waiting for pid 4711 (restbench serve)") {
		t.Errorf("after the lock was free: %+v", done)
	}
}

func TestNewerHistoryIsRefused(t *testing.T) {
	state := isolated(t)
	config := ownTargets(t, "a")
	if got := restbench(t.Context(), t, "run", "--storage.path="+state, "--config.file="+config, "--output="+t.TempDir()); got.code != exitDone {
		t.Fatalf("run: %+v", got)
	}
	if got := restbench(t.Context(), t, "report", "--storage.path="+state, "--campaign=first"); got.code != exitUsage {
		t.Errorf("report of a campaign that is no number: %+v", got)
	}
	if got := restbench(t.Context(), t, "report", "--storage.path="+state, "--campaign=99"); got.code != exitFailed || !strings.Contains(got.err, "campaign 99") {
		t.Errorf("report of a campaign that is not there: %+v", got)
	}
	pretendNewer(t, filepath.Join(state, "history.db"))
	got := restbench(t.Context(), t, "run", "--storage.path="+state, "--config.file="+config)
	checkOneLine(t, got, exitFailed, []string{"history.db", "newer"})
}

func TestWrkThatIsNotInstalledIsToldAtOnce(t *testing.T) {
	state := isolated(t)
	t.Setenv("PATH", t.TempDir())
	want := []string{"wrk is not installed", "--engine=native"}
	checkOneLine(t, restbench(t.Context(), t, "run", "--engine=wrk", "--storage.path="+state), exitFailed, want)
	file := writeFile(t, "restbench.yml", "protocol: {name: w, engine: wrk}\n")
	checkOneLine(t, restbench(t.Context(), t, "serve", "--config.file="+file, "--storage.path="+state), exitFailed, want)
}

func TestNoDiskSpaceIsToldBeforeAnythingIsStarted(t *testing.T) {
	isolated(t)
	small := t.TempDir()
	err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=1m")
	need.That(t, err == nil, fmt.Sprintf("root, to mount a small file system: %v", err))
	t.Cleanup(func() { _ = unix.Unmount(small, unix.MNT_DETACH) })
	config := ownTargets(t, "alpha")
	for _, command := range []string{"run", "serve"} {
		args := []string{command, "--storage.path=" + small, "--config.file=" + config}
		if command == "serve" {
			args = append(args, fmt.Sprintf("--web.listen-address=127.0.0.1:%d", freePort(t)))
		}
		checkOneLine(t, restbench(t.Context(), t, args...), exitFailed, []string{small, "no disk space"})
	}
}

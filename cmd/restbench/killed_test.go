//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The whole program is killed in the middle of a campaign of a server that has
// workers of its own, which answer on without their leader: nothing of it is
// left, and the history says that the campaign was cut off.
func TestKilledDaemonLeavesNothing(t *testing.T) {
	binary, dir := build(t), t.TempDir()
	t.Setenv("RESTBENCH_CAMPAIGN_LOCK", filepath.Join(dir, "campaign.lock"))
	state := filepath.Join(dir, "state")
	requireInstalled(t, binary, state, "sanic@current")
	config := writeFile(t, "restbench.yml", "frameworks: [sanic]\nprotocol: {name: long, rounds: 1000, duration: 1s}\n")
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	daemon := background(t, binary, "serve", "--storage.path="+state, "--config.file="+config, "--web.listen-address="+address)
	eventually(t, 2*time.Minute, "a measurement", func() bool { return measuredSomething(address) })
	if n := len(processesOf(binary, state)); n < 4 { // daemon, guard, leader, worker
		t.Errorf("only %d processes are running: %v", n, processesOf(binary, state))
	}
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = daemon.Wait()
	eventually(t, 10*time.Second, "nothing is left", func() bool { return len(processesOf(binary, state)) == 0 })

	list, err := exec.Command(binary, "report", "--list", "--storage.path="+state).Output()
	if err != nil || !strings.Contains(string(list), "cut off") {
		t.Errorf("report --list: %v\n%s", err, list)
	}
	background(t, binary, "serve", "--storage.path="+state, "--config.file="+config, "--web.listen-address="+address)
	eventually(t, time.Minute, "the next daemon has written it into the history", func() bool {
		return storedState(t, filepath.Join(state, historyFile)) == "cut off"
	})
}

func measuredSomething(address string) bool {
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return false
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return err == nil && strings.Contains(string(body), "\nrestbench_measurement_requests_per_second{")
}

// processesOf lists the processes that run binary, or a server from the
// environments below state.
func processesOf(binary, state string) []string {
	paths, _ := filepath.Glob("/proc/[0-9]*")
	var found []string
	for _, path := range paths {
		exe, _ := os.Readlink(filepath.Join(path, "exe")) // nothing of a process that has just ended
		command, _ := os.ReadFile(filepath.Join(path, "cmdline"))
		if exe == binary || strings.Contains(string(command), state) {
			found = append(found, filepath.Base(path)+" "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}

// storedState is the state of the first campaign.
func storedState(t *testing.T, history string) string {
	t.Helper()
	db := openHistory(t, history)
	defer db.Close()
	var state string
	if err := db.QueryRow("SELECT state FROM campaigns ORDER BY id LIMIT 1").Scan(&state); err != nil {
		t.Fatal(err)
	}
	return state
}

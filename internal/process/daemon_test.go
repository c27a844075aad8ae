package process

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"restbench/internal/need"
)

// daemonCommand makes the test binary a program that supervises: FOLDER MODE ACTION.
const daemonCommand = "__daemon"

// supervised is what the daemon says of itself.
type supervised struct {
	Guard  int
	Pids   []int // of the guard and the server's tree
	Cookie string
	Error  string
	Left   []string // what still is in its process namespace in the end
}

func daemon(args []string) int {
	dir, mode, action := args[0], args[1], args[2]
	if action == "as-pid-1" {
		// /proc must show the new namespace; the mount is seen by this process alone.
		_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		_ = unix.Mount("proc", "/proc", "proc", 0, "")
	}
	said, v := superviseOne(dir, mode)
	if v != nil && action == "as-pid-1" {
		said.Left = loseGuard(v)
	}
	_ = json.NewEncoder(os.Stdout).Encode(said)
	if action == "stay" {
		block("", "")
	}
	return 0
}

func superviseOne(dir, mode string) (supervised, *Server) {
	s, err := New(Options{RunDir: dir, ReadyTimeout: patience, StopGrace: 100 * time.Millisecond})
	if err != nil {
		return supervised{Error: err.Error()}, nil
	}
	v, err := s.Start(context.Background(), faulty(mode, "marked"), answers)
	if err != nil {
		return supervised{Error: err.Error()}, nil
	}
	return supervised{Guard: v.guard.pid(), Pids: v.pids(), Cookie: v.entry.Cookie}, v
}

// loseGuard lets process 1 inherit the orphans of a server whose guard was killed.
func loseGuard(v *Server) (left []string) {
	_ = syscall.Kill(v.guard.pid(), syscall.SIGKILL)
	_ = v.Stop(context.Background())
	for _, s := range snapshot() {
		if s.Pid != os.Getpid() {
			left = append(left, s.String()+" "+string(s.state))
		}
	}
	return left
}

// startDaemon returns what the daemon says when its server is ready. A daemon
// that is to stay is killed when the test ends, at the latest.
func startDaemon(t *testing.T, attr *syscall.SysProcAttr, args ...string) (*exec.Cmd, supervised) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", append([]string{daemonCommand}, args...)...)
	cmd.SysProcAttr, cmd.Stderr = attr, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	said := decode[supervised](t, line)
	if said.Error != "" {
		t.Fatal(said.Error)
	}
	return cmd, said
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestNothingSurvivesAKilledDaemon(t *testing.T) {
	for _, mode := range []string{"ok", "deaf", "workers", "escape"} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			cmd, said := startDaemon(t, nil, dir, mode, "stay")
			d := holdOn(t, said.Pids...)
			kill(t, cmd.Process.Pid)
			d.await(t, 5*time.Second)
			noneCarries(t, said.Cookie)
			_ = cmd.Wait()
			if killed, err := newSupervisor(t, Options{RunDir: dir}).Sweep(); killed != 0 || err != nil {
				t.Errorf("swept %d, %v", killed, err)
			}
			emptyDir(t, dir) // of the ledger, too
		})
	}
}

// When daemon and guard are killed together, only the next start can help.
func TestSweepAfterDaemonAndGuardWereKilled(t *testing.T) {
	dir := t.TempDir()
	cmd, said := startDaemon(t, nil, dir, "workers", "stay")
	d := holdOn(t, said.Pids...)
	s := newSupervisor(t, Options{RunDir: dir})
	if killed, err := s.Sweep(); killed != 0 || err != nil {
		t.Fatalf("swept %d, %v of a daemon that lives", killed, err)
	}
	// Stopped, the daemon cannot notice and clean up before it is killed, too.
	if err := syscall.Kill(cmd.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	kill(t, said.Guard)
	kill(t, cmd.Process.Pid)
	_ = cmd.Wait()
	// The kernel kills the leader; at least the worker is the sweep's.
	if killed, err := s.Sweep(); killed < 1 || err != nil {
		t.Errorf("swept %d, %v", killed, err)
	}
	d.await(t, patience)
	noneCarries(t, said.Cookie)
	emptyDir(t, dir)
}

func TestProcessOneReapsWhatItInherits(t *testing.T) {
	need.That(t, os.Getuid() == 0, "root, to make a process namespace")
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
	_, said := startDaemon(t, attr, t.TempDir(), "workers", "as-pid-1")
	if len(said.Left) > 0 {
		t.Errorf("process 1 has left: %v", said.Left)
	}
}

func TestSweepKillsOnlyWhatIsProvenToBeOurs(t *testing.T) {
	gone := exec.Command("/proc/self/exe", faultCommand, "exit", "0", "0")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	owner := identity{Pid: gone.Process.Pid, Started: 1}
	s := newSupervisor(t, Options{})
	tests := []struct {
		name   string
		env    []string
		change func(*entry)
		dies   bool
	}{
		{"ours", []string{cookieName + "=0123456789abcdef0123456789abcdef"}, func(*entry) {}, true},
		{"without a cookie", nil, func(*entry) {}, false},
		{"with another cookie", []string{cookieName + "=0123456789abcdef0123456789abcdeF"}, func(*entry) {}, false},
		{"whose owner lives", []string{cookieName + "=0123456789abcdef0123456789abcdef"}, func(e *entry) { e.Owner = s.self }, false},
		{"whose owner's id is used again", []string{cookieName + "=0123456789abcdef0123456789abcdef"},
			func(e *entry) { e.Owner = identity{Pid: s.self.Pid, Started: s.self.Started - 1} }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := exec.Command("/proc/self/exe", faultCommand, "silent", "0")
			c.Env = append(test.env, "GOTRACEBACK=none")
			victim, err := launch(c, nil, syscall.SIGKILL)
			if err != nil {
				t.Fatal(err)
			}
			state, err := readStat(victim.pid())
			if err != nil {
				t.Fatal(err)
			}
			e := &entry{Name: "old", Cookie: "0123456789abcdef0123456789abcdef", Owner: owner, Child: state.identity}
			e.path = filepath.Join(s.options.RunDir, "old")
			test.change(e)
			if err := e.write(); err != nil {
				t.Fatal(err)
			}
			killed, err := s.Sweep()
			if err != nil {
				t.Error(err)
			}
			if (killed == 1) != test.dies {
				t.Errorf("killed %d", killed)
			}
			if alive := state.identity.alive(); alive == test.dies {
				t.Errorf("alive: %t", alive)
			}
			victim.kill()
			<-victim.done
		})
	}
}

func TestSweepRemovesUnreadableNotes(t *testing.T) {
	for _, text := range []string{"", "{", "{}", fmt.Sprintf("%q", "x")} {
		s := newSupervisor(t, Options{})
		if err := os.WriteFile(filepath.Join(s.options.RunDir, "x.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if killed, err := s.Sweep(); killed != 0 || err != nil {
			t.Errorf("%q: %d, %v", text, killed, err)
		}
		emptyDir(t, s.options.RunDir)
	}
}

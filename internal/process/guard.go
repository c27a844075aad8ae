package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// GuardCommand is the hidden command under which Options.Executable must answer
// with Guard.
const GuardCommand = "__guard"

// Descriptors that a guard is given.
const (
	ordersFD = 3 // orders from restbench; its end means that restbench is gone
	eventsFD = 4 // events to restbench
)

// killLimit is how long killed processes may take to end. Only one that hangs
// inside the kernel takes long.
const killLimit = 5 * time.Second

// order is what restbench tells a guard. The first one starts the server.
type order struct {
	Start *launchOrder  `json:"start,omitempty"`
	Grace time.Duration `json:"grace,omitempty"` // from SIGTERM to SIGKILL; 0 kills at once
}

type launchOrder struct {
	Argv []string `json:"argv"`
	Dir  string   `json:"dir"`
	Env  []string `json:"env"`
	CPUs []int    `json:"cpus"`
}

// event is what a guard tells restbench. Exactly one field is set.
type event struct {
	Started  *identity `json:"started,omitempty"`
	Refused  string    `json:"refused,omitempty"`  // why the server could not be started
	Stubborn bool      `json:"stubborn,omitempty"` // it ignored SIGTERM for the whole grace
	Ended    *ending   `json:"ended,omitempty"`
}

// ending is a guard's last word.
type ending struct {
	How  string   `json:"how"`            // "exited (status 1)"
	Left []string `json:"left,omitempty"` // processes that could not be killed
}

// guard is the parent of one server, in a process of its own.
type guard struct {
	parent  int
	cmd     *exec.Cmd
	leader  int
	orders  <-chan order
	events  *json.Encoder
	signals chan os.Signal
}

// Guard answers the hidden command: it reads which server to start from its pipe,
// starts it and stays until it has ended, is to be stopped, or restbench is gone.
// Nothing of the server's is left when it returns. The arguments are for people
// who list processes.
func Guard([]string) int {
	runtime.LockOSThread() // the server's parent-death signal follows this thread
	g, err := newGuard()
	if err != nil {
		fmt.Fprintf(os.Stderr, "restbench %s is started by restbench itself: %v\n", GuardCommand, err)
		return 2
	}
	first, ok := <-g.orders
	if !ok || first.Start == nil {
		return 0
	}
	if err := g.start(*first.Start); err != nil {
		g.report(event{Refused: explain(err).Error()})
		return 1
	}
	g.watch()
	g.report(event{Ended: g.end()})
	return 0
}

func newGuard() (*guard, error) {
	for _, fd := range []int{ordersFD, eventsFD} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
			return nil, fmt.Errorf("descriptor %d: %w", fd, err)
		}
	}
	// Anything else that was inherited must not reach the server either.
	_ = unix.CloseRange(eventsFD+1, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("adopt orphans: %w", err)
	}
	g := &guard{parent: os.Getppid(), signals: make(chan os.Signal, 16)}
	// A terminal's Ctrl-C and a service manager's SIGTERM are for restbench, which
	// then stops servers in order. SIGCHLD: see watch.
	signal.Notify(g.signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGCHLD)
	g.orders = readOrders(os.NewFile(ordersFD, "orders"))
	g.events = json.NewEncoder(os.NewFile(eventsFD, "events"))
	return g, nil
}

// readOrders closes the channel when restbench is gone.
func readOrders(pipe io.Reader) <-chan order {
	orders := make(chan order)
	go func() {
		defer close(orders)
		decoder := json.NewDecoder(pipe)
		for {
			var o order
			if decoder.Decode(&o) != nil {
				return
			}
			orders <- o
		}
	}()
	return orders
}

// report ignores that nobody may listen any more: readOrders notices that.
func (g *guard) report(e event) { _ = g.events.Encode(e) }

func (g *guard) start(o launchOrder) error {
	g.cmd = &exec.Cmd{Path: o.Argv[0], Args: o.Argv, Dir: o.Dir, Env: o.Env, Stderr: os.Stderr}
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // a crash is a failure, not gigabytes
	restored, err := onCPUs(o.CPUs, g.cmd.Start)
	if err != nil {
		return err
	}
	if !restored {
		_ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL)
		return errors.New("could not give the guard its processors back")
	}
	g.leader = g.cmd.Process.Pid
	s, err := readStat(g.leader) // it is there, if only as a zombie
	if err == nil {
		g.report(event{Started: &s.identity})
	}
	return err
}

// watch returns when the server is to end at once, or its leader has ended.
func (g *guard) watch() {
	exited := make(chan struct{})
	go func() {
		awaitExit(g.leader)
		close(exited)
	}()
	var grace <-chan time.Time
	for {
		select {
		case <-exited:
			return
		case o, ok := <-g.orders:
			if !ok || o.Grace <= 0 {
				return
			}
			_ = syscall.Kill(-g.leader, syscall.SIGTERM)
			grace = time.After(o.Grace)
		case <-grace:
			g.report(event{Stubborn: true})
			return
		case s := <-g.signals:
			if s != unix.SIGCHLD && os.Getppid() != g.parent {
				return
			}
			g.reapAdopted()
		}
	}
}

// reapAdopted waits for orphans of the server that have ended. The leader is none
// of them; it stays a zombie until its group is dead.
func (g *guard) reapAdopted() {
	for _, s := range snapshot() {
		if s.parent == os.Getpid() && s.Pid != g.leader && !s.alive() {
			reapOne(s.Pid)
		}
	}
}

// end kills the server's group and all descendants and says how the leader ended.
func (g *guard) end() *ending {
	_ = syscall.Kill(-g.leader, syscall.SIGKILL)
	below := func(all []stat) []stat { return descendants(all, os.Getpid()) }
	_, left := cull{pick: below, spare: g.leader, limit: killLimit}.run()
	result := &ending{How: "did not end"}
	for _, s := range left {
		result.Left = append(result.Left, s.String())
	}
	if s, err := readStat(g.leader); err == nil && s.alive() {
		return result
	}
	_ = g.cmd.Wait() // its exit status is in the state
	result.How = describe(g.cmd.ProcessState)
	return result
}

// describe says how a process ended.
func describe(state *os.ProcessState) string {
	if state == nil {
		return "ended in an unknown way"
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Sprintf("exited (signal: %s)", status.Signal())
	}
	return fmt.Sprintf("exited (status %d)", state.ExitCode())
}

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

// waitDelay is how long output is still read after a program has ended, when
// something that it started holds the pipe open.
const waitDelay = 2 * time.Second

// child is a process that leads its own group.
type child struct {
	cmd   *exec.Cmd
	done  chan struct{} // closed when it has been waited for
	err   error         // of that wait; not to be read before done
	ended time.Time     // likewise

	mu     sync.Mutex
	reaped bool // its id may belong to somebody else
}

// launch starts cmd as the leader of a new group, on the given processors, on a
// thread of its own that stays until cmd has ended: the kernel sends the
// parent-death signal when the thread that started a process ends, and Go ends
// threads at will.
func launch(cmd *exec.Cmd, cpus []int, atDeath syscall.Signal) (*child, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: atDeath}
	cmd.WaitDelay = waitDelay
	c := &child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go c.live(cpus, started)
	if err := <-started; err != nil {
		<-c.done
		return nil, explain(err)
	}
	return c, nil
}

func (c *child) live(cpus []int, started chan<- error) {
	defer close(c.done)
	runtime.LockOSThread()
	restored, err := onCPUs(cpus, c.cmd.Start)
	if restored {
		defer runtime.UnlockOSThread() // else the thread ends with this goroutine
	}
	started <- err
	if err != nil {
		return
	}
	awaitExit(c.cmd.Process.Pid)
	c.ended = time.Now()
	c.endGroup()
	c.err = c.cmd.Wait()
}

// endGroup kills what is left of the group. It must run before the leader is
// waited for: only as long as it is a zombie is its id surely the group's.
func (c *child) endGroup() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	c.reaped = true
}

// kill kills the whole group, unless it has ended.
func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	}
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// awaitExit blocks until the process has ended and leaves it a zombie.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// onCPUs calls start while the calling thread, which must be locked, may use only
// these processors: what is started inherits that. It reports whether the thread
// is again as it was.
func onCPUs(cpus []int, start func() error) (restored bool, err error) {
	if len(cpus) == 0 {
		return true, start()
	}
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return true, fmt.Errorf("read the processors of a thread: %w", err)
	}
	if err := pin(0, cpus); err != nil {
		return true, err
	}
	err = start()
	return unix.SchedSetaffinity(0, &before) == nil, err
}

// pin lets a thread run on these processors only; 0 is the calling thread.
func pin(thread int, cpus []int) error {
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(thread, &set); err != nil {
		return fmt.Errorf("use only processors %v: %w", cpus, err)
	}
	return nil
}

// explain makes an error of starting a process readable. It names the limit, and
// its value, where that was the cause.
func explain(err error) error {
	var resource int
	var name string
	switch {
	case errors.Is(err, syscall.EMFILE):
		resource, name = unix.RLIMIT_NOFILE, "open files (ulimit -n)"
	case errors.Is(err, syscall.EAGAIN):
		resource, name = unix.RLIMIT_NPROC, "processes (ulimit -u)"
	default:
		return pathFirst(err)
	}
	var limit unix.Rlimit
	if unix.Getrlimit(resource, &limit) != nil {
		return err
	}
	return fmt.Errorf("%w: the limit of %s is %d", err, name, limit.Cur)
}

// lookUp makes a bare name a path. A name with a slash stays as it is: it may be
// relative to the folder that the command will run in.
func lookUp(c bench.Command) (argv []string, err error) {
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return nil, errors.New("the command is empty")
	}
	if c.Dir != "" {
		// Else the program would be said to be missing.
		if info, err := os.Stat(c.Dir); err != nil {
			return nil, fmt.Errorf("working directory %w", pathFirst(err))
		} else if !info.IsDir() {
			return nil, fmt.Errorf("working directory %s: %w", c.Dir, syscall.ENOTDIR)
		}
	}
	if strings.Contains(c.Argv[0], "/") {
		return c.Argv, nil
	}
	path, err := exec.LookPath(c.Argv[0])
	if err != nil {
		return nil, fmt.Errorf("%s: not an executable file on PATH", c.Argv[0])
	}
	return append([]string{path}, c.Argv[1:]...), nil
}

// pathFirst drops the name of the system call from an error: people know paths.
func pathFirst(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) && p.Path != "" {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}

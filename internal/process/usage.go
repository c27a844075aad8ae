package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

// Usage reads what the server's whole tree has used since it started. The guard
// itself does not count; what it has adopted and waited for does.
//
// Processor time of children that nobody waits for (SIGCHLD ignored) is lost to
// every reader. The time of waited-for children comes in steps of 10 ms.
func (v *Server) Usage() (bench.Usage, error) {
	if err := v.Alive(); err != nil {
		return bench.Usage{}, fmt.Errorf("read the usage of %s: %w", v.name, err)
	}
	all := snapshot()
	tree := descendants(all, v.guard.pid())
	if len(tree) == 0 {
		return bench.Usage{}, fmt.Errorf("read the usage of %s: %w", v.name, errNoProcess)
	}
	var u bench.Usage
	each := map[int]share{}
	for _, s := range all {
		if s.Pid == v.guard.pid() {
			u.CPU = s.waited
		}
	}
	for _, s := range tree {
		ran, queued := processorTime(s), runQueue(s.Pid)
		each[s.Pid] = share{own: ran + queued, children: s.waited}
		u.CPU += ran + s.waited
		u.RunQueue += queued
		u.Memory += memory(s.Pid)
		u.Processes++
	}
	u.Busiest = v.busiest(each)
	return u, nil
}

// share is what one process ran or waited for a processor, and what the children ran
// that it has waited for.
type share struct{ own, children time.Duration }

// busiest is the most that a process used since the last reading. Children that began and
// ended since then are its work; what one that has ended meanwhile had used before is not.
func (v *Server) busiest(each map[int]share) (most time.Duration) {
	v.lock.Lock()
	defer v.lock.Unlock()
	var ended time.Duration
	for pid, before := range v.before {
		if _, lives := each[pid]; !lives {
			ended += before.own + before.children
		}
	}
	for pid, now := range each {
		before := v.before[pid]
		most = max(most, now.own-before.own+max(0, now.children-before.children-ended))
	}
	v.before = each
	return most
}

var errNoProcess = errors.New("it has no process")

// SetCPUs moves all threads of the server to these processors. Threads and
// processes that it starts later inherit that.
func (v *Server) SetCPUs(cpus []int) error {
	if err := v.Alive(); err != nil {
		return fmt.Errorf("move %s: %w", v.name, err)
	}
	// Twice, for what is started by threads that were not moved yet.
	for range 2 {
		if err := v.pinTree(cpus); err != nil {
			return fmt.Errorf("move %s: %w", v.name, err)
		}
	}
	return nil
}

func (v *Server) pinTree(cpus []int) error {
	for _, s := range descendants(snapshot(), v.guard.pid()) {
		for _, thread := range numbers(procPath(s.Pid, "task")) {
			if err := pin(thread, cpus); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return nil
}

// processorTime asks the process's own clock, which counts in nanoseconds and
// keeps the time of dead threads. The kernel numbers these clocks by process.
func processorTime(s stat) time.Duration {
	const schedulerClock = 2
	clock := int32(^s.Pid<<3 | schedulerClock)
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return s.cpu // it has just ended
	}
	return time.Duration(t.Nano())
}

// memory is the proportional set size: pages that processes share count once.
// Where that may not be read it is the resident set size.
func memory(pid int) int64 {
	text, err := os.ReadFile(procPath(pid, "smaps_rollup"))
	if err == nil {
		if pss, ok := kilobytes(text, "Pss:"); ok {
			return pss
		}
	}
	text, err = os.ReadFile(procPath(pid, "status"))
	if err != nil {
		return 0
	}
	rss, _ := kilobytes(text, "VmRSS:")
	return rss
}

// kilobytes finds "KEY   123 kB" and returns bytes.
func kilobytes(text []byte, key string) (int64, bool) {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 2 || string(fields[0]) != key {
			continue
		}
		n, err := strconv.ParseInt(string(fields[1]), 10, 64)
		return n << 10, err == nil
	}
	return 0, false
}

// runQueue sums how long the living threads were runnable without running: the
// second of three numbers in schedstat, in nanoseconds.
func runQueue(pid int) time.Duration {
	var sum time.Duration
	dir := procPath(pid, "task")
	for _, thread := range numbers(dir) {
		text, err := os.ReadFile(dir + "/" + strconv.Itoa(thread) + "/schedstat")
		if err != nil {
			continue
		}
		if fields := bytes.Fields(text); len(fields) == 3 {
			n, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			sum += time.Duration(n)
		}
	}
	return sum
}

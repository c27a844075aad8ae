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
// itself does not count; what it has adopted and waited for does. Of zombies only
// the time counts.
//
// Processor time of children that nobody waits for (SIGCHLD ignored) is lost to
// every reader. The time of waited-for children comes in steps of 10 ms.
func (v *Server) Usage() (bench.Reading, error) {
	if err := v.Alive(); err != nil {
		return bench.Reading{}, fmt.Errorf("read the usage of %s: %w", v.name, err)
	}
	all := snapshot()
	tree := descendants(all, v.guard.pid())
	if len(tree) == 0 {
		return bench.Reading{}, fmt.Errorf("read the usage of %s: %w", v.name, errNoProcess)
	}
	var u bench.Reading
	for _, s := range all {
		if s.Pid == v.guard.pid() {
			u.CPU = s.waited
		}
	}
	v.lock.Lock()
	defer v.lock.Unlock()
	now := v.before.next(tree)
	for pid, s := range now.each {
		u.CPU += s.ran + s.children
		u.RunQueue += s.queued
		u.Memory += memory(pid)
	}
	u.Processes, u.Busiest = len(now.since), now.busiest(v.before)
	u.Ended, u.Lost = now.ended(v.before)
	v.before = now
	return u, nil
}

// census is one look at a server's tree.
type census struct {
	at    time.Duration // after boot
	each  map[int]share
	since map[identity]time.Duration // of those that live: since when that is known
}

// next is the look after r. At the first one nobody has asked the server for more
// than whether it is ready, so that what is old is not there for a request.
func (r census) next(tree []stat) census {
	now := census{at: sinceBoot(), each: map[int]share{}, since: map[identity]time.Duration{}}
	for _, s := range tree {
		now.each[s.Pid] = shareOf(s)
		if !s.alive() {
			continue
		}
		since, known := r.since[s.identity]
		switch {
		case known:
		case r.since == nil:
			since = time.Duration(s.Started) * tick
		default:
			since = now.at
		}
		now.since[s.identity] = since
	}
	return now
}

// lasting is from when on a process is a part of the server: what it had started for
// a request or a connection that has ended is gone by then.
const lasting = 500 * time.Millisecond

// ended is how many parts of the server ended since the look before, and how many
// of those nothing has replaced.
func (r census) ended(before census) (ended, lost int) {
	for id, since := range before.since {
		if _, lives := r.since[id]; !lives && before.at-since >= lasting {
			ended++
		}
	}
	return ended, min(ended, max(0, len(before.since)-len(r.since)))
}

// share is what one process used.
type share struct {
	ran, queued time.Duration         // it had a processor, and it waited for one
	children    time.Duration         // what the children ran that it has waited for
	threads     map[int]time.Duration // what each that lives ran, or waited for a processor
}

func shareOf(s stat) share {
	u := share{ran: processorTime(s), children: s.waited, threads: map[int]time.Duration{}}
	dir := procPath(s.Pid, "task")
	for _, thread := range numbers(dir) {
		ran, queued := threadTime(dir + "/" + strconv.Itoa(thread) + "/schedstat")
		u.queued += queued
		u.threads[thread] = ran + queued
	}
	return u
}

func (s share) own() time.Duration { return s.ran + s.queued }

// busiest is the most that a process used since the look before. Children that began and
// ended since then are its work; what one that has ended meanwhile had used before is not.
func (r census) busiest(before census) (most time.Duration) {
	var ended time.Duration
	for pid, was := range before.each {
		if _, lives := r.each[pid]; !lives {
			ended += was.own() + was.children
		}
	}
	for pid, now := range r.each {
		was := before.each[pid]
		most = max(most, now.after(was, r.at-before.at)+max(0, now.children-was.children-ended))
	}
	return most
}

// after is how long the process worked in a window: as a whole, since most interpreters
// let one thread work at a time, and where it was on too many processors for that its
// busiest thread. Where most was done by threads that have ended meanwhile nobody knows
// that one.
func (s share) after(was share, window time.Duration) time.Duration {
	all := s.own() - was.own()
	if s.ran-was.ran <= bench.UnlockedProcessors*window {
		return all
	}
	var most, sum time.Duration
	for id, now := range s.threads {
		used := now - was.threads[id]
		most, sum = max(most, used), sum+used
	}
	if sum < all/2 {
		return all
	}
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

// threadTime is how long a thread ran, and was runnable without running: the first
// two of three numbers in schedstat, in nanoseconds.
func threadTime(schedstat string) (ran, queued time.Duration) {
	text, err := os.ReadFile(schedstat)
	if err != nil {
		return 0, 0 // it has just ended
	}
	fields := bytes.Fields(text)
	if len(fields) != 3 {
		return 0, 0
	}
	number := func(i int) time.Duration {
		n, _ := strconv.ParseInt(string(fields[i]), 10, 64)
		return time.Duration(n)
	}
	return number(0), number(1)
}

// sinceBoot is the clock that the kernel dates processes by.
func sinceBoot() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // every kernel that has pidfds has it
	return time.Duration(t.Nano())
}

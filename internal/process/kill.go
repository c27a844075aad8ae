package process

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// cull kills the processes that pick finds until it finds none: more may be
// forked between a look and its kill.
type cull struct {
	pick  func(all []stat) []stat
	spare int      // a child that someone else waits for: it is killed, but not reaped here
	dying identity // a process that is known to end by itself and is awaited, too
	limit time.Duration
}

// run returns how many were killed and which of them would not die in time.
func (c cull) run() (killed int, left []stat) {
	deadline := time.Now().Add(c.limit)
	seen := make(map[identity]bool)
	for delay := time.Millisecond; ; delay = min(2*delay, 50*time.Millisecond) {
		all := snapshot()
		for _, s := range living(c.pick(all)) {
			seen[s.identity] = true
			killProcess(s.identity)
		}
		// A process that ends loses what it is recognised by before it is dead.
		left = living(c.among(all, seen))
		c.reap(all, seen)
		if len(left) == 0 || time.Now().After(deadline) {
			return len(seen) - len(left), left
		}
		time.Sleep(delay)
	}
}

func (c cull) among(all []stat, seen map[identity]bool) []stat {
	var list []stat
	for _, s := range all {
		if seen[s.identity] || s.identity == c.dying {
			list = append(list, s)
		}
	}
	return list
}

// reap waits for those that this process has adopted, as process 1 of a container
// or as a guard does. It waits for them one by one: waiting for any child would
// steal the exits of children that others wait for.
func (c cull) reap(all []stat, seen map[identity]bool) {
	for _, s := range c.among(all, seen) {
		if s.parent == os.Getpid() && s.Pid != c.spare && !s.alive() {
			reapOne(s.Pid)
		}
	}
}

func reapOne(pid int) { _, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) }

// killProcess ignores errors: who cannot be killed is seen by looking again.
func killProcess(id identity) { _ = signalProcess(id, os.Kill) }

func living(list []stat) []stat {
	var alive []stat
	for _, s := range list {
		if s.alive() {
			alive = append(alive, s)
		}
	}
	return alive
}

// leftBehind is nil when nothing is.
func leftBehind(left []stat) error {
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("still running after SIGKILL: %v", left)
}

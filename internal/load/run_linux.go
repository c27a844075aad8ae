//go:build linux && (amd64 || arm64)

package load

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"restbench/internal/bench"
)

// runLoops runs the window: all loops start together, when all of them are ready,
// and end at the same moment.
func runLoops(plan bench.Plan) (bench.Load, error) {
	loops, err := newLoops(plan)
	if err != nil {
		return bench.Load{}, err
	}
	wait := ownWait()
	cpu := runTogether(loops)
	wait = ownWait() - wait
	counts := make([]*count, len(loops))
	for i, l := range loops {
		l.close()
		counts[i] = &l.count
	}
	load, err := collect(counts, plan)
	load.ClientWait, load.ClientCPU = wait, cpu
	return load, err
}

func newLoops(plan bench.Plan) ([]*loop, error) {
	loops := make([]*loop, plan.Threads)
	for i := range loops {
		var err error
		if loops[i], err = newLoop(plan, plan.Connections/plan.Threads); err != nil {
			return nil, err
		}
	}
	return loops, nil
}

// runTogether returns the processor time of the window.
func runTogether(loops []*loop) time.Duration {
	var ready, done sync.WaitGroup
	var start time.Time // written before begin is closed
	begin := make(chan struct{})
	ready.Add(len(loops))
	for _, l := range loops {
		done.Go(func() {
			runtime.LockOSThread() // its thread outlives it: ownWait still counts it
			defer runtime.UnlockOSThread()
			l.rampUp()
			ready.Done()
			<-begin
			l.run(start)
		})
	}
	ready.Wait()
	letMonitorSleep()
	before := ownCPU()
	start = time.Now()
	close(begin)
	done.Wait()
	return ownCPU() - before
}

// ownCPU is the processor time of this process so far. The call is one that leaves
// the monitor asleep.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	_, _, errno := syscall.RawSyscall(syscall.SYS_GETRUSAGE, syscall.RUSAGE_SELF, uintptr(unsafe.Pointer(&usage)), 0)
	if errno != 0 {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// ownWait is how long the threads of this process have been ready to run without a
// processor. It is 0 where the kernel does not count it.
func ownWait() time.Duration {
	files, _ := filepath.Glob("/proc/self/task/*/schedstat") // the pattern is valid
	var total time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			wait, _ := strconv.ParseInt(fields[1], 10, 64) // the kernel's number
			total += time.Duration(wait)
		}
	}
	return total
}

//go:build linux && (amd64 || arm64)

package load

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// asleep is how long a process must do nothing until Go's monitor thread sleeps:
// a few of its longest pauses (10 ms).
const asleep = 35 * time.Millisecond

// letMonitorSleep pauses until Go's monitor thread has gone to sleep, and returns
// without waking it. Awake it looks after the loops 100 times a second and asks
// them to make way for others that do not exist; against a slow server that costs
// as much processor time as the load itself. It falls asleep when nothing at all
// runs, for up to a minute, and is woken by Go's own timers and system calls. So
// this waits for a timer of the kernel, and makes no call when that has fired.
// Where it does not work out, the engine costs more and measures the same.
func letMonitorSleep() {
	const monotonic = 1
	fd, _, errno := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, monotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return
	}
	timer := os.NewFile(fd, "timer") // closed with the process, so that nothing is called now
	after := struct{ interval, value syscall.Timespec }{value: syscall.NsecToTimespec(int64(asleep))}
	_, _, errno = syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&after)), 0, 0, 0)
	if errno != 0 {
		return
	}
	conn, err := timer.SyscallConn()
	if err != nil {
		return
	}
	fired := false
	_ = conn.Read(func(uintptr) bool { // asked once before and once after the wait
		defer func() { fired = true }()
		return fired
	})
}

//go:build linux && (amd64 || arm64)

package load

import (
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"
)

// The calls below enter the kernel without telling Go's scheduler. That saves what
// the announcement costs, and while a loop waits it holds its place to run, which
// nobody else in the engine's process wants. Never use them in a process that
// does anything else: its garbage collector would wait for them.

// endpoint is an address as the kernel takes it.
type endpoint struct {
	family int
	raw    unsafe.Pointer // kept alive by this pointer
	size   uintptr
}

func newEndpoint(at netip.AddrPort) endpoint {
	port := at.Port()<<8 | at.Port()>>8
	if at.Addr().Is4() {
		raw := &syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: port, Addr: at.Addr().As4()}
		return endpoint{syscall.AF_INET, unsafe.Pointer(raw), unsafe.Sizeof(*raw)}
	}
	raw := &syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Port: port, Addr: at.Addr().As16()}
	return endpoint{syscall.AF_INET6, unsafe.Pointer(raw), unsafe.Sizeof(*raw)}
}

// dial opens a socket and begins to connect it. On loopback the connection is
// normally there when dial returns.
func (e endpoint) dial() (fd int, errno syscall.Errno) {
	const kind = syscall.SOCK_STREAM | syscall.SOCK_NONBLOCK | syscall.SOCK_CLOEXEC
	r, _, errno := syscall.RawSyscall(syscall.SYS_SOCKET, uintptr(e.family), kind, 0)
	if errno != 0 {
		return -1, errno
	}
	_, _, errno = syscall.RawSyscall(syscall.SYS_CONNECT, r, uintptr(e.raw), e.size)
	if errno != 0 && errno != syscall.EINPROGRESS {
		closeSocket(int(r))
		return -1, errno
	}
	on := int32(1)
	syscall.RawSyscall6(syscall.SYS_SETSOCKOPT, r, syscall.IPPROTO_TCP, syscall.TCP_NODELAY,
		uintptr(unsafe.Pointer(&on)), unsafe.Sizeof(on), 0)
	runtime.KeepAlive(e.raw)
	return int(r), 0
}

func closeSocket(fd int) {
	syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0)
}

// resetSocket closes a socket whose request is given up, and lets the server know at
// once. An orderly end would wait in the kernel behind a request that was not
// received yet, and be sent again in ever longer intervals. A server that accepts
// the connection meanwhile and handles one at a time would wait for that: it was
// seen to stand still for minutes.
func resetSocket(fd int) {
	reset := syscall.Linger{Onoff: 1, Linger: 0}
	syscall.RawSyscall6(syscall.SYS_SETSOCKOPT, uintptr(fd), syscall.SOL_SOCKET, syscall.SO_LINGER,
		uintptr(unsafe.Pointer(&reset)), unsafe.Sizeof(reset), 0)
	closeSocket(fd)
}

// sendTo never raises SIGPIPE.
func sendTo(fd int, data []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), syscall.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

func receiveFrom(fd int, into []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(into))), uintptr(len(into)), 0, 0, 0)
	return int(n), errno
}

// pendingError is what went wrong with a connection since it was last asked.
func pendingError(fd int) syscall.Errno {
	var value int32
	size := uint32(unsafe.Sizeof(value))
	_, _, errno := syscall.RawSyscall6(syscall.SYS_GETSOCKOPT, uintptr(fd), syscall.SOL_SOCKET, syscall.SO_ERROR,
		uintptr(unsafe.Pointer(&value)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return errno
	}
	return syscall.Errno(value)
}

// Events of a connection, told once each time something changes (edge-triggered),
// so that a connection is registered once and never touched again.
const (
	eventIn   = syscall.EPOLLIN | syscall.EPOLLRDHUP | 1<<31
	eventOut  = syscall.EPOLLOUT
	eventGone = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
)

// poll is an epoll instance; connections are known to it by their index.
type poll struct {
	fd     int
	events []syscall.EpollEvent
}

func newPoll(connections int) (poll, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return poll{fd: fd, events: make([]syscall.EpollEvent, connections)}, err
}

func (p *poll) watch(operation, fd, index int, events uint32) syscall.Errno {
	event := syscall.EpollEvent{Events: events, Fd: int32(index)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(p.fd), uintptr(operation),
		uintptr(fd), uintptr(unsafe.Pointer(&event)), 0, 0)
	return errno
}

// wait blocks for at most so many milliseconds. An interrupted wait is one without
// events.
func (p *poll) wait(milliseconds int) []syscall.EpollEvent {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(p.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p.events))), uintptr(len(p.events)), uintptr(milliseconds), 0, 0)
	if errno != 0 {
		return nil
	}
	return p.events[:n]
}

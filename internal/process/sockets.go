package process

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
)

// pickPort finds a free loopback port that no other server of this supervisor was
// given. Another program may take it before the server does: see Start.
func (s *Supervisor) pickPort() (int, error) {
	for range 100 {
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", explain(err))
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		if s.reserve(port) {
			return port, nil
		}
	}
	return 0, errors.New("find a free port: all that were offered are given away")
}

func (s *Supervisor) reserve(port int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ports[port] {
		return false
	}
	s.ports[port] = true
	return true
}

func (s *Supervisor) release(port int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ports, port)
}

// listeners returns the inodes of the sockets that connections to
// 127.0.0.1:port may reach: several, when they share the port.
func listeners(port int) ([]string, error) {
	inodes, err := listenersIn("/proc/net/tcp", port)
	if err != nil {
		return nil, fmt.Errorf("read the sockets of this machine: %w", err)
	}
	more, err := listenersIn("/proc/net/tcp6", port)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // no IPv6
		return nil, fmt.Errorf("read the sockets of this machine: %w", err)
	}
	return append(inodes, more...), nil
}

func listenersIn(table string, port int) ([]string, error) {
	f, err := os.Open(table)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	suffix := fmt.Appendf(nil, ":%04X ", port)
	var inodes []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), suffix) {
			continue // nearly all of them, when connections were closed by the thousand
		}
		if inode, ok := listenerInode(lines.Text(), port); ok {
			inodes = append(inodes, inode)
		}
	}
	return inodes, lines.Err()
}

// listenerInode reads a line of a socket table: number, local address, remote
// address, state, ..., inode as the tenth field.
func listenerInode(line string, port int) (inode string, ok bool) {
	const stateListen = "0A"
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != stateListen {
		return "", false
	}
	address, hexPort, _ := strings.Cut(fields[1], ":")
	if n, err := strconv.ParseUint(hexPort, 16, 16); err != nil || int(n) != port {
		return "", false
	}
	return fields[9], reachesLoopback(address)
}

// reachesLoopback knows the local addresses that get connections to 127.0.0.1:
// itself and "any", in IPv4, in IPv6, and mapped. Words are in the byte order of
// the machine, little-endian on all that restbench runs on.
func reachesLoopback(address string) bool {
	switch address {
	case "0100007F", "00000000",
		"00000000000000000000000000000000",
		"0000000000000000FFFF00000100007F",
		"0000000000000000FFFF000000000000":
		return true
	}
	return false
}

// sockets returns the inodes of the sockets that a process holds.
func sockets(pid int) map[string]bool {
	held := make(map[string]bool)
	dir := procPath(pid, "fd")
	for _, fd := range numbers(dir) {
		link, err := os.Readlink(dir + "/" + strconv.Itoa(fd))
		if err != nil {
			continue
		}
		if inode, ok := strings.CutPrefix(link, "socket:["); ok {
			held[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return held
}

// notHeldBy returns those of the inodes that none of the processes holds.
func notHeldBy(inodes []string, processes []stat) []string {
	held := make(map[string]bool)
	for _, p := range processes {
		for inode := range sockets(p.Pid) {
			held[inode] = true
		}
	}
	var others []string
	for _, inode := range inodes {
		if !held[inode] {
			others = append(others, inode)
		}
	}
	return others
}

// holder names the process that holds a socket, for people.
func holder(inode string) string {
	for _, s := range snapshot() {
		if sockets(s.Pid)[inode] {
			return s.String()
		}
	}
	return "a process of another user"
}

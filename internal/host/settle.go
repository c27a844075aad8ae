package host

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// States of /proc/net/tcp in which a socket asks nothing of a server any more.
const (
	tcpTimeWait = "06"
	tcpListen   = "0A"
)

// settleStep is how often the sockets are looked at.
const settleStep = 20 * time.Millisecond

// Settle waits until nothing is left of the connections to a server, for at most so
// long. A client that gives up requests which the server's full accept queue has
// dropped leaves connections behind whose requests are sent again for seconds: a
// server that takes one connection at a time stands still for them, and the next
// client finds it like that.
func Settle(ctx context.Context, address string, most time.Duration) error {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("port of %s: %w", address, err)
	}
	for end := time.Now().Add(most); time.Now().Before(end); {
		if !machine.connected(port) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settleStep):
		}
	}
	return nil // what is left after so long stays
}

// connected tells whether there is a connection to or from a port, or half of one.
// A kernel without IPv6 has the first file only.
func (t tree) connected(port uint64) bool {
	for _, file := range []string{"proc/self/net/tcp", "proc/self/net/tcp6"} {
		for line := range strings.Lines(t.text(file)) {
			fields := strings.Fields(line) // number, local and remote address, state
			if len(fields) < 4 || (portOf(fields[1]) != port && portOf(fields[2]) != port) {
				continue
			}
			if state := fields[3]; state != tcpTimeWait && state != tcpListen {
				return true
			}
		}
	}
	return false
}

// portOf reads the end of an address as the kernel writes it: "0100007F:1F90".
func portOf(address string) uint64 {
	_, text, _ := strings.Cut(address, ":")
	port, err := strconv.ParseUint(text, 16, 16)
	if err != nil {
		return 0
	}
	return port
}

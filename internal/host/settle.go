package host

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/procfs"
)

// States of /proc/net/tcp in which a socket asks nothing of a server any more.
const (
	tcpTimeWait = 6
	tcpListen   = 10
)

// settleStep is how often the sockets are looked at.
const settleStep = 20 * time.Millisecond

// Settle waits until nothing is left of the connections to a server, for at most so
// long. A client that gives up requests which the server's full accept queue has
// dropped leaves connections behind whose requests are sent again for seconds: a
// server that takes one connection at a time stands still for them, and the next
// client finds it like that.
func Settle(ctx context.Context, address string, most time.Duration) error {
	return machine.settle(ctx, address, most)
}

func (t tree) settle(ctx context.Context, address string, most time.Duration) error {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("port of %s: %w", address, err)
	}
	for end := time.Now().Add(most); time.Now().Before(end); {
		if left, err := t.connected(port); err != nil || !left {
			return err
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
func (t tree) connected(port uint64) (bool, error) {
	fs, err := procfs.NewFS(t.path("proc"))
	if err != nil {
		return false, err
	}
	four, err := fs.NetTCP()
	if err != nil {
		return false, err
	}
	six, err := fs.NetTCP6()
	if err != nil {
		six = nil // a kernel without IPv6
	}
	for _, s := range slices.Concat(four, six) {
		if (s.LocalPort == port || s.RemPort == port) && s.St != tcpTimeWait && s.St != tcpListen {
			return true, nil
		}
	}
	return false, nil
}

package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"restbench/internal/bench"
)

// AnswerTimes asks a server one request after another for a length of time, at
// least once, over one connection for as long as the server keeps it. It returns
// how long each answer took, from the write of the request to its end. The first
// wrong answer is an error.
//
// With atOnce it has the kernel acknowledge whatever was read at once, and not
// when it likes to (up to 40 ms later, RFC 1122, 4.2.3.2). A server that sends an
// answer in pieces, each of which waits for the acknowledgement of the one before
// (RFC 896), stalls without that, and with it is as fast as it is.
func AnswerTimes(ctx context.Context, address string, w bench.Workload, atOnce bool, length time.Duration) ([]time.Duration, error) {
	at, err := loopback(address)
	if err != nil {
		return nil, err
	}
	a := asker{address: at.String(), want: w.Expect, atOnce: atOnce, parser: parser{expected: []byte(w.Expect.Body), sample: 2 * quoted}}
	if a.request, err = requestBytes(address, w.Request); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, length+verifyTimeout)
	defer cancel()
	defer a.close()
	var times []time.Duration
	for begun := time.Now(); len(times) == 0 || time.Since(begun) < length; {
		took, err := a.ask(ctx)
		if err != nil {
			return times, fmt.Errorf("%s http://%s%s: %w", methodOf(w.Request), address, pathOf(w.Request), err)
		}
		times = append(times, took)
	}
	return times, nil
}

// asker asks over a connection that it keeps.
type asker struct {
	address string
	request []byte
	want    bench.Expect
	atOnce  bool

	conn   net.Conn // nil where there is none
	stop   func() bool
	parser parser
}

func (a *asker) ask(ctx context.Context) (time.Duration, error) {
	if a.conn == nil {
		if err := a.open(ctx); err != nil {
			return 0, err
		}
	}
	var from io.Reader = a.conn
	if a.atOnce {
		from = acknowledging{a.conn}
	}
	a.parser.reset()
	begun := time.Now()
	_, err := a.conn.Write(a.request)
	if err == nil {
		err = readAnswer(from, &a.parser)
	}
	took := time.Since(begun)
	if err == nil {
		err = compare(&a.parser, a.want)
	}
	if err != nil || !a.parser.keepAlive {
		a.close()
	}
	return took, err
}

func (a *asker) open(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.address)
	if err != nil {
		return err
	}
	a.conn = conn
	a.stop = context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // a closed connection needs none
	return nil
}

func (a *asker) close() {
	if a.conn != nil {
		a.stop()
		_ = a.conn.Close()
		a.conn = nil
	}
}

// acknowledging has what was read acknowledged at once. The kernel forgets that
// wish, so it is told after every read.
type acknowledging struct{ net.Conn }

func (a acknowledging) Read(into []byte) (int, error) {
	n, err := a.Conn.Read(into)
	if conn, ok := a.Conn.(syscall.Conn); ok && n > 0 {
		quickly(conn)
	}
	return n, err
}

// quickly ignores errors: an answer that is not acknowledged at once is a slow one.
func quickly(conn syscall.Conn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}

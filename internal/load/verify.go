package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"restbench/internal/bench"
)

// verifyTimeout bounds Verify where its context does not: a server may need long
// for its first answer.
const verifyTimeout = 10 * time.Second

// Verify asks the server once, over a connection of its own, and compares status,
// content type (whole) and body with what is expected. An error says in plain
// words what came instead.
func Verify(ctx context.Context, address string, w bench.Workload) error {
	at, err := loopback(address)
	if err != nil {
		return err
	}
	request, err := requestBytes(address, w.Request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	p, err := ask(ctx, at.String(), request, w.Expect.Body)
	if err == nil {
		err = compare(p, w.Expect)
	}
	if err != nil {
		return fmt.Errorf("%s http://%s%s: %w", methodOf(w.Request), address, pathOf(w.Request), err)
	}
	return nil
}

func compare(p *parser, want bench.Expect) error {
	if kind := judge(p, want); kind != right {
		return errors.New(explain(p, want, kind))
	}
	if want.ContentType != "" && p.contentType != want.ContentType {
		return fmt.Errorf("content type %s, want %s", quote(p.contentType), quote(want.ContentType))
	}
	return nil
}

// ask sends the request and reads the answer to its end.
func ask(ctx context.Context, address string, request []byte, body string) (*parser, error) {
	return askFor(ctx, address, request, &parser{expected: []byte(body), sample: 2 * quoted})
}

func askFor(ctx context.Context, address string, request []byte, p *parser) (*parser, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // a closed connection needs none
	defer stop()
	p.reset()
	if _, err = conn.Write(request); err == nil {
		err = readAnswer(conn, p)
	}
	if ctx.Err() != nil && p.phase != phaseDone {
		return nil, fmt.Errorf("no whole answer in time: %w", ctx.Err())
	}
	return p, err
}

func readAnswer(from io.Reader, p *parser) error {
	buf := make([]byte, readSize)
	for p.phase != phaseDone {
		n, err := from.Read(buf)
		used, wrong := p.feed(buf[:n])
		switch {
		case wrong != nil:
			return wrong
		case used < n:
			return fmt.Errorf("bytes after the answer: %s", quote(buf[used:n]))
		case p.phase == phaseDone:
			return nil
		case errors.Is(err, io.EOF):
			return p.end()
		case err != nil:
			return err
		}
	}
	return nil
}

// Package control is the control server in Go: it answers every request the
// same and does as little as a server can, so that what its numbers show is the
// machine and its network stack. It must stay as it is: a change here shifts the
// history of every machine. It is no general HTTP server and measures nothing.
package control

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
)

// Command is the hidden command that runs Serve.
const Command = "__control"

// answer is always the same; frameworks.ControlWorkload expects it.
const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"

// Serve is the control's own process: it listens on the loopback port that args
// name until it is killed. When it returns, something is wrong: the error goes to
// stderr in one line, and the result is the exit status.
func Serve(args []string) int {
	fmt.Fprintln(os.Stderr, "control server:", listen(args))
	return 1
}

func listen(args []string) error {
	if len(args) != 1 {
		return errors.New("its port is missing")
	}
	// One processor, as the servers that it stands beside: otherwise the number
	// of cores would be the largest part of what it shows.
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", args[0]))
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go talk(connection)
	}
}

// most is how long a request may be.
const most = 16 << 10

// talk answers each request of a connection: whatever ends with an empty line.
func talk(connection net.Conn) {
	defer connection.Close()
	buffer, n := make([]byte, most), 0
	for n < len(buffer) {
		more, err := connection.Read(buffer[n:])
		if n += more; err != nil {
			return
		}
		rest, err := answerAll(connection, buffer[:n])
		if err != nil {
			return
		}
		n = copy(buffer, rest)
	}
}

// answerAll answers every whole request in text and returns what is left.
func answerAll(w io.Writer, text []byte) (rest []byte, err error) {
	end := []byte("\r\n\r\n")
	for {
		_, after, whole := bytes.Cut(text, end)
		if !whole {
			return text, nil
		}
		if _, err := io.WriteString(w, answer); err != nil {
			return nil, err
		}
		text = after
	}
}

//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestMain lets the test binary stand in for restbench (it starts itself again
// for engines and guards) and for a server that is to be measured.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "__engine", "__guard", "__control":
			os.Exit(program(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
		case "__server":
			os.Exit(testServer(os.Args[2], os.Args[3:]...))
		}
	}
	os.Exit(m.Run())
}

const testAnswer = "pong"

// testServer answers every request the same until it is killed. Words behind the
// port change that: delay=20ms answers later, delay-in=FILE as late as the file says at
// the moment, wrong-after=20 answers something else from then on, stall=1 sends head
// and body apart, the body when the head has been acknowledged, vary=1 counts in the
// body.
func testServer(port string, words ...string) int {
	delay, right, answered, stall, vary := atomic.Int64{}, int64(math.MaxInt64), atomic.Int64{}, false, false
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "delay":
			err = setDelay(&delay, value)
		case "delay-in":
			err = followDelay(&delay, value)
		case "wrong-after":
			right, err = strconv.ParseInt(value, 10, 64)
		case "stall":
			stall, err = strconv.ParseBool(value)
		case "vary":
			vary, err = strconv.ParseBool(value)
		}
		if err != nil {
			panic(err)
		}
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Duration(delay.Load()))
		w.Header().Set("Content-Type", "text/plain")
		n := answered.Add(1)
		if n > right {
			_, _ = io.WriteString(w, "oops")
			return
		}
		if vary {
			_, _ = fmt.Fprint(w, n)
			return
		}
		if stall {
			w.Header().Set("Content-Length", strconv.Itoa(len(testAnswer)))
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, testAnswer)
	})
	listener, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err == nil {
		err = http.Serve(delaying{listener, stall}, handler)
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// delaying leaves Nagle's algorithm on in the connections that it accepts, where
// it is to.
type delaying struct {
	net.Listener
	on bool
}

func (d delaying) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok && d.on {
		err = tcp.SetNoDelay(false)
	}
	return conn, err
}

func setDelay(delay *atomic.Int64, text string) error {
	d, err := time.ParseDuration(text)
	if err == nil {
		delay.Store(int64(d))
	}
	return err
}

// followDelay reads it again and again; a file that is just being written changes
// nothing.
func followDelay(delay *atomic.Int64, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	go func() {
		for ; ; time.Sleep(20 * time.Millisecond) {
			if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
				_ = setDelay(delay, string(text))
			}
		}
	}()
	return setDelay(delay, string(text))
}

// outcome is what a command left behind.
type outcome struct {
	code     int
	out, err string
}

// restbench runs one command in this process.
func restbench(ctx context.Context, t *testing.T, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	code := execute(ctx, args, streams{strings.NewReader(""), &out, &err})
	return outcome{code, out.String(), err.String()}
}

// isolated gives the test a state folder and a campaign lock of its own, and
// returns the state folder.
func isolated(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("RESTBENCH_CAMPAIGN_LOCK", filepath.Join(dir, "campaign.lock"))
	return filepath.Join(dir, "state")
}

// ownTargets writes a configuration file that measures servers of the test's
// own, and nothing that must be installed.
func ownTargets(t *testing.T, names ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("editions: []\ncontrols: [go]\nprotocol: {name: short, rounds: 2, duration: 200ms, threads: 1, connections: 4}\ntargets:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  - name: %s\n    version: '1'\n    command: [%q, __server, '{port}']\n    expect: {content_type: text/plain, body: %s}\n", name, self, testAnswer)
	}
	return writeFile(t, "restbench.yml", b.String())
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// freePort is one that nobody listens on at the moment.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// eventually asks again and again until what is true or the time is over.
func eventually(t testing.TB, within time.Duration, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still not: %s", within, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func rewrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

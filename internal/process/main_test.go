package process

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

// The test binary also plays the guard, the servers and a whole daemon.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case GuardCommand:
			os.Exit(Guard(os.Args[2:]))
		case faultCommand:
			os.Exit(fault(os.Args[2:]))
		case daemonCommand:
			os.Exit(daemon(os.Args[2:]))
		}
	}
	goleak.VerifyTestMain(m)
}

// patience bounds every wait of these tests; none of them takes that long.
const patience = 30 * time.Second

func newSupervisor(t *testing.T, o Options) *Supervisor {
	t.Helper()
	if o.RunDir == "" {
		o.RunDir = t.TempDir()
	}
	if o.ReadyTimeout == 0 {
		o.ReadyTimeout = patience
	}
	o.Log = zerolog.New(zerolog.NewTestWriter(t))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// faulty is the command of a test server in some mode.
func faulty(mode string, more ...string) bench.Command {
	argv := append([]string{"/proc/self/exe", faultCommand, mode, "{port}"}, more...)
	if exe, err := os.Executable(); err == nil {
		argv[0] = exe
	}
	return bench.Command{Name: "test " + mode, Argv: argv}
}

func start(t *testing.T, s *Supervisor, c bench.Command) *Server {
	t.Helper()
	v, err := s.Start(t.Context(), c, answers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return v
}

// get opens a connection of its own, so that a dead server is never mistaken.
func get(ctx context.Context, address, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %d", response.StatusCode)
	}
	return string(body), err
}

func answers(ctx context.Context, address string) error {
	_, err := get(ctx, address, "/")
	return err
}

// relatives asks the server for the processes that it knows of.
func relatives(t *testing.T, address string) []int {
	t.Helper()
	body, err := get(t.Context(), address, "/")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for field := range strings.FieldsSeq(body) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// deaths holds on to processes, so that their ends can be awaited even when
// somebody else waits for them.
type deaths struct {
	pids []int
	fds  []unix.PollFd
}

func holdOn(t *testing.T, pids ...int) *deaths {
	t.Helper()
	d := &deaths{pids: pids}
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatalf("hold on to pid %d: %v", pid, err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		d.fds = append(d.fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	return d
}

// await fails the test when one of them outlives the limit.
func (d *deaths) await(t *testing.T, limit time.Duration) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for i := range d.fds {
		left := max(0, time.Until(deadline))
		n, err := unix.Poll(d.fds[i:i+1], int(left.Milliseconds()))
		for err == unix.EINTR {
			n, err = unix.Poll(d.fds[i:i+1], int(left.Milliseconds()))
		}
		if err != nil || n == 0 {
			t.Errorf("pid %d lives %s later (%v)", d.pids[i], limit, err)
		}
	}
}

// pids lists the processes of a server's tree and its guard.
func (v *Server) pids() []int {
	pids := []int{v.guard.pid()}
	for _, s := range descendants(snapshot(), v.guard.pid()) {
		pids = append(pids, s.Pid)
	}
	return pids
}

func noneCarries(t *testing.T, cookie string) {
	t.Helper()
	if left := living(carriers(snapshot(), cookie)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func emptyDir(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("left in the run folder: %s", e.Name())
	}
}

func decode[T any](t *testing.T, text []byte) T {
	t.Helper()
	var value T
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&value); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return value
}

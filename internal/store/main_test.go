package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"restbench/internal/bench"
	"restbench/internal/need"
)

// A copy of this test binary plays another process when these are set.
const (
	roleVariable = "RESTBENCH_TEST_ROLE"
	pathVariable = "RESTBENCH_TEST_PATH"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := roles()[role](os.Getenv(pathVariable)); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func roles() map[string]func(path string) error {
	return map[string]func(string) error{
		"record":  recordForEver,
		"few":     recordFew,
		"migrate": migrateForEver,
		"limited": recordUnderLimit,
		"keep":    keepOpen,
	}
}

// recordForEver says how many measurements are stored, after each one.
func recordForEver(path string) error {
	s, err := Open(context.Background(), path)
	if err != nil {
		return err
	}
	id, err := s.Begin(context.Background(), bench.Campaign{State: bench.StateRunning})
	for round := 1; err == nil; round++ {
		err = s.Record(context.Background(), small(id, round))
		fmt.Println(round)
	}
	return err
}

// recordFew writes beside other processes that do the same.
func recordFew(path string) error {
	s, err := Open(context.Background(), path)
	if err != nil {
		return err
	}
	id, err := s.Begin(context.Background(), bench.Campaign{State: bench.StateRunning})
	for round := 1; err == nil && round <= 10; round++ {
		err = s.Record(context.Background(), small(id, round))
	}
	return errors.Join(err, s.Close())
}

// migrateForEver is in the middle of a migration, with half of its changes
// made, when it says so; it is then to be killed.
func migrateForEver(path string) error {
	steps, err := embedded()
	if err != nil {
		return err
	}
	endless := migration{"0003_endless.sql", secondStep + `;
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`}
	fmt.Println("migrating")
	_, err = open(context.Background(), path, append(steps, endless))
	return err
}

// keepOpen has the history open until its standard input ends.
func keepOpen(path string) error {
	s, err := Open(context.Background(), path)
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.Close())
}

// recordUnderLimit writes until files may not grow any more, and again when
// they may.
func recordUnderLimit(path string) error {
	signal.Ignore(unix.SIGXFSZ)
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	w := NewWriter(s, nil)
	id, err := w.Begin(ctx, bench.Campaign{State: bench.StateRunning})
	if err != nil {
		return err
	}
	if err := limitFiles(256 << 10); err != nil {
		return err
	}
	rounds := 0
	for w.Pending() < 20 && rounds < 10_000 {
		rounds++
		if err := w.Record(ctx, small(id, rounds)); err != nil {
			return err
		}
	}
	fmt.Printf("full: %t, errors counted: %t\n", errors.Is(w.LastErr(), ErrFull), w.WriteErrors() > 0)
	if err := limitFiles(unix.RLIM_INFINITY); err != nil {
		return err
	}
	if err := w.Flush(ctx); err != nil {
		return err
	}
	ms, err := s.Measurements(ctx, id)
	fmt.Printf("lost: %d, pending: %d, last error: %v\n", rounds-len(ms), w.Pending(), w.LastErr())
	return errors.Join(err, s.Close())
}

func limitFiles(bytes uint64) error {
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY})
}

// other is a process in one of the roles.
type other struct {
	*exec.Cmd
	lines *bufio.Scanner
	in    io.Closer
}

func start(t *testing.T, role, path string) *other {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	return &other{cmd, bufio.NewScanner(out), in}
}

// line waits for what the process says next, empty at its end.
func (o *other) line() string {
	o.lines.Scan()
	return o.lines.Text()
}

// waitFor passes over what it says until it says this, or ends.
func (o *other) waitFor(line string) {
	for o.lines.Scan() && o.lines.Text() != line {
		continue
	}
}

// rest is all that it says until it ends.
func (o *other) rest() string {
	var all []string
	for o.lines.Scan() {
		all = append(all, o.lines.Text())
	}
	return strings.Join(all, "\n")
}

func (o *other) kill(t *testing.T) {
	t.Helper()
	if err := o.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = o.Wait()
}

// smallDisk is a folder on a file system of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := unix.Mount("restbench", dir, "tmpfs", 0, "size="+size)
	need.That(t, err == nil, fmt.Sprintf("root, to mount a small file system: %v", err))
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

package host

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// holdLock names the lock that a copy of this test binary takes and holds until
// its standard input ends, for tests that need a second process.
const holdLock = "RESTBENCH_TEST_HOLD_LOCK"

func TestMain(m *testing.M) {
	if path := os.Getenv(holdLock); path != "" {
		os.Exit(hold(path))
	}
	os.Exit(m.Run())
}

func hold(path string) int {
	lock, heldBy, err := TryLock(path, fmt.Sprintf("pid %d (other)", os.Getpid()))
	if err != nil || lock == nil {
		fmt.Println("not taken:", heldBy, err)
		return 1
	}
	fmt.Println("taken")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// holder starts a process that holds the lock, and returns when it does.
func holder(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holdLock+"="+path)
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
	said := make([]byte, len("taken"))
	if _, err := io.ReadFull(out, said); err != nil || string(said) != "taken" {
		t.Fatalf("the other process said %q, %v", said, err)
	}
	return cmd
}

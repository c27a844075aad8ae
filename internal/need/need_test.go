package need

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// ended is a test that keeps how it was ended.
type ended struct {
	testing.TB
	how string
}

func (e *ended) Helper() {}

func (e *ended) Skip(args ...any) { e.end("skipped", args) }

func (e *ended) Fatal(args ...any) { e.end("failed", args) }

func (e *ended) end(how string, args []any) {
	e.how = how + ": " + fmt.Sprint(args...)
	runtime.Goexit()
}

// ending is how a test ends that asks; empty when it goes on to its end.
func ending(asks func(testing.TB)) string {
	test, done := &ended{}, make(chan struct{})
	go func() {
		defer close(done)
		asks(test)
	}()
	<-done
	return test.how
}

func TestThat(t *testing.T) {
	asks := func(there bool) func(testing.TB) {
		return func(t testing.TB) { That(t, there, "two processors") }
	}
	for value, want := range map[string]string{"": "skipped: needs two processors", "all": "failed: needs two processors"} {
		t.Setenv("RESTBENCH_TEST_REQUIRE", value)
		if got := ending(asks(false)); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
		if got := ending(asks(true)); got != "" {
			t.Errorf("%q: it is there, but the test %s", value, got)
		}
	}
}

func TestProgram(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("RESTBENCH_TEST_REQUIRE", "all")
	if got := Program(t, "there", "anything"); got != there {
		t.Errorf("got %q, want %s", got, there)
	}
	got := ending(func(t testing.TB) { Program(t, "elsewhere", "somewhere") })
	if want := "failed: needs elsewhere: install the package somewhere"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

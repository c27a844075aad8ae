package frameworks_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"restbench/frameworks"
	"restbench/internal/bench"
)

func TestControlsAreNoFrameworks(t *testing.T) {
	c, err := frameworks.Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Framework("control"); err == nil {
		t.Error("the folder of controls is a framework")
	}
	entries, err := c.Controls()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{bench.ControlWSGI, bench.ControlASGI} {
		e := entries[i]
		if e.Target != bench.ControlTarget(name) || !e.Target.Control() {
			t.Errorf("control %d is %v, want %s", i, e.Target, name)
		}
		files, err := fs.ReadDir(e.Recipe.Files, ".")
		if err != nil || len(files) != 1 || files[0].Name() != name+".py" {
			t.Errorf("%s has the files %v, %v", name, files, err)
		}
		if e.Recipe.Package != "" {
			if err := frameworks.CheckLock(e.Recipe.Lock, e.Recipe.Package); err != nil {
				t.Errorf("lock of %s: %v", name, err)
			}
		}
	}
}

// What `restbench lock control` writes is what the catalogue reads.
func TestControlLock(t *testing.T) {
	lock, err := frameworks.ControlLock("..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(lock.Path)
	if err != nil || !strings.HasPrefix(string(text), lock.Header) {
		t.Errorf("%s does not begin with %q, %v", lock.Path, lock.Header, err)
	}
	for _, name := range lock.Requirements {
		if err := frameworks.CheckLock(text, name); err != nil {
			t.Errorf("%s: %v", lock.Path, err)
		}
	}
	if _, err := frameworks.ControlLock(t.TempDir()); err == nil {
		t.Error("a folder without the source tree was taken for it")
	}
}

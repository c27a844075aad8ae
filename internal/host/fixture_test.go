package host

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// files is a made-up machine: contents by path,
// "-> x" for a symbolic link.
type files map[string]string

// at writes the files; it may be called again for the same folder.
func (f files) at(t *testing.T, dir string) tree {
	t.Helper()
	for name, content := range f {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if to, isLink := strings.CutPrefix(content, "-> "); isLink {
			if err := os.Symlink(to, path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return tree(dir)
}

func (f files) tree(t *testing.T) tree { return f.at(t, t.TempDir()) }

// asNobody runs do without root's rights over files, if the tests are run by
// root: on one thread, that the runtime then throws away.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Getuid() != 0 {
		do()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		_ = unix.Setfsuid(65534)
		_ = unix.Setfsgid(65534)
		do()
	}()
	<-done
}

// openDir is a folder that every user may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // the test's own, above dir
		t.Fatal(err)
	}
	return dir
}

package environment

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// Running an application where it lies must not make another environment of it.
func TestReadFilesLeavesOutCompiled(t *testing.T) {
	files, err := readFiles(fstest.MapFS{
		"app.py":                      {Data: []byte("a")},
		"__pycache__/app.cpython.pyc": {Data: []byte("b")},
		"old.pyc":                     {Data: []byte("c")},
		"templates/page.html":         {Data: []byte("d")},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeFiles(dir, files); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.path))
		if err != nil {
			t.Fatal(err)
		}
		got[f.path] = string(content)
	}
	if diff := cmp.Diff(map[string]string{"app.py": "a", "templates/page.html": "d"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNormalize(t *testing.T) {
	for name, want := range map[string]string{"Flask": "flask", "typing_extensions": "typing-extensions", "zope.interface": "zope-interface", "a-._b": "a-b"} {
		if got := normalize(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

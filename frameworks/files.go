package frameworks

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"restbench/internal/bench"
)

// hidden names belong to tools: .git, __pycache__.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "__pycache__")
}

// checkFlat refuses folders in a framework's folder: of a built-in one they would
// not be embedded, so a user's must not have them either.
func checkFlat(files fs.FS, shown string) error {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return fmt.Errorf("read %s: %w", shown, err)
	}
	for _, entry := range entries {
		switch name := entry.Name(); {
		case hidden(name):
		case isDir(files, entry):
			return fmt.Errorf("%s: a framework's folder is flat, folders in it are not supported", path.Join(shown, name))
		case !strings.Contains(name, "."):
			return fmt.Errorf("%s: files need an extension, others are not taken along", path.Join(shown, name))
		}
	}
	return nil
}

// application is a framework's folder without its manifest and locks: what the
// server needs. A new lock or another expected answer leaves it as it was.
type application struct {
	folder fs.FS
	left   []string // names that are left out
}

func applicationOf(f bench.Framework) fs.FS {
	left := []string{manifestFile}
	for edition := range f.Editions {
		left = append(left, lockFile(edition))
	}
	return application{folder: f.Files, left: left}
}

func (a application) visible(name string) bool {
	return !hidden(name) && !slices.Contains(a.left, name)
}

// Open answers "." with the whole folder, which is what fs.Stat needs; ReadDir
// is what lists it.
func (a application) Open(name string) (fs.File, error) {
	if name != "." && !a.visible(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return a.folder.Open(name)
}

func (a application) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(a.folder, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !a.visible(e.Name()) }), err
}

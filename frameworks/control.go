package frameworks

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"restbench/internal/bench"
)

// controlFolder holds the controls that need an interpreter. It is no framework:
// nothing in it is ranked, listed or chosen.
const controlFolder = "control"

// controlBody is what every control answers.
const controlBody = "Hello, World!"

// ControlWorkload is what every control is asked and answers.
func ControlWorkload() bench.Workload {
	return bench.Workload{
		Request: bench.Request{Path: "/"},
		Expect:  bench.Expect{Status: 200, ContentType: "text/plain", Body: controlBody},
	}
}

// Controls are the controls that run on the interpreter of edition current: a
// bare callable on the standard library's server, and one on the server that
// most of today's frameworks name. They have a lock of their own, which stays
// when the editions move.
func (c *Catalogue) Controls() ([]Entry, error) {
	current, err := c.Edition(bench.EditionCurrent)
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(builtin, controlFolder)
	if err != nil {
		return nil, fmt.Errorf("open the controls: %w", err)
	}
	lock, err := fs.ReadFile(files, asgiLock)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path.Join(controlFolder, asgiLock), err)
	}
	wsgi := controlEntry(bench.ControlWSGI, current, onlyFile{files, "wsgi.py"})
	wsgi.Serving.Server, wsgi.Serving.Argv = "wsgiref", []string{"{python}", "wsgi.py", "{port}"}
	asgi := controlEntry(bench.ControlASGI, current, onlyFile{files, "asgi.py"})
	asgi.Serving.Server, asgi.Serving.Argv = "uvicorn", []string{"{bin}/uvicorn", "asgi:app", "--port", "{port}"}
	asgi.Recipe.Package, asgi.Recipe.Lock = "uvicorn", lock
	return []Entry{wsgi, asgi}, nil
}

const asgiLock = "asgi.txt"

// ControlName stands for the controls where frameworks are named to be locked.
const ControlName = controlFolder

// LockSource is what a lock is made from, and where it goes.
type LockSource struct {
	Path         string
	Header       string
	Requirements []string
	Package      string
}

// ControlLock is the source of the controls' lock, in tree, restbench's source
// tree. It moves with no edition: a control that moves says nothing.
func ControlLock(tree string) (LockSource, error) {
	dir := filepath.Join(tree, "frameworks", controlFolder)
	if _, err := os.Stat(filepath.Join(dir, asgiLock)); err != nil {
		return LockSource{}, fmt.Errorf("the controls are built in and %s is not restbench's source tree: run this where its frameworks folder is", tree)
	}
	return LockSource{
		Path: filepath.Join(dir, asgiLock), Package: "uvicorn",
		Header: "# What the control asgi runs on: uvicorn with uvloop and httptools, as edition current serves fastapi.\n" +
			"# It changes seldom: a control that moves says nothing. Renewed with: restbench lock " + ControlName + "\n",
		Requirements: []string{"uvicorn", "uvloop", "httptools"},
	}, nil
}

func controlEntry(name string, e bench.Edition, files fs.FS) Entry {
	target := bench.ControlTarget(name)
	return Entry{
		Target: target, Workload: ControlWorkload(),
		Recipe: bench.Recipe{Name: target.String(), Python: e.Python, Lock: []byte{}, Files: files},
	}
}

// onlyFile shows one file of a folder, so that a change of one control leaves
// the environment of the other as it is.
type onlyFile struct {
	folder fs.FS
	name   string
}

// Open answers "." with the whole folder, which is what fs.Stat needs.
func (o onlyFile) Open(name string) (fs.File, error) {
	if name != "." && name != o.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return o.folder.Open(name)
}

// ReadDir lists the one file.
func (o onlyFile) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.folder, name)
	var kept []fs.DirEntry
	for _, e := range entries {
		if e.Name() == o.name {
			kept = append(kept, e)
		}
	}
	return kept, err
}

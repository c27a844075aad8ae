package environment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"restbench/internal/bench"
)

// errIncomplete says that an environment has to be made (again).
var errIncomplete = errors.New("environment is not complete")

// layout is part of every key: raise it when the way of installing changes.
const layout = 1

// markerName is the file that makes an environment whole. It is written last.
const markerName = "environment.json"

// place is where an environment is, or will be.
type place struct {
	dir    string
	python interpreter
	files  []file
}

// marker is what is known of a complete environment. Dir is where it was made:
// console scripts hold that path, so a folder that was moved is made again.
type marker struct {
	Layout   int               `json:"layout"`
	Dir      string            `json:"dir"`
	Recipe   string            `json:"recipe"` // of who made it, for people
	Version  string            `json:"version"`
	Python   string            `json:"python_version"`
	Packages map[string]string `json:"packages"`
	Made     time.Time         `json:"made"`
}

func (m *Manager) place(r bench.Recipe, python interpreter, files []file) place {
	name := normalize(r.Package) + "-" + key(r, python, files)
	return place{dir: filepath.Join(m.environments(), name), python: python, files: files}
}

func (m *Manager) environments() string { return filepath.Join(m.options.Dir, "environments") }

// key identifies what an environment holds. The recipe's name is not part of
// it: the same content is installed once. Every part is written with its
// length, so that no two recipes run together into the same text.
func key(r bench.Recipe, python interpreter, files []file) string {
	hash := sha256.New()
	add := func(parts ...string) {
		for _, part := range parts {
			fmt.Fprintf(hash, "%d:%s,", len(part), part)
		}
	}
	add(fmt.Sprint(layout), runtime.GOARCH, normalize(r.Package), string(r.Lock), buildLock)
	add(python.Path, python.Version)
	if len(r.Direct) > 0 { // what has none keeps the key that it had before there were any
		add("direct", string(r.Direct))
	}
	for _, f := range files {
		add(f.path, string(f.content))
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

func (p place) app() string    { return filepath.Join(p.dir, "app") }
func (p place) venv() string   { return filepath.Join(p.dir, "venv") }
func (p place) binary() string { return filepath.Join(p.venv(), "bin", "python") }

// load returns the environment if it is whole, else errIncomplete. Its marker
// carries the time of its last use, for Unused.
func (p place) load() (bench.Environment, error) {
	path := filepath.Join(p.dir, markerName)
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return bench.Environment{}, errIncomplete
	}
	if err != nil {
		return bench.Environment{}, err
	}
	var m marker
	if json.Unmarshal(content, &m) != nil || m.Layout != layout || m.Dir != p.dir || !executable(p.binary()) {
		return bench.Environment{}, errIncomplete
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // a read-only folder still works
	return bench.Environment{
		App: p.app(), Bin: filepath.Dir(p.binary()), Python: p.binary(),
		Version: m.Version, PythonVersion: m.Python, Packages: m.Packages,
	}, nil
}

// finish writes the marker after everything else has reached the disk.
func (p place) finish(m marker) error {
	m.Layout, m.Dir, m.Made = layout, p.dir, time.Now().UTC().Truncate(time.Second)
	content, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := syncAll(p.dir); err != nil {
		return fmt.Errorf("sync %s: %w", p.dir, err)
	}
	return writeFile(filepath.Join(p.dir, markerName), append(content, '\n'))
}

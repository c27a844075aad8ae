// Package frameworks is the catalogue: one folder a framework, holding its
// example application, a manifest (framework.yaml) and one lock file an edition.
// A folder is all there is to a framework; no list and no code names it. The
// package reads and checks folders and says how a server is started; it installs,
// runs and measures nothing.
package frameworks

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"restbench/internal/bench"
)

// Names of the files that mean something.
const (
	manifestFile = "framework.yaml"
	editionsFile = "editions.yaml"
)

// The pattern takes every folder beside this file. It asks for a dot in the
// names inside, so that __pycache__ stays out.
//
//go:embed editions.yaml */*.*
var builtin embed.FS

// Catalogue is every framework and edition there is.
type Catalogue struct {
	Frameworks []bench.Framework // by name
	Editions   []bench.Edition   // built-in ones first, as they stand in editions.yaml

	dirs map[string]string // framework to the folder given by the user that holds its folder
}

// source is a folder of framework folders.
type source struct {
	files fs.FS
	shown string // how errors name the folder
	dir   string // its path; empty for the built-in one
}

// Load reads the built-in catalogue and the folders inside each of extraDirs,
// which are laid out in the same way; an extra folder may bring an editions.yaml
// with further editions. A name that is there twice is an error.
func Load(extraDirs ...string) (*Catalogue, error) {
	sources := []source{{files: builtin, shown: "frameworks"}}
	for _, dir := range extraDirs {
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", dir, err)
		}
		if _, err := os.ReadDir(absolute); err != nil {
			return nil, fmt.Errorf("read the folder of frameworks: %w", err)
		}
		sources = append(sources, source{files: os.DirFS(absolute), shown: filepath.Clean(dir), dir: absolute})
	}
	return load(sources)
}

func load(sources []source) (*Catalogue, error) {
	c := &Catalogue{dirs: map[string]string{}}
	for _, s := range sources {
		if err := c.addEditions(s); err != nil {
			return nil, err
		}
	}
	for _, s := range sources {
		if err := c.addFrameworks(s); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(c.Frameworks, func(a, b bench.Framework) int { return strings.Compare(a.Name, b.Name) })
	return c, nil
}

func (c *Catalogue) addEditions(s source) error {
	text, err := fs.ReadFile(s.files, editionsFile)
	if errors.Is(err, fs.ErrNotExist) && s.dir != "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read editions: %w", err)
	}
	editions, err := parseEditions(document{shown: path.Join(s.shown, editionsFile), text: text}, c.Editions)
	if err != nil {
		return err
	}
	c.Editions = append(c.Editions, editions...)
	return nil
}

func (c *Catalogue) addFrameworks(s source) error {
	folders, err := fs.ReadDir(s.files, ".")
	if err != nil {
		return fmt.Errorf("read the folder of frameworks %s: %w", s.shown, err)
	}
	for _, folder := range folders {
		if !isDir(s.files, folder) || hidden(folder.Name()) || s.dir == "" && folder.Name() == controlFolder {
			continue
		}
		f, err := c.readFramework(s, folder.Name())
		if err != nil {
			return err
		}
		if other, ok := find(c.Frameworks, f.Name); ok {
			return fmt.Errorf("%s: the framework %q is already in %s; give it another name",
				path.Join(s.shown, f.Name), f.Name, c.shownDir(other.Name))
		}
		c.Frameworks = append(c.Frameworks, f)
		c.dirs[f.Name] = s.dir
	}
	return nil
}

// isDir follows symbolic links: a user may link a folder into place.
func isDir(files fs.FS, entry fs.DirEntry) bool {
	info, err := fs.Stat(files, entry.Name())
	return err == nil && info.IsDir()
}

func (c *Catalogue) shownDir(name string) string {
	if dir := c.dirs[name]; dir != "" {
		return dir
	}
	return "the built-in catalogue"
}

func (c *Catalogue) readFramework(s source, folder string) (bench.Framework, error) {
	shown := path.Join(s.shown, folder)
	files, err := fs.Sub(s.files, folder)
	if err != nil {
		return bench.Framework{}, fmt.Errorf("open %s: %w", shown, err)
	}
	text, err := fs.ReadFile(files, manifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return bench.Framework{}, fmt.Errorf("%s: %s is missing", shown, manifestFile)
	}
	if err != nil {
		return bench.Framework{}, fmt.Errorf("read %s: %w", path.Join(shown, manifestFile), err)
	}
	f, err := parseManifest(document{shown: path.Join(shown, manifestFile), text: text}, folder, c.Editions)
	if err != nil {
		return bench.Framework{}, err
	}
	f.Files = files
	if err := checkFlat(files, shown); err != nil {
		return bench.Framework{}, err
	}
	f.Locks, err = readLocks(f, shown)
	return f, err
}

func find(frameworks []bench.Framework, name string) (bench.Framework, bool) {
	i := slices.IndexFunc(frameworks, func(f bench.Framework) bool { return f.Name == name })
	if i < 0 {
		return bench.Framework{}, false
	}
	return frameworks[i], true
}

// Framework finds one by name. The error lists what there is.
func (c *Catalogue) Framework(name string) (bench.Framework, error) {
	if f, ok := find(c.Frameworks, name); ok {
		return f, nil
	}
	names := make([]string, len(c.Frameworks))
	for i, f := range c.Frameworks {
		names[i] = f.Name
	}
	return bench.Framework{}, unknown("framework", name, names)
}

// Edition finds one by name. The error lists what there is.
func (c *Catalogue) Edition(name string) (bench.Edition, error) {
	names := make([]string, len(c.Editions))
	for i, e := range c.Editions {
		if e.Name == name {
			return e, nil
		}
		names[i] = e.Name
	}
	return bench.Edition{}, unknown("edition", name, names)
}

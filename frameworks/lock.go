package frameworks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"restbench/internal/bench"
)

func lockFile(edition string) string { return edition + ".txt" }

// readLocks reads the lock of each edition. A lock may be missing: a new
// framework has none until `restbench lock` has made it.
func readLocks(f bench.Framework, shown string) (map[string][]byte, error) {
	locks := map[string][]byte{}
	for edition := range f.Editions {
		file := path.Join(shown, lockFile(edition))
		text, err := fs.ReadFile(f.Files, lockFile(edition))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		if err := CheckLock(text, f.Package); err != nil {
			return nil, fmt.Errorf("%s:%w", file, err)
		}
		locks[edition] = text
	}
	return locks, nil
}

// pin is one line of a lock: a package at a release, where marker holds.
type pin struct{ name, version, marker string }

// CheckLock says why a text is not a lock of a package: each requirement must be
// one release with hashes, and nothing may name a machine or an index. The error
// begins with the line's number.
func CheckLock(text []byte, name string) error {
	found, hashes, last := false, 1, 0
	for i, line := range strings.Split(string(text), "\n") {
		switch line = strings.TrimSpace(line); {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "--hash=sha256:"):
			hashes++
		default:
			p, ok := parsePin(line)
			if !ok {
				return fmt.Errorf("%d: %q is not a release (package==version)", i+1, line)
			}
			if hashes == 0 {
				return fmt.Errorf("%d: has no hash", last)
			}
			found = found || p.name == normal(name)
			hashes, last = 0, i+1
		}
	}
	switch {
	case hashes == 0:
		return fmt.Errorf("%d: has no hash", last)
	case !found:
		return fmt.Errorf("1: %s is not in it", name)
	}
	return nil
}

func parsePin(line string) (pin, bool) {
	m := regexp.MustCompile(`^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)\s*(?:;\s*([^\\]*?))?\s*\\?$`).FindStringSubmatch(line)
	if m == nil {
		return pin{}, false
	}
	return pin{name: normal(m[1]), version: m[2], marker: m[3]}, true
}

// normal is a package's name as the index compares it.
func normal(name string) string {
	return strings.ToLower(regexp.MustCompile(`[-_.]+`).ReplaceAllString(name, "-"))
}

// LockedVersion is the release of a package in a lock, on Linux and the given
// Python ("3.13"). It is empty when the lock does not hold it.
func LockedVersion(lock []byte, name, python string) string {
	for line := range strings.Lines(string(lock)) {
		if strings.HasPrefix(strings.TrimSpace(line), "--") {
			continue // a hash: most lines are
		}
		p, ok := parsePin(strings.TrimSpace(line))
		if ok && p.name == normal(name) && holds(p.marker, python) {
			return p.version
		}
	}
	return ""
}

// holds evaluates a marker as far as resolvers write them for releases that
// differ between Pythons or systems; a clause that it does not know holds.
func holds(marker, python string) bool {
	for alternative := range strings.SplitSeq(marker, " or ") {
		all := true
		for clause := range strings.SplitSeq(alternative, " and ") {
			all = all && clauseHolds(strings.Trim(clause, " ()"), python)
		}
		if all {
			return true
		}
	}
	return false
}

func clauseHolds(clause, python string) bool {
	m := regexp.MustCompile(`^(\w+)\s*(<=|>=|==|!=|<|>)\s*['"]([^'"]*)['"]$`).FindStringSubmatch(clause)
	if m == nil {
		return true
	}
	order := 0
	switch variable, value := m[1], m[3]; variable {
	case "python_full_version", "python_version":
		order = bench.CompareVersions(python, value)
	case "sys_platform":
		order = strings.Compare("linux", value)
	case "implementation_name":
		order = strings.Compare("cpython", value)
	case "platform_python_implementation":
		order = strings.Compare("CPython", value)
	default:
		return true
	}
	return map[string]bool{
		"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0, "==": order == 0, "!=": order != 0,
	}[m[2]]
}

// LockPath is the file that a new lock is to be written to: in the folder that
// the user gave, or, for a built-in framework, in tree, restbench's source tree
// (usually the working directory).
func (c *Catalogue) LockPath(framework, edition, tree string) (string, error) {
	f, err := c.Framework(framework)
	if err != nil {
		return "", err
	}
	if _, ok := f.Editions[edition]; !ok {
		return "", noEdition(f, edition)
	}
	dir := c.dirs[framework]
	if dir == "" {
		dir = filepath.Join(tree, "frameworks")
		if _, err := os.Stat(filepath.Join(dir, framework, manifestFile)); err != nil {
			return "", fmt.Errorf("%s is built in and %s is not restbench's source tree: run this where its frameworks folder is", framework, tree)
		}
	}
	return filepath.Join(dir, framework, lockFile(edition)), nil
}

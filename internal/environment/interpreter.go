package environment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"restbench/internal/bench"
)

// interpreter is a Python that answered.
type interpreter struct {
	Path    string `json:"path"`    // of the real executable, links and shims resolved
	Version string `json:"version"` // "3.13.0"
	Usual   bool   `json:"usual"`   // a released CPython with its global lock: what a framework's users run
}

// choice is the interpreter for a wish.
type choice struct {
	interpreter
	wanted  string
	instead string // why it is not the wanted one and may be so later; empty where it is, or where the user named it
	stamp   string // of its file
}

// holds is so as long as the file is the same: an interpreter may be replaced by a
// newer release, or removed. One that was taken for want of another is looked for
// again like one that is missing.
func (c choice) holds(age time.Duration) bool {
	return c.stamp == stampOf(c.Path) && (c.instead == "" || age < refusalLasts)
}

// marks tells when it is another one than wanted.
func (c choice) marks() []bench.Mark {
	if matches(c.Version, c.wanted) {
		return nil
	}
	return []bench.Mark{{
		Kind: bench.MarkNote, Reason: bench.ReasonOtherPython,
		Detail: fmt.Sprintf("Python %s instead of %s", c.Version, c.wanted),
	}}
}

// choose looks for an interpreter: one that the user named, the wanted version
// on PATH or among those that uv manages, the wanted version by download, and at
// last the newest that the wish accepts.
func (m *Manager) choose(ctx context.Context, wish bench.PythonWish, report func(string)) (choice, error) {
	defer m.memory.save()
	found, instead, err := m.find(ctx, wish, report)
	if err != nil {
		return choice{}, err
	}
	return choice{found, wish.Version, instead, stampOf(found.Path)}, nil
}

// find is choose; instead says why what it found is not what was wanted.
func (m *Manager) find(ctx context.Context, wish bench.PythonWish, report func(string)) (_ interpreter, instead string, err error) {
	named, err := m.named(ctx)
	if err != nil {
		return interpreter{}, "", err
	}
	if found, ok := pick(named, wish); ok {
		return found, "", nil
	}
	known, ok := m.wanted(ctx, wish)
	if ok {
		return known[0], "", nil
	}
	fallback, accepted := newest(known, wish.AtLeast)
	found, err := m.download(ctx, wish.Version, accepted, report)
	switch {
	case err == nil:
		return found, "", nil
	case accepted && ctx.Err() == nil:
		return fallback, err.Error(), nil
	}
	return interpreter{}, "", m.missing(ctx, wish, err)
}

// missing says in one line what is needed and how to get it.
func (m *Manager) missing(ctx context.Context, wish bench.PythonWish, cause error) error {
	what := "Python " + wish.Version
	if wish.AtLeast != "" {
		what += " (or any from " + wish.AtLeast + " on)"
	}
	uv, err := m.findUV(ctx, func(string) {})
	if err != nil || slices.Contains(m.env.path(), filepath.Dir(uv)) {
		uv = "uv" // restbench's own is not on the user's PATH
	}
	return fmt.Errorf("%s is needed and not on this machine (download: %w); get it with `%s python install %s`, or name one with --python=PATH or under `pythons:` in the file",
		what, cause, uv, wish.Version)
}

// named asks those that the user named. One that does not answer is an error:
// passing it over would hide a mistake.
func (m *Manager) named(ctx context.Context) ([]interpreter, error) {
	var found []interpreter
	for _, name := range m.options.Pythons {
		path, err := m.env.lookPath(name)
		if err != nil {
			return nil, fmt.Errorf("named Python %s: %w", name, err)
		}
		python, err := m.ask(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("named Python %s: %w", name, err)
		}
		found = append(found, python)
	}
	return found, nil
}

// wanted returns the interpreter of the wanted version alone and true, or all
// usual ones and false. Executables that carry the version in their name are
// asked first and one after another: on most machines one question is enough.
func (m *Manager) wanted(ctx context.Context, wish bench.PythonWish) ([]interpreter, bool) {
	first, rest := m.candidates(wish.Version)
	fits := func(python interpreter) bool { return matches(python.Version, wish.Version) }
	for _, path := range first {
		if found := m.askAll(ctx, []string{path}); slices.ContainsFunc(found, fits) {
			return found, true
		}
	}
	all := m.askAll(ctx, append(rest, first...))
	if i := slices.IndexFunc(all, fits); i >= 0 {
		return all[i : i+1], true
	}
	return all, false
}

// maxCandidates bounds how many executables are asked.
const maxCandidates = 64

// candidates lists executables on PATH, and those that uv manages, in the order
// in which they are preferred: those named after the version apart.
func (m *Manager) candidates(version string) (first, rest []string) {
	name := regexp.MustCompile(`^python(3(\.\d+)?)?$`)
	var paths []string
	for _, dir := range m.env.path() {
		entries, _ := os.ReadDir(dir) // what cannot be read has nothing to offer
		for _, entry := range entries {
			path := filepath.Join(dir, entry.Name())
			if name.MatchString(entry.Name()) && executable(path) {
				paths = append(paths, path)
			}
		}
	}
	paths = append(paths, m.managed()...)
	for _, path := range paths {
		switch {
		case len(first)+len(rest) == maxCandidates:
			return first, rest
		case filepath.Base(path) == "python"+minor(version):
			first = append(first, path)
		default:
			rest = append(rest, path)
		}
	}
	return first, rest
}

// askAll asks several at once, a few at a time, and keeps the order of those
// that suit. Those
// that do not answer are passed over: a version manager puts a shim on PATH for
// every version it has, and most of them stand idle.
func (m *Manager) askAll(ctx context.Context, paths []string) []interpreter {
	answers := make([]*interpreter, len(paths))
	slots := make(chan struct{}, 4)
	var group sync.WaitGroup
	for i, path := range paths {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			python, err := m.ask(ctx, path)
			if err != nil {
				m.options.Log.Debug().Str("path", path).Err(err).Msg("Python passed over")
				return
			}
			answers[i] = &python
		})
	}
	group.Wait()
	var found []interpreter
	for _, python := range answers {
		if python != nil && python.Usual && !slices.Contains(found, *python) {
			found = append(found, *python)
		}
	}
	return found
}

// pick takes the wanted version, else the newest that is accepted.
func pick(from []interpreter, wish bench.PythonWish) (interpreter, bool) {
	for _, python := range from {
		if matches(python.Version, wish.Version) {
			return python, true
		}
	}
	return newest(from, wish.AtLeast)
}

// newest takes the first of the newest; nothing is accepted without atLeast.
func newest(from []interpreter, atLeast string) (best interpreter, ok bool) {
	if atLeast == "" {
		return interpreter{}, false
	}
	for _, python := range from {
		if bench.CompareVersions(python.Version, atLeast) >= 0 && (!ok || bench.CompareVersions(python.Version, best.Version) > 0) {
			best, ok = python, true
		}
	}
	return best, ok
}

// matches reports whether a release is one of the wanted version: 3.13.0 is one
// of 3.13, 3.1.0 is not.
func matches(release, version string) bool {
	return strings.HasPrefix(release+".", version+".")
}

// minor shortens a version to two numbers, as executables are named.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

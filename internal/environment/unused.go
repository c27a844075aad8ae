package environment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"restbench/internal/bench"
)

// Unused lists the folders of environments that are none of keep and that
// nobody has asked for since before.
func (m *Manager) Unused(before time.Time, keep ...bench.Environment) ([]string, error) {
	entries, err := os.ReadDir(m.environments())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list environments: %w", err)
	}
	var unused []string
	for _, entry := range entries {
		dir := filepath.Join(m.environments(), entry.Name())
		kept := slices.ContainsFunc(keep, func(e bench.Environment) bool { return filepath.Dir(e.App) == dir })
		if entry.IsDir() && !kept && lastUse(dir).Before(before) {
			unused = append(unused, dir)
		}
	}
	return unused, nil
}

// Prune removes what Unused lists, except what is being made right now.
func (m *Manager) Prune(before time.Time, keep ...bench.Environment) (removed []string, err error) {
	unused, err := m.Unused(before, keep...)
	for _, dir := range unused {
		ok, failure := remove(dir)
		err = errors.Join(err, failure)
		if ok {
			removed = append(removed, dir)
		}
	}
	return removed, err
}

// remove takes the marker first, so that what is left of a removal that was cut
// off is never taken for whole.
func remove(dir string) (bool, error) {
	lock := flock.New(dir + ".lock")
	held, err := lock.TryLock()
	if err != nil || !held {
		return false, err
	}
	defer func() { _ = lock.Close() }()
	if err := os.Remove(filepath.Join(dir, markerName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	return true, os.RemoveAll(dir)
}

// lastUse is when an environment was asked for, or when an incomplete one was
// last written to.
func lastUse(dir string) time.Time {
	for _, name := range []string{filepath.Join(dir, markerName), dir} {
		if info, err := os.Stat(name); err == nil {
			return info.ModTime()
		}
	}
	return time.Time{}
}

package environment

import (
	"context"

	"restbench/internal/bench"
)

// Look says which interpreter a wish would get from what is on this machine: the
// release, or "" where there is none. It downloads nothing.
func (m *Manager) Look(ctx context.Context, wish bench.PythonWish) (string, error) {
	defer m.memory.save()
	named, err := m.named(ctx)
	if err != nil {
		return "", err
	}
	if found, ok := pick(named, wish); ok {
		return found.Version, nil
	}
	known, ok := m.wanted(ctx, wish)
	if ok {
		return known[0].Version, nil
	}
	if fallback, accepted := newest(known, wish.AtLeast); accepted {
		return fallback.Version, nil
	}
	return "", nil
}

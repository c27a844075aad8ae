package environment

import (
	"context"
	"errors"
	"sync"
	"time"
)

// refusalLasts is how long an error is remembered: long enough for all targets
// of a campaign, short enough for a daemon that started before its network.
const refusalLasts = 10 * time.Minute

// memo remembers what an expensive question was answered, errors included: a
// download that did not work is not tried for each of eleven frameworks. An
// answer that was cut off by its context is asked for again, and one that no longer
// holds.
type memo[K comparable, V lasting] struct {
	mu      sync.Mutex
	entries map[K]*entry[V]
}

// lasting is an answer that knows how long it holds.
type lasting interface{ holds(age time.Duration) bool }

type entry[V lasting] struct {
	asking chan struct{} // holds one token: who has it may ask
	asked  time.Time     // zero: not answered yet
	value  V
	err    error
}

// get asks at most once at a time for a key; others wait for that answer. ask is told
// the answer before, zero where there is none.
func (m *memo[K, V]) get(ctx context.Context, key K, ask func(before V) (V, error)) (V, error) {
	e := m.entry(key)
	select {
	case e.asking <- struct{}{}:
		defer func() { <-e.asking }()
	case <-ctx.Done():
		var zero V
		return zero, ctx.Err()
	}
	if !e.holds() {
		e.value, e.err = ask(e.value)
		e.asked = time.Now()
		if ctx.Err() != nil || errors.Is(e.err, context.Canceled) {
			e.asked = time.Time{}
		}
	}
	return e.value, e.err
}

func (e *entry[V]) holds() bool {
	age := time.Since(e.asked)
	return !e.asked.IsZero() && (e.err == nil && e.value.holds(age) || e.err != nil && age < refusalLasts)
}

func (m *memo[K, V]) entry(key K) *entry[V] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries == nil {
		m.entries = map[K]*entry[V]{}
	}
	if m.entries[key] == nil {
		m.entries[key] = &entry[V]{asking: make(chan struct{}, 1)}
	}
	return m.entries[key]
}

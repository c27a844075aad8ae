//go:build linux && (amd64 || arm64)

package load

import (
	"testing"
	"time"
)

// What is overdue is done now: epoll takes a negative pause for "for ever".
func TestLoopPause(t *testing.T) {
	for _, c := range []struct {
		now, due, end time.Duration
		want          int
	}{
		{now: 0, due: 100 * time.Millisecond, end: time.Second, want: 100},
		{now: 950 * time.Millisecond, due: time.Second, end: 990 * time.Millisecond, want: 40},
		{now: 0, due: time.Microsecond, end: time.Second, want: 1},
		{now: time.Second, due: 0, end: 2 * time.Second, want: 0},
		{now: 3 * time.Second, due: 4 * time.Second, end: 2 * time.Second, want: 0},
	} {
		l := loop{now: c.now, due: c.due, end: c.end}
		if got := l.pause(); got != c.want {
			t.Errorf("at %s, due %s, end %s: %d ms, want %d", c.now, c.due, c.end, got, c.want)
		}
	}
}

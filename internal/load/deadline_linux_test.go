//go:build linux && (amd64 || arm64)

package load

import (
	"net"
	"testing"
	"time"
)

// A loop that comes too late to its own deadline finds a whole, right answer. It
// came too late to count, and is no error.
func TestAnswerReadAfterTheDeadlineDoesNotCount(t *testing.T) {
	for name, late := range map[string]time.Duration{"in time": 0, "late": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			written := make(chan struct{}, 10)
			plan := planFor(serve(t, func(c net.Conn, n int64) bool {
				more := text(goodAnswer, true)(c, n)
				written <- struct{}{}
				return more
			}).address, hello)
			plan.Duration, plan.Timeout = time.Hour, 3*time.Hour
			l, err := newLoop(plan, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer l.close()
			l.start = time.Now()
			l.open(&l.conns[0])
			<-written // on loopback it can be read at once
			l.start = l.start.Add(-late)
			l.turn()
			want := int64(1)
			if late > 0 {
				want = 0
			}
			if l.count.requests != want || len(l.count.errors) != 0 {
				t.Errorf("%d requests, errors %v, want %d", l.count.requests, l.count.errors, want)
			}
		})
	}
}

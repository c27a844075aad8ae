package environment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file of any size, to which a link may lead, holds nothing up longer than is allowed,
// and is never in memory as a whole.
func TestContentOfALargeFileCanBeInterrupted(t *testing.T) {
	dir := t.TempDir()
	large, err := os.Create(filepath.Join(dir, "large"))
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if err := large.Truncate(4 << 30); err != nil {
		t.Fatal(err)
	}
	limit := errors.New("the limit")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, limit)
	defer cancel()
	if _, err := content(ctx, dir); !errors.Is(err, limit) {
		t.Errorf("err %v, want %v", err, limit)
	}
}

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// FreeBytes is how much this user may still write to the filesystem of path. Of
// a path that does not exist yet, its nearest existing parent counts.
func FreeBytes(path string) (uint64, error) {
	at, err := filepath.Abs(path)
	if err != nil {
		return 0, fmt.Errorf("free space of %s: %w", path, err)
	}
	var stat unix.Statfs_t
	err = unix.Statfs(at, &stat)
	for errors.Is(err, fs.ErrNotExist) && at != "/" {
		at = filepath.Dir(at)
		err = unix.Statfs(at, &stat)
	}
	if err != nil {
		return 0, fmt.Errorf("free space of %s: %w", path, err)
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}

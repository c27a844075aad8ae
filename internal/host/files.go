package host

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// tree is a root folder under which proc, sys and etc are found: "/" on a real
// machine, a fixture in tests.
type tree string

const machine tree = "/"

func (t tree) path(name string) string { return filepath.Join(string(t), name) }

// text is a file's content without the space around it, empty where there is no
// such file.
func (t tree) text(name string) string {
	content, err := os.ReadFile(t.path(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

func (t tree) exists(name string) bool {
	_, err := os.Lstat(t.path(name))
	return err == nil
}

// number is the integer in a file; false where there is none.
func (t tree) number(name string) (int64, bool) {
	n, err := strconv.ParseInt(t.text(name), 10, 64)
	return n, err == nil
}

// cgroup returns the named file of this process's control group and of all its
// parents that can be seen, for whichever version of control groups the
// controller is under: name2 in version 2, name1 in version 1. In a container
// the path may be the host's; then only the top is found, which is the
// container's own.
func (t tree) cgroup(controller, name2, name1 string) []string {
	var found []string
	for line := range strings.SplitSeq(t.text("proc/self/cgroup"), "\n") {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) != 3 {
			continue
		}
		var tops []string
		name := name1
		if fields[1] == "" {
			tops, name = []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"}, name2
		} else if slices.Contains(strings.Split(fields[1], ","), controller) {
			tops = []string{"sys/fs/cgroup/" + fields[1], "sys/fs/cgroup/" + controller}
		}
		for _, top := range tops {
			found = append(found, t.upwards(top, fields[2], name)...)
		}
	}
	return found
}

func (t tree) upwards(top, group, name string) []string {
	var found []string
	for at := filepath.Clean("/" + group); ; at = filepath.Dir(at) {
		if content := t.text(filepath.Join(top, at, name)); content != "" {
			found = append(found, content)
		}
		if at == "/" {
			return found
		}
	}
}

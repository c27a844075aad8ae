package process

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat. The kernel fixes it for programs,
// whatever its own timer does.
const tick = time.Second / 100

// cookieName is the variable that marks a server and all that it starts.
const cookieName = "RESTBENCH_COOKIE"

// identity names a process unmistakably: a process id alone is used again.
type identity struct {
	Pid     int    `json:"pid"`
	Started uint64 `json:"started"` // ticks after boot
}

// alive reports whether that very process, and no later one, still runs.
func (i identity) alive() bool {
	s, err := readStat(i.Pid)
	return err == nil && s.Started == i.Started && s.alive()
}

// stat is what /proc/PID/stat says.
type stat struct {
	identity
	name    string
	state   byte
	parent  int
	group   int
	threads int
	cpu     time.Duration // its own
	waited  time.Duration // of the children that it has waited for, and theirs
}

// alive is false for a zombie. One whose first thread alone has ended is none.
func (s stat) alive() bool { return s.threads > 1 || (s.state != 'Z' && s.state != 'X') }

func (s stat) String() string { return fmt.Sprintf("pid %d (%s)", s.Pid, s.name) }

func procPath(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return stat{}, fmt.Errorf("read the state of pid %d: %w", pid, err)
	}
	return parseStat(text)
}

// parseStat reads "PID (NAME) STATE PARENT ...". The name may hold anything,
// spaces and brackets included.
func parseStat(text []byte) (stat, error) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 1 || end < open {
		return stat{}, fmt.Errorf("parse the state of a process: no name in %q", text)
	}
	fields := strings.Fields(string(text[end+1:]))
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("parse the state of a process: %d fields in %q", len(fields), text)
	}
	number := func(manual int) uint64 { // counted as in proc(5), where STATE is 3
		n, _ := strconv.ParseUint(fields[manual-3], 10, 64)
		return n
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:open])))
	return stat{
		identity: identity{Pid: pid, Started: number(22)},
		name:     string(text[open+1 : end]),
		state:    fields[0][0],
		parent:   int(number(4)),
		group:    int(number(5)),
		threads:  int(number(20)),
		cpu:      time.Duration(number(14)+number(15)) * tick,
		waited:   time.Duration(number(16)+number(17)) * tick,
	}, err
}

// snapshot lists the processes there are. Those that end meanwhile are missing.
func snapshot() []stat {
	var all []stat
	for _, pid := range numbers("/proc") {
		if s, err := readStat(pid); err == nil {
			all = append(all, s)
		}
	}
	return all
}

// numbers lists the entries of a folder that are numbers: processes, threads,
// descriptors. It is empty where the folder cannot be read.
func numbers(dir string) []int {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	list := make([]int, 0, len(names))
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// descendants lists the children of root, theirs, and so on, without root.
func descendants(all []stat, root int) []stat {
	children := make(map[int][]stat, len(all))
	for _, s := range all {
		children[s.parent] = append(children[s.parent], s)
	}
	list := slices.Clone(children[root])
	for i := 0; i < len(list); i++ {
		list = append(list, children[list[i].Pid]...)
	}
	return list
}

// carriers lists the processes that carry the cookie and all below them, never
// this process.
func carriers(all []stat, cookie string) []stat {
	found := make(map[int]stat)
	for _, s := range all {
		if !carries(s.Pid, cookie) {
			continue
		}
		found[s.Pid] = s
		for _, below := range descendants(all, s.Pid) {
			found[below.Pid] = below
		}
	}
	delete(found, os.Getpid())
	list := make([]stat, 0, len(found))
	for _, s := range found {
		list = append(list, s)
	}
	return list
}

// carries reports whether the process was started with the cookie. A zombie has
// no environment any more.
func carries(pid int, cookie string) bool {
	environ, err := os.ReadFile(procPath(pid, "environ"))
	if err != nil {
		return false
	}
	return slices.Contains(strings.Split(string(environ), "\x00"), cookieName+"="+cookie)
}

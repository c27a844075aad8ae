package host

import (
	"bufio"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

// Describe names the machine. It holds nothing that changes from minute to
// minute, so that equal machines are equal values. version is restbench's own.
func Describe(version string) bench.Machine {
	m := describe(machine, len(AllowedCPUs()))
	m.Host, _ = os.Hostname()
	m.Kernel, m.Arch, m.Restbench = kernel(), runtime.GOARCH, version
	return m
}

func describe(t tree, allowed int) bench.Machine {
	info := t.cpuinfo()
	return bench.Machine{
		CPU:       info.model(),
		Cores:     usable(allowed, t.cpuQuota()),
		Memory:    t.memory(),
		System:    t.system(),
		Container: t.container(),
		Virtual:   t.hypervisor(info),
	}
}

// usable is how many processors can work at once under a quota (0: none).
func usable(allowed int, quota float64) int {
	if quota > 0 {
		return max(1, min(allowed, int(math.Ceil(quota))))
	}
	return allowed
}

func kernel() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// cpuinfo is /proc/cpuinfo: what the first processor says of itself, and the
// frequencies of all.
type cpuinfo struct {
	first map[string]string
	mhz   []float64
}

func (t tree) cpuinfo() cpuinfo {
	info := cpuinfo{first: map[string]string{}}
	file, err := os.Open(t.path("proc/cpuinfo"))
	if err != nil {
		return info
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if _, known := info.first[key]; !known {
			info.first[key] = value
		}
		if mhz, err := strconv.ParseFloat(value, 64); err == nil && key == "cpu MHz" {
			info.mhz = append(info.mhz, mhz)
		}
	}
	return info
}

// model: arm64 has no model name; there the numbers of designer and part say
// which core it is.
func (c cpuinfo) model() string {
	for _, key := range []string{"model name", "Model", "cpu model", "Hardware"} {
		if name := c.first[key]; name != "" {
			return name
		}
	}
	if part := c.first["CPU part"]; part != "" {
		return "implementer " + c.first["CPU implementer"] + " part " + part
	}
	return "unknown"
}

func (c cpuinfo) meanMHz() float64 {
	var sum float64
	for _, mhz := range c.mhz {
		sum += mhz
	}
	return sum / math.Max(1, float64(len(c.mhz)))
}

// memory is what may be used, in bytes.
func (t tree) memory() int64 {
	total := t.meminfo("MemTotal")
	for _, text := range t.cgroup("memory", "memory.max", "memory.limit_in_bytes") {
		if limit, err := strconv.ParseInt(text, 10, 64); err == nil && limit > 0 {
			total = min(total, limit)
		}
	}
	return total
}

// meminfo is a line of /proc/meminfo in bytes.
func (t tree) meminfo(key string) int64 {
	for line := range strings.SplitSeq(t.text("proc/meminfo"), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == key+":" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// system is the distribution's name for itself.
func (t tree) system() string {
	for _, file := range []string{"etc/os-release", "usr/lib/os-release"} {
		for line := range strings.SplitSeq(t.text(file), "\n") {
			if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
				return strings.Trim(name, `"'`)
			}
		}
	}
	return "Linux"
}

func (t tree) container() bool {
	if slices.ContainsFunc([]string{".dockerenv", "run/.containerenv", "run/systemd/container"}, t.exists) {
		return true
	}
	groups := t.text("proc/self/cgroup")
	for _, word := range []string{"docker", "kubepods", "containerd", "libpod", "/lxc"} {
		if strings.Contains(groups, word) {
			return true
		}
	}
	return false
}

// hypervisor is its name where the machine tells one, "yes" where only a
// processor flag shows that there is one, empty where none shows.
func (t tree) hypervisor(info cpuinfo) string {
	if !slices.Contains(strings.Fields(info.first["flags"]), "hypervisor") && !t.exists("sys/hypervisor/type") {
		return ""
	}
	for _, file := range []string{"sys/hypervisor/type", "sys/class/dmi/id/product_name", "sys/class/dmi/id/sys_vendor"} {
		if name := t.text(file); name != "" {
			return name
		}
	}
	return "yes"
}

// cpuQuota is how many processors' worth of time the control groups allow, 0
// without a limit.
func (t tree) cpuQuota() float64 {
	var least float64
	limit := func(quota, period string) {
		q, err1 := strconv.ParseFloat(quota, 64)
		p, err2 := strconv.ParseFloat(period, 64)
		if err1 == nil && err2 == nil && q > 0 && p > 0 && (least == 0 || q/p < least) {
			least = q / p
		}
	}
	for _, text := range t.cgroup("cpu", "cpu.max", "") {
		if quota, period, ok := strings.Cut(text, " "); ok {
			limit(quota, period)
		}
	}
	periods := t.cgroup("cpu", "", "cpu.cfs_period_us")
	for i, quota := range t.cgroup("cpu", "", "cpu.cfs_quota_us") {
		if i < len(periods) {
			limit(quota, periods[i])
		}
	}
	return least
}

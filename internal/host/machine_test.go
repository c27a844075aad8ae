package host

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

func TestDescribe(t *testing.T) {
	for name, c := range map[string]struct {
		files   files
		allowed int
		want    bench.Machine
	}{
		"laptop": {
			files: files{
				"proc/cpuinfo":     "processor\t: 0\nmodel name\t: Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz\nflags\t\t: fpu sse\n\nprocessor\t: 1\nmodel name\t: other",
				"proc/meminfo":     "MemTotal:       16000000 kB\nMemFree: 1 kB",
				"etc/os-release":   "NAME=\"Ubuntu\"\nPRETTY_NAME=\"Ubuntu 20.04 LTS\"",
				"proc/self/cgroup": "0::/user.slice",
			},
			allowed: 8,
			want:    bench.Machine{CPU: "Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", Cores: 8, Memory: 16384000000, System: "Ubuntu 20.04 LTS"},
		},
		"arm64 machine without a model name": {
			files:   files{"proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c"},
			allowed: 4,
			want:    bench.Machine{CPU: "implementer 0x41 part 0xd0c", Cores: 4, System: "Linux"},
		},
		"container, cgroup version 2": {
			files: files{
				"proc/self/cgroup":         "0::/",
				"sys/fs/cgroup/cpu.max":    "150000 100000",
				"sys/fs/cgroup/memory.max": "1073741824",
				"proc/meminfo":             "MemTotal: 16000000 kB",
				".dockerenv":               "",
			},
			allowed: 8,
			want:    bench.Machine{CPU: "unknown", Cores: 2, Memory: 1 << 30, System: "Linux", Container: true},
		},
		"container, cgroup version 1, paths of the host": {
			files: files{
				"proc/self/cgroup":                           "4:memory:/docker/0a1b\n1:cpu,cpuacct:/docker/0a1b\n0::/",
				"sys/fs/cgroup/cpu/cpu.cfs_quota_us":         "50000",
				"sys/fs/cgroup/cpu/cpu.cfs_period_us":        "100000",
				"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
				"proc/meminfo":                               "MemTotal: 1024 kB",
			},
			allowed: 8,
			want:    bench.Machine{CPU: "unknown", Cores: 1, Memory: 1 << 20, System: "Linux", Container: true},
		},
		"the least limit of all parents counts": {
			files: files{
				"proc/self/cgroup":                "0::/a.slice/b",
				"sys/fs/cgroup/a.slice/b/cpu.max": "max 100000",
				"sys/fs/cgroup/a.slice/cpu.max":   "300000 100000",
			},
			allowed: 8,
			want:    bench.Machine{CPU: "unknown", Cores: 3, System: "Linux"},
		},
		"also when it is not the outermost": {
			files: files{
				"proc/self/cgroup":                "0::/a.slice/b",
				"sys/fs/cgroup/a.slice/b/cpu.max": "200000 100000",
				"sys/fs/cgroup/a.slice/cpu.max":   "600000 100000",
			},
			allowed: 8,
			want:    bench.Machine{CPU: "unknown", Cores: 2, System: "Linux"},
		},
		"virtual machine that says whose": {
			files: files{
				"proc/cpuinfo":                  "model name: Xeon\nflags: fpu hypervisor lahf_lm",
				"sys/class/dmi/id/product_name": "KVM",
			},
			want: bench.Machine{CPU: "Xeon", System: "Linux", Virtual: "KVM"},
		},
		"virtual machine that does not": {
			files: files{"proc/cpuinfo": "flags: hypervisor"},
			want:  bench.Machine{CPU: "unknown", System: "Linux", Virtual: "yes"},
		},
		"nothing to read": {want: bench.Machine{CPU: "unknown", System: "Linux"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, describe(c.files.tree(t), c.allowed)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDescribeIsStable(t *testing.T) {
	first := Describe("1.2.3")
	if diff := cmp.Diff(first, Describe("1.2.3")); diff != "" {
		t.Error(diff)
	}
	if first.Cores < 1 || first.Memory < 1 || first.Kernel == "" || first.Arch == "" || first.Restbench != "1.2.3" {
		t.Errorf("incomplete: %+v", first)
	}
}

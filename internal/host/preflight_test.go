package host

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPreflightFindsWhatDisturbs(t *testing.T) {
	bad := files{
		"proc/self/cgroup":                      "0::/",
		"proc/pressure/cpu":                     "some avg10=31.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0",
		"proc/meminfo":                          "MemAvailable: 1024 kB",
		"proc/sys/net/ipv4/ip_local_port_range": "1024 2023", "proc/sys/net/ipv4/tcp_tw_reuse": "0",
		"proc/sys/net/core/somaxconn":                                     "5",
		"sys/fs/cgroup/cpu.max":                                           "50000 100000",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor":            "powersave",
		"sys/devices/system/clocksource/clocksource0/current_clocksource": "acpi_pm",
	}.tree(t)
	for name, f := range map[string]struct {
		found Finding
		want  string
	}{
		"quota":     {bad.checkQuota(), "0.5 processors: the control group stops programs that use more, which shows as pauses"},
		"pressure":  {bad.checkPressure(), "in the last 10 s tasks waited for a processor 31 % of the time: something else is running"},
		"governor":  {bad.checkGovernor(), "powersave: the frequency follows the load; performance is steadier"},
		"clock":     {bad.checkClock(), "acpi_pm: slow to read, which costs client and servers at every request"},
		"memory":    {bad.checkMemory(), "1 MB available; the servers of both editions need about 1000 MB"},
		"ports":     {bad.checkPorts(), "1024-2023: servers that close each connection may use them all up; widen net.ipv4.ip_local_port_range"},
		"reuse":     {bad.checkReuse(), "0: a closed connection keeps its port for 60 s, so servers that close each one get no more than 16 requests/s; set net.ipv4.tcp_tw_reuse to 2"},
		"somaxconn": {bad.checkBacklog(), "5: connections may be dropped when many arrive at once; set net.core.somaxconn to 4096"},
	} {
		if f.found.Level != LevelWarn || f.found.Detail != f.want {
			t.Errorf("%s: got %+v, want %q", name, f.found, f.want)
		}
	}
}

func TestPreflightOfThisMachine(t *testing.T) {
	found := Preflight(t.Context(), t.TempDir())
	names := map[string]bool{}
	for _, f := range found {
		if f.Name == "" || f.Detail == "" || f.Level == "" || names[f.Name] {
			t.Errorf("incomplete or twice: %+v", f)
		}
		names[f.Name] = true
	}
	if len(found) < 10 {
		t.Errorf("only %d findings", len(found))
	}
}

func TestFreeBytes(t *testing.T) {
	dir := t.TempDir()
	there, err := FreeBytes(dir)
	if err != nil || there == 0 {
		t.Errorf("got %d, %v", there, err)
	}
	if _, err := FreeBytes(filepath.Join(dir, "not", "yet")); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := FreeBytes(filepath.Join(dir, "file", "x")); err == nil {
		t.Error("a path through a file has no free space")
	}
}

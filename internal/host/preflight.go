package host

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Level says how much a finding matters.
type Level string

// The levels: fail means that measuring will not work.
const (
	LevelOK   Level = "ok"
	LevelWarn Level = "warn"
	LevelFail Level = "fail"
)

// Finding is one thing about the machine that was looked at.
type Finding struct {
	Name   string `json:"name"`
	Level  Level  `json:"level"`
	Detail string `json:"detail"`
}

// preflightWindow is how long steal is watched.
const preflightWindow = time.Second

// Preflight looks for what would disturb measurements on this machine. dir is
// where the state is kept. It takes a second.
func Preflight(ctx context.Context, dir string) []Finding {
	return preflight(ctx, machine, dir)
}

func preflight(ctx context.Context, t tree, dir string) []Finding {
	return []Finding{
		t.checkProcessors(),
		t.checkQuota(),
		t.checkSteal(ctx),
		t.checkPressure(),
		t.checkGovernor(),
		t.checkIdle(),
		t.checkClock(),
		t.checkMemory(),
		checkDisk(dir),
		t.checkPorts(),
		t.checkReuse(),
		t.checkBacklog(),
		checkDescriptors(),
	}
}

func ok(name, format string, args ...any) Finding {
	return Finding{name, LevelOK, fmt.Sprintf(format, args...)}
}

func warn(name, format string, args ...any) Finding {
	return Finding{name, LevelWarn, fmt.Sprintf(format, args...)}
}

func (t tree) checkProcessors() Finding {
	n := len(AllowedCPUs())
	if n < pinFrom {
		return warn("processors", "%d: client and server share them; compare ratios, not absolute numbers", n)
	}
	return ok("processors", "%d", n)
}

func (t tree) checkQuota() Finding {
	if quota := t.cpuQuota(); quota > 0 {
		return warn("cpu quota", "%.2g processors: the control group stops programs that use more, which shows as pauses", quota)
	}
	return ok("cpu quota", "none")
}

func (t tree) checkSteal(ctx context.Context) Finding {
	probe := &Probe{Root: string(t)}
	window := probe.Begin()
	select {
	case <-ctx.Done():
	case <-time.After(preflightWindow):
	}
	steal := window.End().Steal
	if limit := probe.Thresholds().Steal; steal > limit {
		return warn("steal", "%.1f %% of the processor time goes to other virtual machines; above %.0f %% measurements are marked noisy", 100*steal, 100*limit)
	}
	return ok("steal", "%.1f %%", 100*steal)
}

func (t tree) checkPressure() Finding {
	const name = "pressure"
	fs, err := procfs.NewFS(t.path("proc"))
	if err != nil {
		return warn(name, "cannot be read: %v", err)
	}
	psi, err := fs.PSIStatsForResource("cpu")
	if err != nil || psi.Some == nil {
		return ok(name, "not counted by this kernel")
	}
	if psi.Some.Avg10 > 10 {
		return warn(name, "in the last 10 s tasks waited for a processor %.0f %% of the time: something else is running", psi.Some.Avg10)
	}
	return ok(name, "tasks waited for a processor %.0f %% of the last 10 s", psi.Some.Avg10)
}

func (t tree) checkGovernor() Finding {
	const name = "governor"
	var found []string
	for _, cpu := range AllowedCPUs() {
		governor := t.text(fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu))
		if governor != "" && !slices.Contains(found, governor) {
			found = append(found, governor)
		}
	}
	switch {
	case len(found) == 0:
		return ok(name, "not visible; the frequency is not under this system's control")
	case len(found) == 1 && found[0] == "performance":
		return ok(name, "performance")
	}
	return warn(name, "%s: the frequency follows the load; performance is steadier", strings.Join(found, ", "))
}

func (t tree) checkIdle() Finding {
	const name = "idle states"
	const cost = "servers pay for waking the client's processor, which can take four tenths of a rate"
	states := t.idleStates()
	switch {
	case len(states) < 2 && t.hypervisor(t.cpuinfo()) != "":
		return warn(name, "only halting, which in a virtual machine calls the hypervisor: %s; the kernel module cpuidle-haltpoll offers polling", cost)
	case len(states) < 2:
		return ok(name, "not under this system's control")
	}
	deepest, slowest := states[t.quickest(states)].name, states[len(states)-1].name
	if err := unix.Access(t.path(idleDevice), unix.W_OK); err != nil {
		return warn(name, "down to %s: %s; with the right to write to /%s, restbench lets processors go no deeper than %s while it measures", slowest, cost, idleDevice, deepest)
	}
	return ok(name, "no deeper than %s while restbench measures, unless idle_states is any", deepest)
}

func (t tree) checkClock() Finding {
	source := t.text("sys/devices/system/clocksource/clocksource0/current_clocksource")
	if slices.Contains([]string{"hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"}, source) {
		return warn("clock source", "%s: slow to read, which costs client and servers at every request", source)
	}
	return ok("clock source", "%s", source)
}

func (t tree) checkMemory() Finding {
	const enough = 1 << 30 // some twenty servers of 50 MB
	if available := t.meminfo("MemAvailable"); available < enough {
		return warn("memory", "%d MB available; the servers of both editions need about 1000 MB", available>>20)
	}
	return ok("memory", "%d MB available", t.meminfo("MemAvailable")>>20)
}

// Limits for free disk space in bytes: below the first nothing is installed or
// stored for long, below the second it is time to know.
const (
	diskFail = 200 << 20
	diskWarn = 2 << 30
)

func checkDisk(dir string) Finding {
	const name = "disk"
	free, err := FreeBytes(dir)
	switch {
	case err != nil:
		return Finding{name, LevelFail, err.Error()}
	case free < diskFail:
		return Finding{name, LevelFail, fmt.Sprintf("%d MB free for %s", free>>20, dir)}
	case free < diskWarn:
		return warn(name, "%d MB free for %s; environments of both editions need about 1000 MB", free>>20, dir)
	}
	return ok(name, "%d MB free for %s", free>>20, dir)
}

func (t tree) checkPorts() Finding {
	const name, enough = "local ports", 20_000
	low, high := t.localPorts()
	if n := high - low + 1; n > 0 && n < enough {
		return warn(name, "%d-%d: servers that close each connection may use them all up; widen net.ipv4.ip_local_port_range", low, high)
	}
	return ok(name, "%d-%d", low, high)
}

func (t tree) checkReuse() Finding {
	const name = "tcp_tw_reuse"
	reuse, known := t.number("proc/sys/net/ipv4/tcp_tw_reuse")
	if known && reuse == 0 {
		low, high := t.localPorts()
		return warn(name, "0: a closed connection keeps its port for 60 s, so servers that close each one get no more than %d requests/s; set net.ipv4.tcp_tw_reuse to 2", (high-low+1)/60)
	}
	return ok(name, "%d", reuse)
}

func (t tree) checkBacklog() Finding {
	const name = "somaxconn"
	n, known := t.number("proc/sys/net/core/somaxconn")
	if known && n < 128 {
		return warn(name, "%d: connections may be dropped when many arrive at once; set net.core.somaxconn to 4096", n)
	}
	return ok(name, "%d", n)
}

func checkDescriptors() Finding {
	const name, least, enough = "open files", 256, 1024
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return warn(name, "limit cannot be read: %v", err)
	}
	switch {
	case limit.Cur < least:
		return Finding{name, LevelFail, fmt.Sprintf("%d allowed: raise it with ulimit -n %d", limit.Cur, enough)}
	case limit.Cur < enough:
		return warn(name, "%d allowed: raise it with ulimit -n %d", limit.Cur, enough)
	}
	return ok(name, "%d allowed", limit.Cur)
}

package host

import (
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

// counters are the files of a machine with two processors at two moments.
// /proc/stat counts in hundredths of a second: user nice system idle iowait irq
// softirq steal guest guest_nice.
func counters() (before, after files) {
	const netstat = "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPSynRetrans\nTcpExt: 0 "
	const snmp = "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\nTcp: 1 200 120000 -1 0 0 0 0 0 0 0 "
	before = files{
		"proc/stat":         "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 50 0 50 400 0 0 0 0 0 0\ncpu1 50 0 50 400 0 0 0 0 0 0",
		"proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000",
		"proc/self":         "-> 42",
		"proc/42/net/snmp":  snmp + "7 0 0 0", "proc/42/net/netstat": netstat + "40 50 3",
		"proc/net/sockstat": "sockets: used 16\nTCP: inuse 1 orphan 0 tw 2 alloc 1 mem 382",
	}
	after = files{
		// 1000 more: busy 600, idle 200, irq 20, softirq 80, steal 100
		"proc/stat":         "cpu  400 0 400 1000 0 20 80 100 0 0\ncpu0 1 0 1 1 0 0 0 0 0 0\ncpu1 1 0 1 1 0 0 0 0 0 0",
		"proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000",
		"proc/42/net/snmp":  snmp + "19 0 0 0", "proc/42/net/netstat": netstat + "45 90 8",
		"proc/net/sockstat": "sockets: used 16\nTCP: inuse 1 orphan 0 tw 900 alloc 1 mem 382",
		"proc/loadavg":      "1.25 0.50 0.30 2/200 4711",
		"proc/cpuinfo":      "processor : 0\ncpu MHz : 3000.5\n\nprocessor : 1\ncpu MHz : 2000.5",
	}
	return before, after
}

func TestProbe(t *testing.T) {
	dir := t.TempDir()
	before, after := counters()
	before.at(t, dir)
	p := Probe{Root: dir}
	window := p.Begin()
	if got := window.before.pressure; got != 1 {
		t.Errorf("1000000 µs of pressure are %g s", got)
	}
	after.at(t, dir)
	want := bench.Conditions{
		Steal: 0.1, Busy: 0.6, Processors: 2, Load1: 1.25, MHz: 2500.5,
		TCPRetransmits: 12, ListenOverflows: 5, TimeWaitBefore: 2, TimeWaitAfter: 900,
	}
	got := window.End()
	want.Window = got.Window // of the real clock, TestBetween has it
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBetween(t *testing.T) {
	if c := between(reading{mono: 10, pressure: 3}, reading{mono: 20, pressure: 5.5}); c.Pressure != 0.25 || c.Window != 10 {
		t.Errorf("2.5 s of 10 s is a share of %g of %g s", c.Pressure, c.Window)
	}
	back := between(reading{total: 10, steal: 3, overflows: 5}, reading{total: 20, steal: 2, overflows: 1})
	if back.Steal != 0 || back.ListenOverflows != 0 {
		t.Errorf("counters that step back give %+v", back)
	}
}

func TestProbeOfAMachineThatShowsNothing(t *testing.T) {
	window := (&Probe{Root: t.TempDir()}).Begin()
	got := window.End()
	got.Window = 0
	if diff := cmp.Diff(bench.Conditions{}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPaused(t *testing.T) {
	start := reading{mono: 100, boot: 100, wall: 1e9}
	for name, c := range map[string]struct {
		end  reading
		want float64
	}{
		"nothing":           {reading{mono: 110, boot: 110, wall: 1e9 + 10}, 0},
		"suspended":         {reading{mono: 110, boot: 422, wall: 1e9 + 322}, 312},
		"clock set forward": {reading{mono: 110, boot: 110, wall: 1e9 + 3610}, 3600},
		"clock set back":    {reading{mono: 110, boot: 110, wall: 1e9 - 3590}, 3600},
		"clock steered":     {reading{mono: 110, boot: 110, wall: 1e9 + 10.005}, 0},
	} {
		if got := paused(start, c.end); got != c.want {
			t.Errorf("%s: got %g, want %g", name, got, c.want)
		}
	}
}

// TestProbeSeesThisMachine has the kernel move each counter that a test can.
func TestProbeSeesThisMachine(t *testing.T) {
	var p Probe
	window := p.Begin()
	overflow(t)
	burn(150 * time.Millisecond)
	c := window.End()
	if c.Busy <= 0 || c.Busy > 1 || c.Processors < 1 {
		t.Errorf("busy %g of %d processors after work", c.Busy, c.Processors)
	}
	if c.ListenOverflows < 1 {
		t.Errorf("%d listen overflows after one was made", c.ListenOverflows)
	}
	if c.Paused != 0 {
		t.Errorf("paused for %g s", c.Paused)
	}
}

func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		continue
	}
}

// overflow connects more often than a backlog of 1 takes.
func overflow(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}
	for range 4 {
		dialer := net.Dialer{Timeout: 50 * time.Millisecond}
		if conn, err := dialer.DialContext(t.Context(), "tcp", address.String()); err == nil {
			defer conn.Close()
		}
	}
}

func BenchmarkProbe(b *testing.B) {
	var p Probe
	for b.Loop() {
		p.Begin().End()
	}
}

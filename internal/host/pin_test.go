package host

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// topology has one line a processor: package and core.
func topology(places ...[2]int) files {
	f := files{}
	for cpu, place := range places {
		folder := fmt.Sprintf("sys/devices/system/cpu/cpu%d/topology/", cpu)
		f[folder+"physical_package_id"], f[folder+"core_id"] = fmt.Sprint(place[0]), fmt.Sprint(place[1])
	}
	return f
}

func TestPinAuto(t *testing.T) {
	siblingsApart := topology([2]int{0, 0}, [2]int{0, 1}, [2]int{0, 2}, [2]int{0, 3}, [2]int{0, 0}, [2]int{0, 1}, [2]int{0, 2}, [2]int{0, 3})
	quota := topology([2]int{0, 0}, [2]int{0, 1}, [2]int{0, 2}, [2]int{0, 3})
	quota["proc/self/cgroup"], quota["sys/fs/cgroup/cpu.max"] = "0::/", "200000 100000"
	for name, c := range map[string]struct {
		files   files
		allowed []int
		want    string
	}{
		"two processors":                   {topology([2]int{0, 0}, [2]int{0, 1}), []int{0, 1}, "none"},
		"four cores":                       {topology([2]int{0, 0}, [2]int{0, 1}, [2]int{0, 2}, [2]int{0, 3}), []int{0, 1, 2, 3}, "server 0-1 client 2-3"},
		"two cores of two threads":         {topology([2]int{0, 0}, [2]int{0, 0}, [2]int{0, 1}, [2]int{0, 1}), []int{0, 1, 2, 3}, "server 0-1 client 2-3"},
		"four cores of two threads":        {siblingsApart, []int{0, 1, 2, 3, 4, 5, 6, 7}, "server 0-1,4-5 client 2-3,6-7"},
		"not all allowed, odd":             {siblingsApart, []int{1, 2, 3, 5, 6}, "server 1-2,5-6 client 3"},
		"two packages":                     {topology([2]int{0, 0}, [2]int{1, 0}, [2]int{0, 1}, [2]int{1, 1}), []int{0, 1, 2, 3}, "server 0,2 client 1,3"},
		"topology unknown":                 {nil, []int{0, 1, 2, 3}, "server 0-1 client 2-3"},
		"four threads of one core":         {topology([2]int{0, 0}, [2]int{0, 0}, [2]int{0, 0}, [2]int{0, 0}), []int{0, 1, 2, 3}, "none"},
		"quota that leaves two processors": {quota, []int{0, 1, 2, 3}, "none"},
	} {
		server, client, err := pin(c.files.tree(t), PinAuto, c.allowed)
		if got := PinningText(server, client); got != c.want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestPinByHand(t *testing.T) {
	for mode, want := range map[string]string{
		"":                        "none",
		"none":                    "none",
		"server=0;client=1":       "server 0 client 1",
		"client=2,1 ; server=0-1": "server 0-1 client 1-2",
		"server=0":                `error: pinning "server=0": must name processors of both server and client`,
		"server=0;client=7":       `error: pinning "server=0;client=7": processor 7 may not be used, only 0-3`,
		"server=0;client=":        `error: pinning "server=0;client=": "" is not a list of processors like 0-3,8`,
		"server=0-9999;client=1":  `error: pinning "server=0-9999;client=1": "0-9999" is not a list of processors like 0-3,8`,
		"server=0;cilent=1":       `error: pinning "server=0;cilent=1": must be "auto", "none" or like "server=0-1;client=2,3"`,
		"on":                      `error: pinning "on": must be "auto", "none" or like "server=0-1;client=2,3"`,
	} {
		server, client, err := Pin(mode, []int{0, 1, 2, 3})
		got := PinningText(server, client)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", mode, got, want)
		}
	}
}

func TestCPULists(t *testing.T) {
	cpus, err := ParseCPUs("8,0-3, 2")
	if diff := cmp.Diff([]int{0, 1, 2, 3, 8}, cpus); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got := FormatCPUs(cpus); got != "0-3,8" {
		t.Errorf("got %q", got)
	}
	if len(AllowedCPUs()) == 0 {
		t.Error("no processor may be used")
	}
}

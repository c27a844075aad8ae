package host

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"restbench/internal/bench"
)

// Modes of Pin; a third is to name the processors: "server=0-1;client=2,3".
const (
	PinAuto = "auto"
	PinNone = bench.PinningNone
)

// pinFrom is the number of processors from which PinAuto separates client and
// server. Below, each side would lose so much that another thing is measured
// than on the unpinned machine of the publication.
const pinFrom = 4

// AllowedCPUs is the processors that this process may use, ascending.
func AllowedCPUs() []int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil
	}
	cpus := make([]int, 0, set.Count())
	for cpu := 0; len(cpus) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// Pin says which processors the server and the client get; both are nil when
// nothing is pinned. PinAuto gives each side whole physical cores, half of them
// (the server one more when they are odd), if there are enough; two threads of
// one core share its units, so they are never divided.
func Pin(mode string, allowed []int) (server, client []int, err error) {
	return pin(machine, mode, allowed)
}

func pin(t tree, mode string, allowed []int) (server, client []int, err error) {
	switch mode {
	case PinNone, "":
		return nil, nil, nil
	case PinAuto:
		server, client = t.divide(allowed)
		return server, client, nil
	}
	server, client, err = parsePin(mode, allowed)
	if err != nil {
		return nil, nil, fmt.Errorf("pinning %q: %w", mode, err)
	}
	return server, client, nil
}

func (t tree) divide(allowed []int) (server, client []int) {
	cores := t.cores(allowed)
	if usable(len(allowed), t.cpuQuota()) < pinFrom || len(cores) < 2 {
		return nil, nil
	}
	half := (len(cores) + 1) / 2
	server, client = slices.Concat(cores[:half]...), slices.Concat(cores[half:]...)
	slices.Sort(server)
	slices.Sort(client)
	return server, client
}

// cores groups processors by physical core, in the order of packages and cores,
// so that halves are neighbours.
func (t tree) cores(allowed []int) [][]int {
	type place struct{ pkg, core int64 }
	groups := map[place][]int{}
	for _, cpu := range allowed {
		folder := fmt.Sprintf("sys/devices/system/cpu/cpu%d/topology/", cpu)
		at := place{}
		at.pkg, _ = t.number(folder + "physical_package_id")
		core, known := t.number(folder + "core_id")
		if at.core = core; !known {
			at.core = int64(cpu)
		}
		groups[at] = append(groups[at], cpu)
	}
	cores := make([][]int, 0, len(groups))
	places := make([]place, 0, len(groups))
	for at := range groups {
		places = append(places, at)
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.pkg != b.pkg {
			return int(a.pkg - b.pkg)
		}
		return int(a.core - b.core)
	})
	for _, at := range places {
		cores = append(cores, groups[at])
	}
	return cores
}

func parsePin(mode string, allowed []int) (server, client []int, err error) {
	sides := map[string][]int{"server": nil, "client": nil}
	for part := range strings.SplitSeq(mode, ";") {
		side, list, _ := strings.Cut(part, "=")
		side = strings.TrimSpace(side)
		if _, known := sides[side]; !known {
			return nil, nil, errors.New(`must be "auto", "none" or like "server=0-1;client=2,3"`)
		}
		if sides[side], err = parseAllowed(list, allowed); err != nil {
			return nil, nil, err
		}
	}
	if sides["server"] == nil || sides["client"] == nil {
		return nil, nil, errors.New("must name processors of both server and client")
	}
	return sides["server"], sides["client"], nil
}

func parseAllowed(list string, allowed []int) ([]int, error) {
	cpus, err := ParseCPUs(list)
	if err != nil {
		return nil, err
	}
	for _, cpu := range cpus {
		if !slices.Contains(allowed, cpu) {
			return nil, fmt.Errorf("processor %d may not be used, only %s", cpu, FormatCPUs(allowed))
		}
	}
	return cpus, nil
}

// ParseCPUs reads a list as Linux writes it: "0-3,8".
func ParseCPUs(text string) ([]int, error) {
	const most = 1024 // what an affinity mask holds
	var cpus []int
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		low, err1 := strconv.Atoi(first)
		high, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || low < 0 || high < low || high >= most {
			return nil, fmt.Errorf("%q is not a list of processors like 0-3,8", text)
		}
		for cpu := low; cpu <= high; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

// FormatCPUs writes what ParseCPUs reads; cpus are ascending.
func FormatCPUs(cpus []int) string {
	var parts []string
	for i := 0; i < len(cpus); {
		end := i
		for end+1 < len(cpus) && cpus[end+1] == cpus[end]+1 {
			end++
		}
		part := strconv.Itoa(cpus[i])
		if end > i {
			part += "-" + strconv.Itoa(cpus[end])
		}
		parts = append(parts, part)
		i = end + 1
	}
	return strings.Join(parts, ",")
}

// PinningText is how a pinning is said in conditions and reports.
func PinningText(server, client []int) string {
	if len(server) == 0 && len(client) == 0 {
		return bench.PinningNone
	}
	return fmt.Sprintf("server %s client %s", FormatCPUs(server), FormatCPUs(client))
}

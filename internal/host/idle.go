package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
)

// A processor with nothing to do falls asleep, and who has something for it pays for
// waking it. Under a closed loop that is the server, at every answer that finds the
// client asleep; in a virtual machine both ways lead through the hypervisor. How often
// the client sleeps depends on how fast it is, so the server looks slower behind a
// cheaper client.

// idleDevice keeps the processors ready for as long as it is held open
// (https://docs.kernel.org/power/pm_qos_interface.html).
const idleDevice = "dev/cpu_dma_latency"

// idleState is one way of a processor to do nothing.
type idleState struct {
	name    string
	latency int64 // microseconds until it works again
}

// IdleLimit keeps all processors out of the idle states that are slow to leave,
// until it is closed or its process has ended. Processors that may only poll use
// their full power meanwhile.
type IdleLimit struct {
	file    *os.File
	deepest idleState
}

// noLimit is what the kernel starts from.
const noLimit = math.MaxInt32

// LimitIdle asks for a limit, which only root may by default.
func LimitIdle() (*IdleLimit, error) { return machine.limitIdle() }

func (t tree) limitIdle() (*IdleLimit, error) {
	states := t.idleStates()
	if len(states) < 2 {
		return nil, errors.New("this kernel offers no choice of idle states")
	}
	deepest := states[t.quickest(states)]
	file, err := os.OpenFile(t.path(idleDevice), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	limit := &IdleLimit{file, deepest}
	if err := limit.Set(true); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return limit, nil
}

// Set suspends the limit, or takes it up again.
func (l *IdleLimit) Set(on bool) error {
	latency := uint32(noLimit)
	if on {
		latency = uint32(l.deepest.latency)
	}
	_, err := l.file.Write(binary.NativeEndian.AppendUint32(nil, latency))
	return err
}

// String is the deepest state that is left.
func (l *IdleLimit) String() string { return l.deepest.name }

// Close lets the processors sleep again.
func (l *IdleLimit) Close() error { return l.file.Close() }

// quickest is the deepest state that is quick to leave: the first one that really
// halts, and in a virtual machine, where to halt is to call the hypervisor, none that
// does.
func (t tree) quickest(states []idleState) int {
	if t.hypervisor(t.cpuinfo()) != "" {
		return 0
	}
	return max(0, slices.IndexFunc(states, func(s idleState) bool { return s.latency > 0 }))
}

// idleStates are those of the first processor, from the quickest one on.
func (t tree) idleStates() []idleState {
	var states []idleState
	for {
		at := fmt.Sprintf("sys/devices/system/cpu/cpu0/cpuidle/state%d/", len(states))
		latency, known := t.number(at + "latency")
		if !known {
			return states
		}
		states = append(states, idleState{t.text(at + "name"), latency})
	}
}

// idleLimit is the deepest state that any program has left the processors now; empty
// where there is no limit, or where it may not be read.
func (t tree) idleLimit() string {
	content, err := os.ReadFile(t.path(idleDevice))
	states := t.idleStates()
	if err != nil || len(content) < 4 || len(states) < 2 {
		return ""
	}
	limit := int64(int32(binary.NativeEndian.Uint32(content)))
	deeper := slices.IndexFunc(states, func(s idleState) bool { return s.latency > limit })
	if deeper < 1 {
		return ""
	}
	return states[deeper-1].name
}

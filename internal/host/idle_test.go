package host

import (
	"os"
	"strings"
	"testing"
)

// sleeper is a machine with the idle states of a laptop, or of a virtual machine.
func sleeper(flags string, states ...string) files {
	f := files{"proc/cpuinfo": "flags : " + flags, idleDevice: "\x00\x94\x35\x77"} // 2000 s, the kernel's default
	for i, state := range states {
		name, latency, _ := strings.Cut(state, " ")
		at := "sys/devices/system/cpu/cpu0/cpuidle/state" + string(rune('0'+i))
		f[at+"/name"], f[at+"/latency"] = name, latency
	}
	return f
}

func TestIdleStatesThatAreSlowToLeaveAreLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		machine files
		want    string
		asked   string
	}{
		"laptop":              {sleeper("fpu", "POLL 0", "C1 2", "C1E 10", "C8 200"), "C1", "\x02\x00\x00\x00"},
		"without polling":     {sleeper("fpu", "C1 1", "C2 400"), "C1", "\x01\x00\x00\x00"},
		"virtual machine":     {sleeper("fpu hypervisor", "POLL 0", "haltpoll 1"), "POLL", "\x00\x00\x00\x00"},
		"halts and nothing":   {sleeper("fpu", "POLL 0", "C1 2"), "", "\x02\x00\x00\x00"}, // C1 is all there is
		"nothing but halting": {sleeper("fpu hypervisor", "C1 2"), "", ""},
	} {
		at := c.machine.tree(t)
		limit, err := at.limitIdle()
		if c.asked == "" {
			if err == nil {
				t.Errorf("%s: got a limit of %s where there is no choice", name, limit)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _ := os.ReadFile(at.path(idleDevice)); string(got[:4]) != c.asked {
			t.Errorf("%s: asked for %q, want %q", name, got[:4], c.asked)
		}
		if got := at.idleLimit(); got != c.want {
			t.Errorf("%s: the limit reads as %q, want %q", name, got, c.want)
		}
		if err := limit.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithoutALimitThereIsNothingToSay(t *testing.T) {
	at := sleeper("fpu", "POLL 0", "C1 2", "C8 200").tree(t)
	if got := at.idleLimit(); got != "" {
		t.Errorf("got %q from the kernel's default", got)
	}
	if got := (&Probe{Root: string(at)}).Begin().End().IdleLimit; got != "" {
		t.Errorf("conditions say %q", got)
	}
}

// The limit of this machine is read back from its kernel, by what looks at the
// conditions of each measurement.
func TestIdleLimitOfThisMachine(t *testing.T) {
	limit, err := LimitIdle()
	if err != nil {
		t.Logf("may not be limited here: %v", err)
		if found := machine.checkIdle(); found.Level == LevelOK && len(machine.idleStates()) > 1 {
			t.Errorf("preflight says otherwise: %+v", found)
		}
		return
	}
	t.Cleanup(func() { _ = limit.Close() })
	got, states := (&Probe{}).Begin().End().IdleLimit, machine.idleStates()
	if deepest := states[len(states)-1].name; limit.String() != deepest && got != limit.String() && got != states[0].name {
		t.Errorf("the kernel says %q, asked for %q", got, limit)
	}
}

func TestPreflightTellsWhatSleepCosts(t *testing.T) {
	at := sleeper("fpu hypervisor", "POLL 0", "haltpoll 1").tree(t)
	if found := at.checkIdle(); found.Level != LevelOK || found.Detail != "no deeper than POLL while restbench measures, unless idle_states is any" {
		t.Errorf("got %+v", found)
	}
	if found := sleeper("fpu hypervisor").tree(t).checkIdle(); found.Level != LevelWarn || !strings.Contains(found.Detail, "only halting") {
		t.Errorf("a virtual machine without a choice: %+v", found)
	}
	if found := sleeper("fpu").tree(t).checkIdle(); found.Level != LevelOK {
		t.Errorf("a laptop without a choice: %+v", found)
	}
	if err := os.Remove(at.path(idleDevice)); err != nil {
		t.Fatal(err)
	}
	if found := at.checkIdle(); found.Level != LevelWarn || !strings.Contains(found.Detail, "down to haltpoll: ") {
		t.Errorf("got %+v", found)
	}
}

package process

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// used returns what the server used meanwhile.
func used(t *testing.T, v *Server, meanwhile func()) time.Duration {
	t.Helper()
	before, err := v.Usage()
	if err != nil {
		t.Fatal(err)
	}
	meanwhile()
	after, err := v.Usage()
	if err != nil {
		t.Fatal(err)
	}
	return after.CPU - before.CPU
}

func TestUsageCountsTheDead(t *testing.T) {
	s := newSupervisor(t, Options{})
	v := start(t, s, faulty("ok"))
	for _, path := range []string{"/burn-thread", "/burn-child"} {
		cpu := used(t, v, func() {
			if _, err := get(t.Context(), v.Address(), path); err != nil {
				t.Fatal(err)
			}
		})
		// A child's start costs some more, much more under the race detector.
		if cpu < burnTime-20*time.Millisecond || cpu > 5*burnTime {
			t.Errorf("%s: used %s, want about %s", path, cpu, burnTime)
		}
	}
}

// Several processes that share the work are not one that has all of it.
func TestTheBusiestProcess(t *testing.T) {
	var v Server
	for i, test := range []struct {
		each map[int]share
		want time.Duration
	}{
		{map[int]share{1: {own: time.Second}, 2: {own: 6 * time.Second}}, 6 * time.Second},
		{map[int]share{1: {own: 5 * time.Second}, 2: {own: 7 * time.Second}}, 4 * time.Second},
		// The second has ended after half a second more, and the first has waited for it.
		{map[int]share{1: {own: 5 * time.Second, children: 7500 * time.Millisecond}, 3: {own: 2 * time.Second}}, 2 * time.Second},
		// The first had a child for each of its requests.
		{map[int]share{1: {own: 6 * time.Second, children: 9500 * time.Millisecond}, 3: {own: 2 * time.Second}}, 3 * time.Second},
		{map[int]share{1: {own: 6 * time.Second, children: 9500 * time.Millisecond}, 3: {own: 2 * time.Second}}, 0},
	} {
		if got := v.busiest(test.each); got != test.want {
			t.Errorf("reading %d: %s, want %s", i, got, test.want)
		}
	}
	working := start(t, newSupervisor(t, Options{}), faulty("workers"))
	if _, err := working.Usage(); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), working.Address(), "/burn-thread"); err != nil {
		t.Fatal(err)
	}
	if u, err := working.Usage(); err != nil || u.Busiest < burnTime-20*time.Millisecond || u.Busiest > u.CPU+u.RunQueue {
		t.Errorf("%+v, %v", u, err)
	}
}

// A grandchild whose parent is gone is the guard's to wait for.
func TestUsageCountsAdoptedOrphans(t *testing.T) {
	s := newSupervisor(t, Options{})
	v := start(t, s, faulty("escape", "burn"))
	orphan := relatives(t, v.Address())[1]
	for before := time.Now(); ; time.Sleep(time.Millisecond) {
		u, err := v.Usage()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(procPath(orphan, "stat")); err != nil && u.CPU >= burnTime-20*time.Millisecond {
			return
		}
		if time.Since(before) > patience {
			t.Fatalf("used %s, or nobody has waited for the orphan", u.CPU)
		}
	}
}

func TestUsageOfATree(t *testing.T) {
	s := newSupervisor(t, Options{})
	v := start(t, s, faulty("workers"))
	begin := time.Now()
	u, err := v.Usage()
	took := time.Since(begin)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("read in %s: %+v", took, u)
	if u.Processes != 2 {
		t.Errorf("%d processes, want leader and worker", u.Processes)
	}
	if u.Memory < 1<<20 || u.Memory > 1<<30 {
		t.Errorf("%d bytes", u.Memory)
	}
	if u.CPU <= 0 || u.CPU > time.Minute || u.RunQueue <= 0 {
		t.Errorf("CPU %s, run queue %s", u.CPU, u.RunQueue)
	}
}

func TestServerRunsOnItsProcessors(t *testing.T) {
	before := allowedCPUs()
	s := newSupervisor(t, Options{})
	c := faulty("ok")
	c.CPUs = []int{0}
	v := start(t, s, c)
	if got, err := get(t.Context(), v.Address(), "/cpus"); err != nil || got != "0" {
		t.Errorf("got %q, %v", got, err)
	}
	all := numbersOf(t, before)
	if err := v.SetCPUs(all); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), v.Address(), "/cpus"); err != nil || got != before {
		t.Errorf("got %q, %v", got, err)
	}
	if err := v.SetCPUs([]int{1000}); err == nil {
		t.Error("a processor that is not there")
	}
}

func TestProcessorThatIsNotThere(t *testing.T) {
	s := newSupervisor(t, Options{})
	c := faulty("ok")
	c.CPUs = []int{1000}
	if _, err := s.Start(t.Context(), c, nil); err == nil {
		t.Error("started")
	}
	if _, err := s.Run(t.Context(), c); err == nil {
		t.Error("ran")
	}
	emptyDir(t, s.options.RunDir)
}

func numbersOf(t *testing.T, list string) []int {
	t.Helper()
	var all []int
	for field := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

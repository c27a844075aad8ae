package process

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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
	var before census
	for i, test := range []struct {
		each map[int]share
		want time.Duration
	}{
		{map[int]share{1: {ran: time.Second}, 2: {ran: 4 * time.Second, queued: 2 * time.Second}}, 6 * time.Second},
		{map[int]share{1: {ran: 5 * time.Second}, 2: {ran: 4 * time.Second, queued: 3 * time.Second}}, 4 * time.Second},
		// The second has ended after half a second more, and the first has waited for it.
		{map[int]share{1: {ran: 5 * time.Second, children: 7500 * time.Millisecond}, 3: {ran: 2 * time.Second}}, 2 * time.Second},
		// The first had a child for each of its requests.
		{map[int]share{1: {ran: 6 * time.Second, children: 9500 * time.Millisecond}, 3: {ran: 2 * time.Second}}, 3 * time.Second},
		{map[int]share{1: {ran: 6 * time.Second, children: 9500 * time.Millisecond}, 3: {ran: 2 * time.Second}}, 0},
	} {
		now := census{at: before.at + 10*time.Second, each: test.each}
		if got := now.busiest(before); got != test.want {
			t.Errorf("reading %d: %s, want %s", i, got, test.want)
		}
		before = now
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

// Threads on so many processors at once are held by no lock: they count one by one.
func TestTheBusiestThread(t *testing.T) {
	seconds := func(all ...int) map[int]time.Duration {
		threads := map[int]time.Duration{}
		for i, n := range all {
			threads[i] = time.Duration(n) * time.Second
		}
		return threads
	}
	was := share{ran: 2 * time.Second, threads: seconds(1, 1)}
	for name, test := range map[string]struct {
		ran, queued int
		threads     map[int]time.Duration
		want        time.Duration
	}{
		"a lock holds them":          {11, 6, seconds(8, 7, 2), 15 * time.Second},
		"each waits":                 {32, 2, seconds(9, 9, 8, 8), 8 * time.Second},
		"one is at its limit":        {32, 2, seconds(11, 9, 7, 7), 10 * time.Second},
		"most ended with their work": {32, 2, seconds(8, 6), 32 * time.Second},
	} {
		now := share{ran: time.Duration(test.ran) * time.Second, queued: time.Duration(test.queued) * time.Second, threads: test.threads}
		if got := now.after(was, 10*time.Second); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestThreadsAreRead(t *testing.T) {
	v := start(t, newSupervisor(t, Options{}), faulty("ok"))
	if _, err := get(t.Context(), v.Address(), "/burn"); err != nil {
		t.Fatal(err)
	}
	s, err := readStat(relatives(t, v.Address())[0])
	if err != nil {
		t.Fatal(err)
	}
	u := shareOf(s)
	var sum, most time.Duration
	for _, used := range u.threads {
		sum, most = sum+used, max(most, used)
	}
	if most < burnTime/2 || sum > shareOf(s).own() || u.queued <= 0 {
		t.Errorf("%+v", u)
	}
}

// A worker that is killed is missed, whether its parent waits for it or not and
// whether it starts another one or not.
func TestUsageMissesWorkers(t *testing.T) {
	for _, mode := range []struct {
		name  string
		lost  int
		lives int
	}{{"forget", 1, 2}, {"replace", 0, 3}} {
		t.Run(mode.name, func(t *testing.T) {
			v := start(t, newSupervisor(t, Options{}), faulty("pool", mode.name))
			time.Sleep(lasting) // what is younger may be there for a request
			if u, err := v.Usage(); err != nil || u.Processes != 3 || u.Ended != 0 {
				t.Fatalf("%+v, %v", u, err)
			}
			worker := relatives(t, v.Address())[0]
			dead := holdOn(t, worker)
			if err := unix.Kill(worker, unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			dead.await(t, patience)
			awaitLiving(t, v, mode.lives, worker)
			if u, err := v.Usage(); err != nil || u.Ended != 1 || u.Lost != mode.lost || u.Processes != mode.lives {
				t.Errorf("%+v, %v", u, err)
			}
			if u, err := v.Usage(); err != nil || u.Ended != 0 || u.Lost != 0 {
				t.Errorf("told again: %+v, %v", u, err)
			}
		})
	}
}

// awaitLiving waits until so many processes live, without one.
func awaitLiving(t *testing.T, v *Server, n, without int) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		all := living(descendants(snapshot(), v.guard.pid()))
		gone := !slices.ContainsFunc(all, func(s stat) bool { return s.Pid == without })
		if len(all) == n && gone {
			return
		}
		if time.Since(begun) > patience {
			t.Fatalf("%v live", all)
		}
	}
}

// A process for each request comes and goes; the server has lost nothing.
func TestUsageDoesNotMissChildrenOfRequests(t *testing.T) {
	v := start(t, newSupervisor(t, Options{}), faulty("ok"))
	ended := func() (sum int) {
		u, err := v.Usage()
		if err != nil {
			t.Fatal(err)
		}
		return u.Ended + u.Lost
	}
	sum := ended()
	body, err := get(t.Context(), v.Address(), "/child")
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(body)
	if err != nil {
		t.Fatal(err)
	}
	sum += ended()
	dead := holdOn(t, child)
	if err := unix.Kill(child, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	dead.await(t, patience)
	if sum += ended(); sum != 0 {
		t.Errorf("misses %d", sum)
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

package bench

import "time"

// Command is a program to run. There is no shell: Argv is passed as it is.
type Command struct {
	Name  string   // for errors and logs
	Argv  []string // Argv[0] is a path, or a name looked up on PATH
	Dir   string   // working directory; the current one when empty
	Env   []string // added to a minimal environment: PATH, HOME, locale, temporary folder
	Stdin []byte
	CPUs  []int // processors it may use; all when empty
}

// Output is what a program that ended left behind.
type Output struct {
	Stdout  []byte
	Stderr  []byte        // its last lines
	CPU     time.Duration // user and system time of it and its waited-for children (wait4)
	Elapsed time.Duration
}

// Usage is what a server's whole process tree has used so far. The difference
// of two readings is the cost of what lay between.
type Usage struct {
	CPU       time.Duration // all threads, dead ones included
	Memory    int64         // bytes, proportional set size
	RunQueue  time.Duration // time its live threads were runnable and waited for a processor
	Processes int           // that live

	// Busiest is how long the busiest of its processes ran, or waited for a processor, since
	// the reading before; 0 where that is not known. Several that each wait use as much in
	// all as one that is at its limit. Of a process that runs on more than
	// UnlockedProcessors at once, the busiest thread counts.
	Busiest time.Duration
}

// UnlockedProcessors is on how many processors at once no interpreter lock lets a process
// run: what it does without its lock, in the kernel above all, is less than what it does
// with it.
const UnlockedProcessors = 2

// Reading is a Usage with what became of the server since the reading before.
type Reading struct {
	Usage
	Ended int // lasting processes that ended: not what it had started for a request
	Lost  int // those of them that nothing has replaced
}

// Package process runs child processes and leaves none behind. It starts servers
// and proves that a port is theirs, runs programs to completion, says what a
// process tree has used, and removes what an earlier run could not. It is the
// only user of os/exec in restbench.
//
// Every server has a guard: restbench itself, started again under a hidden
// command. The guard is the parent of the server and adopts whatever the server
// orphans, so that workers are found however they detached themselves. When the
// pipe from restbench ends, for whatever reason, the guard kills them all. Should
// the guard be killed, too, the kernel ends the server's leader, and its workers
// are found by a cookie in their environment: at once by restbench if it lives,
// else by Sweep at the next start.
//
// The package knows nothing of HTTP, of Python or of what is measured. It needs
// Linux with /proc.
package process

// Package host knows the machine: what it is (Describe), what it did during a
// measurement (Probe), what that means for the number (Marks), which processors
// are used for what (Pin), whose turn it is (TryLock) and what would disturb
// (Preflight). It reads the files of Linux and changes nothing; what a kernel
// does not show is zero, never an error. It starts no processes.
package host

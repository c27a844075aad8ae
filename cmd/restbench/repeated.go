//go:build linux && (amd64 || arm64)

package main

import "restbench/internal/bench"

// repeated counts failures in a row that have the same cause, so that it is told
// once: an edition without its interpreter is one fact and not eleven.
type repeated struct {
	cause string
	more  int // after the one that was told
}

// same reports whether f has the cause that was told last, and counts it.
func (r *repeated) same(f *bench.Failure) bool {
	if f.Error() != r.cause {
		return false
	}
	r.more++
	return true
}

// told says that the cause of f is the one that was told last.
func (r *repeated) told(f *bench.Failure) { *r = repeated{cause: f.Error()} }

// end returns how many were not told, and forgets the cause.
func (r *repeated) end() int {
	more := r.more
	*r = repeated{}
	return more
}

package main

import (
	"errors"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// parallel is how many environments are made, and how many servers started, at
// once: twice the processors, because both wait as often as they compute.
func parallel() int { return 2 * runtime.NumCPU() }

// together does n things, several at once, and joins what went wrong, in order.
func together(n int, do func(i int) error) error {
	failures := make([]error, n)
	var g errgroup.Group
	g.SetLimit(parallel())
	for i := range n {
		g.Go(func() error {
			failures[i] = do(i)
			return nil // one failure does not hold up the others
		})
	}
	_ = g.Wait()
	return errors.Join(failures...)
}

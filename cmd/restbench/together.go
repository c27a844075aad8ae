//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"restbench/internal/bench"
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
	return alike(failures)
}

// alike joins errors and tells a cause that several have once: an edition without
// its interpreter is one fact.
func alike(all []error) error {
	told := map[string]int{}
	var joined []error
	for _, err := range all {
		if f, ok := errors.AsType[*bench.Failure](err); ok {
			told[f.Error()]++
			if told[f.Error()] > 1 {
				continue
			}
		}
		joined = append(joined, err)
	}
	for i, err := range joined {
		if f, ok := errors.AsType[*bench.Failure](err); ok && told[f.Error()] > 1 {
			joined[i] = fmt.Errorf("%w (the same with %d more)", err, told[f.Error()]-1)
		}
	}
	return errors.Join(joined...)
}

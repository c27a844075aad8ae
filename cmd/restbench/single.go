//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"

	"restbench/internal/bench"
	"restbench/internal/store"
	"restbench/scheduler"
)

// single is one campaign that a command runs by itself.
type single struct {
	runnerOptions
	pinning string // as the configuration has it
	request scheduler.Request
}

// measured is what a campaign brought, from memory: it can be shown even when the
// history cannot be written.
type measured struct {
	history      *store.Store
	campaign     bench.Campaign
	measurements []bench.Measurement
	err          error // of the campaign
}

// single runs a campaign and hands what it brought to show, also when it was
// interrupted. What show returns stands for the error of the campaign, too.
func (k *kit) single(ctx context.Context, o single, show func(measured) error) error {
	if err := k.checkSpace(); err != nil {
		return err
	}
	k.sweep()
	history, err := k.openStore(ctx)
	if err != nil {
		return err
	}
	o.history, o.recorder = history, k.recorder(history)
	defer k.closeStore(history, o.recorder)
	if o.runnerOptions.pinning, err = pin(o.pinning); err != nil {
		return &usageError{err}
	}
	m := measured{history: history}
	tell := o.observe
	o.observe = func(e bench.Event) {
		if e.Measurement != nil {
			m.measurements = append(m.measurements, *e.Measurement)
		}
		tell(e)
	}
	m.campaign, m.err = k.runner(o.runnerOptions).Run(ctx, o.request)
	if len(m.measurements) == 0 {
		if ctx.Err() != nil {
			return errors.New("interrupted before anything was measured")
		}
		return m.err
	}
	return show(m)
}

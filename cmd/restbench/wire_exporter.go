//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"slices"
	"time"

	"restbench/docs"
	"restbench/exporter"
	"restbench/internal/bench"
	"restbench/internal/host"
	"restbench/internal/report"
	"restbench/internal/store"
	"restbench/scheduler"
)

func (d *daemon) newExporter(ctx context.Context) (*exporter.Exporter, error) {
	p := d.current.Load()
	bases, err := d.bases(ctx)
	if err != nil {
		return nil, err
	}
	success, err := d.lastSuccess(ctx)
	if err != nil {
		return nil, err
	}
	return exporter.New(exporter.Options{
		Version:         version(),
		Runbooks:        docs.Runbooks(),
		TelemetryPath:   d.command.telemetryPath,
		EnableLifecycle: d.command.lifecycle,
		Protocol:        p.config.Protocol,
		Targets:         p.choice.targets(),
		Machine:         host.Describe(version()),
		SkipReasons:     scheduler.SkipReasons(),
		History:         func() (bench.Campaign, []bench.Measurement, error) { return d.lastResults(ctx) },
		Bases:           bases,
		Success:         success,
		Earlier:         d.earlierRates(ctx),
		Reload:          d.reload,
		StoreStatus:     d.storeStatus,
		Next:            d.nextStart,
		Slot:            func(after time.Time) time.Time { return d.current.Load().schedule.Next(after) },
		Log:             d.log,
	})
}

func (d *daemon) lastResults(ctx context.Context) (bench.Campaign, []bench.Measurement, error) {
	last, err := d.lastFinished(ctx)
	if err != nil || last == nil {
		return bench.Campaign{}, nil, err
	}
	measurements, err := d.history.Measurements(ctx, last.ID)
	return *last, measurements, err
}

// mostFruitless bounds how far back the last success is looked for.
const mostFruitless = 1000

// lastSuccess is the newest finished campaign with a valid measurement. Those after
// it, in which nothing was measured, must not make it forgotten: how old it is, is an
// alert.
func (d *daemon) lastSuccess(ctx context.Context) (bench.Campaign, error) {
	found, err := d.history.Campaigns(ctx, store.Filter{
		Kinds: []bench.Kind{bench.KindScheduled, bench.KindConfirm}, States: []bench.State{bench.StateFinished}, Limit: mostFruitless,
	})
	if err != nil {
		return bench.Campaign{}, err
	}
	for _, c := range found {
		measurements, err := d.history.Numbers(ctx, c.ID)
		if err != nil {
			return bench.Campaign{}, err
		}
		if slices.ContainsFunc(measurements, bench.Measurement.Ranked) {
			return c, nil
		}
	}
	return bench.Campaign{}, nil
}

// bases are those of campaigns before the last, which may have failed to measure
// its own.
func (d *daemon) bases(ctx context.Context) (map[string]string, error) {
	last, err := d.lastFinished(ctx)
	if err != nil || last == nil {
		return nil, err
	}
	return earlierBases(ctx, d.history, *last)
}

func (d *daemon) storeStatus() exporter.StoreStatus {
	status := exporter.StoreStatus{
		Bytes: d.history.Size(), WriteErrors: uint64(d.recorder.WriteErrors()), Pending: d.recorder.Pending(),
	}
	if err := d.recorder.LastErr(); err != nil {
		status.Err = err.Error()
	}
	return status
}

func (d *daemon) nextStart() time.Time {
	if next := d.next.Load(); next != nil {
		return *next
	}
	return time.Time{}
}

// mostRates bounds how far the host index looks back.
const mostRates = 30

// earlierRates reads what the host index is compared with. Without it there is
// no index, which is no reason not to measure.
func (d *daemon) earlierRates(ctx context.Context) func(bench.Protocol, time.Time) []report.Rates {
	here := host.Describe(version())
	return func(p bench.Protocol, before time.Time) []report.Rates {
		found, err := d.history.Campaigns(ctx, store.Filter{
			Kinds: []bench.Kind{bench.KindScheduled, bench.KindConfirm}, States: []bench.State{bench.StateFinished},
			ProtocolHash: p.Hash(), Until: before, Limit: mostRates,
		})
		var rates []report.Rates
		for _, c := range slices.Backward(found) {
			if !sameMachine(c.Machine, here) {
				continue
			}
			measurements, unread := d.history.Measurements(ctx, c.ID)
			if unread != nil {
				err = unread
				continue
			}
			rates = append(rates, report.NewRates(c, measurements))
		}
		if err != nil {
			d.log.Warn().Err(err).Msg("read the campaigns for the host index")
		}
		return rates
	}
}

// sameMachine leaves out what an update changes: kernel, system, restbench.
func sameMachine(a, b bench.Machine) bool {
	return a.Host == b.Host && a.CPU == b.CPU && a.Cores == b.Cores && a.Memory == b.Memory
}

//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"time"

	"restbench/exporter"
	"restbench/internal/bench"
	"restbench/internal/host"
	"restbench/scheduler"
)

func (d *daemon) newExporter(ctx context.Context) (*exporter.Exporter, error) {
	p := d.current.Load()
	bases, err := d.bases(ctx)
	if err != nil {
		return nil, err
	}
	return exporter.New(exporter.Options{
		Version:         version(),
		TelemetryPath:   d.command.telemetryPath,
		EnableLifecycle: d.command.lifecycle,
		Protocol:        p.config.Protocol,
		Targets:         p.choice.targets(),
		Machine:         host.Describe(version()),
		SkipReasons:     scheduler.SkipReasons(),
		History:         func() (bench.Campaign, []bench.Measurement, error) { return d.lastResults(ctx) },
		Bases:           bases,
		Reload:          d.reload,
		StoreStatus:     d.storeStatus,
		Next:            d.nextStart,
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

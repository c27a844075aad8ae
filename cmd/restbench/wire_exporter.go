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
	return exporter.New(exporter.Options{
		Version:         version(),
		TelemetryPath:   d.command.telemetryPath,
		EnableLifecycle: d.command.lifecycle,
		Protocol:        p.config.Protocol,
		Targets:         p.choice.targets(),
		Machine:         host.Describe(version()),
		SkipReasons:     scheduler.SkipReasons(),
		History:         func() (bench.Campaign, []bench.Measurement, error) { return d.lastResults(ctx) },
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

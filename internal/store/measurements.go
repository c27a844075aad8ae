package store

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"

	"restbench/internal/bench"
)

// EstimatedBytesPerMeasurement is what one measurement takes on disk, with its
// latency histogram, before there is a history to learn it from.
// TestBytesPerMeasurement holds it.
const EstimatedBytesPerMeasurement = 4096

func measurementColumns(m *bench.Measurement) columns {
	return columns{
		{"campaign", &m.Campaign},
		{"round", &m.Round},
		{"position", &m.Position},
		{"attempt", &m.Attempt},
		{"framework", &m.Target.Framework},
		{"edition", &m.Target.Edition},
		{"serving", &m.Target.Serving},
		{"workload", &m.Target.Workload},
		{"started", timeAt{&m.Started}},
		{"engine", &m.Load.Engine},
		{"requests", &m.Load.Requests},
		{"duration", &m.Load.Duration},
		{"bytes", &m.Load.Bytes},
		{"errors", jsonAt{&m.Load.Errors}},
		{"reconnects", &m.Load.Reconnects},
		{"client_cpu", &m.Load.ClientCPU},
		{"client_wait", &m.Load.ClientWait},
		{"client_start_cpu", &m.Load.ClientStartCPU},
		{"quantiles", jsonAt{&m.Load.Quantiles}},
		{"latency_corrected", &m.Load.LatencyCorrected},
		{"body_unchecked", &m.Load.BodyUnchecked},
		{"first_wrong", &m.Load.FirstWrong},
		{"server_cpu", &m.Server.CPU},
		{"server_memory", &m.Server.Memory},
		{"server_run_queue", &m.Server.RunQueue},
		{"server_processes", &m.Server.Processes},
		{"conditions", jsonAt{&m.Conditions}},
		{"marks", jsonAt{&m.Marks}},
		{"failure", jsonAt{&m.Failure}},
		{"latency", blobAt{&m.Load.Latency}},
		{"unconnected", &m.Load.Unconnected},
		{"server_busiest", &m.Server.Busiest},
	}
}

// Record stores one measurement in a transaction of its own; when it returns
// nil, the value survives a power cut. Recording the same measurement twice
// stores it once.
func (s *Store) Record(ctx context.Context, m bench.Measurement) error {
	err := s.transact(ctx, func(tx *sql.Tx) error { return insertMeasurement(ctx, tx, m) })
	if err != nil {
		return fmt.Errorf("store measurement of %s, round %d of campaign %d: %w", m.Target, m.Round, m.Campaign, err)
	}
	return nil
}

func insertMeasurement(ctx context.Context, tx *sql.Tx, m bench.Measurement) error {
	dropNonFinite(reflect.ValueOf(&m.Conditions).Elem())
	m.Load.Quantiles = finiteOnly(m.Load.Quantiles)
	c := measurementColumns(&m)
	_, err := tx.ExecContext(context.WithoutCancel(ctx), insertInto("measurements", c)+" ON CONFLICT DO NOTHING", c.values()...)
	return err
}

func finiteOnly(quantiles map[string]float64) map[string]float64 {
	kept := make(map[string]float64, len(quantiles))
	for name, value := range quantiles {
		if finite(value) {
			kept[name] = value
		}
	}
	return kept
}

// Measurements returns all measurements and failures of a campaign in the order
// in which they were made.
func (s *Store) Measurements(ctx context.Context, campaign int64) ([]bench.Measurement, error) {
	ms, err := queryMeasurements(ctx, source{DB: s.read}, "campaign = ? ORDER BY id", campaign)
	if err != nil {
		return nil, fmt.Errorf("read measurements of campaign %d: %w", campaign, explain(err))
	}
	return ms, nil
}

// Numbers is Measurements without latencies, wrong answers, times without
// connections and the busiest process, and of the conditions with nothing but pinning and idle limit: what can be
// read of a long history in a short time.
func (s *Store) Numbers(ctx context.Context, campaign int64) ([]bench.Measurement, error) {
	ms, err := query(ctx, source{DB: s.read}, table[bench.Measurement]{"measurements", numberColumns}, "campaign = ? ORDER BY id", campaign)
	if err != nil {
		return nil, fmt.Errorf("read measurements of campaign %d: %w", campaign, explain(err))
	}
	return ms, nil
}

// numberColumns leaves out what is long.
func numberColumns(m *bench.Measurement) columns {
	short := slices.DeleteFunc(measurementColumns(m), func(c column) bool {
		return slices.Contains([]string{"latency", "conditions", "first_wrong", "quantiles", "unconnected", "server_busiest"}, c.name)
	})
	return append(short,
		column{"coalesce(conditions ->> '$.pinning', '')", &m.Conditions.Pinning},
		column{"coalesce(conditions ->> '$.idle_limit', '')", &m.Conditions.IdleLimit})
}

func queryMeasurements(ctx context.Context, db source, where string, args ...any) ([]bench.Measurement, error) {
	return query(ctx, db, table[bench.Measurement]{"measurements", measurementColumns}, where, args...)
}

// BytesPerMeasurement is what one measurement takes on disk: from this history
// when it has enough of them, estimated otherwise.
func (s *Store) BytesPerMeasurement(ctx context.Context) (float64, error) {
	const enough = 100
	var n int64
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM measurements").Scan(&n); err != nil {
		return 0, fmt.Errorf("count measurements: %w", explain(err))
	}
	if n < enough {
		return EstimatedBytesPerMeasurement, nil
	}
	return float64(s.Size()) / float64(n), nil
}

//go:build linux && (amd64 || arm64)

package main

import (
	"context"

	"restbench/internal/bench"
	"restbench/internal/report"
	"restbench/internal/store"
)

// resultOf derives the result of a stored campaign.
func resultOf(ctx context.Context, history *store.Store, c bench.Campaign) (report.Result, error) {
	measurements, err := history.Measurements(ctx, c.ID)
	if err != nil {
		return report.Result{}, err
	}
	return derive(ctx, history, c, measurements)
}

// derive makes the result of a campaign. Where targets have no number, one of
// them may be the base; only earlier campaigns tell.
func derive(ctx context.Context, history *store.Store, c bench.Campaign, measurements []bench.Measurement) (report.Result, error) {
	result := report.New(c, measurements)
	if len(result.Missing) == 0 {
		return result, nil // each edition tells its base itself
	}
	bases, err := earlierBases(ctx, history, c)
	if err != nil {
		return result, err
	}
	return report.NewWithBases(c, measurements, bases), nil
}

// mostEarlier bounds how far earlierBases looks back.
const mostEarlier = 5

// earlierBases are the bases of the editions in the newest campaigns before c that
// had the same protocol and a number of every target that c has of the edition.
func earlierBases(ctx context.Context, history *store.Store, c bench.Campaign) (map[string]string, error) {
	found, err := history.Campaigns(ctx, store.Filter{
		States: []bench.State{bench.StateFinished}, ProtocolHash: c.Protocol.Hash(), Until: c.Started, Limit: mostEarlier,
	})
	bases := map[string]string{}
	for _, earlier := range found {
		measurements, err := history.Measurements(ctx, earlier.ID)
		if err != nil {
			return bases, err
		}
		result := report.New(earlier, measurements)
		for edition, base := range result.Bases() {
			if bases[edition] == "" && covers(result, c, edition) {
				bases[edition] = base
			}
		}
		if len(bases) == len(editions(c)) {
			break
		}
	}
	return bases, err
}

func editions(c bench.Campaign) map[string]bool {
	names := map[string]bool{}
	for _, p := range c.Participants {
		if p.Target.Edition != bench.EditionOwn && !p.Target.Control() {
			names[p.Target.Edition] = true
		}
	}
	return names
}

// covers reports whether r has a number of every target that c has of an edition:
// only then is its slowest the slowest of all.
func covers(r report.Result, c bench.Campaign, edition string) bool {
	measured := map[bench.Target]bool{}
	for _, row := range r.Results {
		measured[row.Target] = true
	}
	for _, p := range c.Participants {
		if p.Target.Edition == edition && !measured[p.Target] {
			return false
		}
	}
	return true
}

//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
	"restbench/internal/stats"
	"restbench/internal/store"
)

// Shape of what is replayed.
const (
	selfPairs   = 5   // of a comparison: as many as classic's ten rounds make
	selfReplays = 400 // comparisons that the rule asks for
)

// selfReplayed is how often equals seem to differ in the history.
func (g figureCheck) selfReplayed(ctx context.Context) (string, error) {
	var ratios []stats.Ratio
	used := 0
	err := g.eachCampaign(ctx, func(c bench.Campaign, ms []bench.Measurement) {
		// A draw of its own for each campaign: later ones leave it as it is.
		found := report.SelfRatios(c, ms, selfPairs, rand.New(rand.NewPCG(uint64(c.ID), c.Seed)))
		ratios = append(ratios, found...)
		used += min(1, len(found))
	})
	if err != nil {
		return "", err
	}
	if len(ratios) == 0 {
		return "", fmt.Errorf("no campaign in the history has %d starts of the servers, or as many rounds of one start", 2*selfPairs)
	}
	how := fmt.Sprintf("%d pairs each, replayed from %d campaigns", selfPairs, used)
	if len(ratios) < selfReplays {
		how += fmt.Sprintf("; fewer than the %d that the rule asks for", selfReplays)
	}
	return selfLine(ratios, how)
}

func selfLine(ratios []stats.Ratio, how string) (string, error) {
	line, holds := report.SelfLine(ratios, how)
	if !holds {
		return line, fmt.Errorf("equals seem to differ more often than in %g %% of the cases", 100*report.SelfShare)
	}
	return line, nil
}

// early is the time a target after which the precision of the processor time
// counts: a quarter of what classic loads for, 275 s for eleven.
const early = 25 * time.Second

// precision is how well the ratios were known in the newest campaigns of classic
// and adaptive, or, where there are none, in the newest of each protocol.
func (g figureCheck) precision(ctx context.Context) (string, error) {
	var lines, others []string
	seen := map[string]bool{}
	err := g.eachCampaign(ctx, func(c bench.Campaign, ms []bench.Measurement) {
		hash := c.Protocol.Hash()
		if seen[hash] || c.Kind == bench.KindCompare {
			return
		}
		end := report.PrecisionWithin(c, ms, 0)
		if end.Rates.Ratios == 0 {
			return
		}
		seen[hash] = true
		text := report.PrecisionLine(c.Protocol, report.PrecisionWithin(c, ms, early*time.Duration(ranked(c))), end)
		if named := []string{bench.ProtocolAdaptive, bench.ProtocolClassic}; slices.Contains(named, c.Protocol.Name) {
			lines = append(lines, text)
		} else {
			others = append(others, text)
		}
	})
	if len(lines) == 0 {
		lines = others
	}
	if err == nil && len(lines) == 0 {
		err = errors.New("no campaign in the history has a ratio with an interval; restbench run --protocol=adaptive makes one")
	}
	slices.Sort(lines)
	return strings.Join(lines, ". "), err
}

// eachCampaign hands over all that the history has, the newest first.
func (g figureCheck) eachCampaign(ctx context.Context, do func(bench.Campaign, []bench.Measurement)) error {
	history, err := g.openHistory(ctx)
	if err != nil {
		return err
	}
	defer history.Close()
	campaigns, err := history.Campaigns(ctx, store.Filter{})
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		if c.Rounds == 0 {
			continue
		}
		ms, err := history.Measurements(ctx, c.ID)
		if err != nil {
			return err
		}
		do(c, ms)
	}
	return nil
}

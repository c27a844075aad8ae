//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"restbench/internal/bench"
	"restbench/internal/change"
	"restbench/internal/host"
	"restbench/internal/store"
)

const (
	sightName  = "changes"
	tooNoisy   = 0.10 // as the alert RestbenchTooNoisy
	alertAfter = 3    // campaigns, of that alert
)

// sight says what would be noticed on this machine, from the noise of the history.
func (c *checkCommand) sight(ctx context.Context, p *plan) []host.Finding {
	var findings []host.Finding
	if text := unwatched(p); text != "" {
		findings = append(findings, host.Finding{Name: sightName, Level: host.LevelWarn, Detail: text})
	}
	known, err := c.known(ctx)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return append(findings, host.Finding{Name: sightName, Level: host.LevelOK, Detail: "no history yet: which would be noticed is known after some campaigns"})
	case err != nil:
		return append(findings, host.Finding{Name: sightName, Level: host.LevelWarn, Detail: err.Error()})
	}
	for _, target := range p.choice.targets() {
		findings = append(findings, sightFinding(target, known))
	}
	return findings
}

// unwatched says why no change can be found with this configuration; empty if one can.
func unwatched(p *plan) string {
	if rounds := p.config.Protocol.Rounds; rounds < change.FewestRounds {
		return fmt.Sprintf("not looked for: that takes %d rounds, the protocol has %d", change.FewestRounds, rounds)
	}
	return ""
}

// warnUnwatched says so once for each configuration, so that nobody waits for alerts that
// cannot come.
func (d *daemon) warnUnwatched(p *plan) {
	if text := unwatched(p); text != "" {
		d.log.Warn().Msg("lasting changes are " + text)
	}
}

func (c *checkCommand) known(ctx context.Context) (change.History, error) {
	path := filepath.Join(c.storagePath, historyFile)
	if _, err := os.Stat(path); err != nil {
		return change.History{}, err
	}
	history, err := store.OpenReadOnly(ctx, path)
	if err != nil {
		return change.History{}, err
	}
	defer history.Close()
	return changesOf(ctx, history)
}

func sightFinding(target bench.Target, known change.History) host.Finding {
	f := host.Finding{Name: sightName, Level: host.LevelOK}
	i := slices.IndexFunc(known.Targets, func(s change.Sight) bool { return s.Target == target })
	if i < 0 || known.Targets[i].Learning && len(known.Targets[i].Detectable) == 0 {
		f.Detail = target.String() + ", here: not known yet, too few campaigns in which it had enough valid rounds, or too few frameworks in them"
		return f
	}
	seen := known.Targets[i]
	f.Detail = fmt.Sprintf("%s, here: %s", target, sightText(seen))
	if seen.Learning {
		f.Detail += "; still learning"
	}
	if share, ok := seen.Detectable[alertAfter]; !seen.Learning && (!ok || share > tooNoisy) {
		f.Level = host.LevelWarn
	}
	return f
}

// smallest has two digits: more would not be true.
func smallest(share float64) string {
	if share >= 0.095 {
		return fmt.Sprintf("%.0f %%", 100*share)
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// sightText is "6.0 % in 3 campaigns (9.1 % in 2, 3.2 % in 10)".
func sightText(s change.Sight) string {
	text := fmt.Sprintf("none for sure in %d campaigns", alertAfter)
	if share, ok := s.Detectable[alertAfter]; ok {
		text = fmt.Sprintf("%s in %d campaigns", smallest(share), alertAfter)
	}
	more := ""
	for _, campaigns := range change.Horizons() {
		share, ok := s.Detectable[campaigns]
		if campaigns == alertAfter || !ok {
			continue
		}
		if more != "" {
			more += ", "
		}
		more += fmt.Sprintf("%s in %d", smallest(share), campaigns)
	}
	if more != "" {
		text += " (" + more + ")"
	}
	return text
}

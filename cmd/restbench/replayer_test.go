//go:build linux && (amd64 || arm64)

package main

import (
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
)

// changesIn writes a history and judges what another process reads of it.
func changesIn(t *testing.T, write func(s *seeding, into func(from, to int))) change.History {
	t.Helper()
	file := unhurried(t)
	s := ownSeeding(t, file, 40)
	history := openState(t, isolated(t))
	defer history.Close()
	write(&s, func(from, to int) { s.into(t, history, from, to) })
	known, err := changesOf(t.Context(), history)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// Numbers of a machine whose processors stay awake are no change of that machine.
func TestOtherIdleStatesAreAnotherProtocol(t *testing.T) {
	known := changesIn(t, func(s *seeding, into func(from, to int)) {
		s.idle = ""
		into(0, 20)
		s.idle, s.disturb = "POLL", func(int, int) float64 { return 1.4 }
		into(20, 40)
	})
	if len(known.Changes) != 1 || known.Changes[0].Scope != change.ScopeProtocol {
		t.Errorf("%+v", known.Changes)
	}
}

// A campaign knows by which signal its targets are judged.
func TestTheHistoryKnowsTheSignals(t *testing.T) {
	known := changesIn(t, func(s *seeding, into func(from, to int)) {
		s.campaign.Participants[3].Signal = bench.SignalServerCPU
		s.disturb = func(campaign, participant int) float64 {
			if campaign >= 30 && participant == 3 {
				return 0.9
			}
			return 1
		}
		into(0, 40)
	})
	if len(known.Changes) != 1 || known.Changes[0].Signal != bench.SignalServerCPU || known.Changes[0].Confirmation != change.Confirmed {
		t.Errorf("%+v", known.Changes)
	}
}

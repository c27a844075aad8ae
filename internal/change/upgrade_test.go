package change_test

import (
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
)

// What could not be installed is no other version.
func TestAFailedInstallationIsNoUpgrade(t *testing.T) {
	campaigns := history(60, changed(0.9, 1))
	failed := bench.Campaign{Kind: bench.KindScheduled, State: bench.StateFinished, Finished: campaigns[40].At}
	for i := range size {
		p := bench.Participant{Target: target(i)}
		if i != 4 {
			p.Versions = campaigns[40].Versions[target(i)]
		}
		failed.Participants = append(failed.Participants, p)
	}
	seen, ok := change.FromMeasurements(failed, nil, change.RequestsPerSecond)
	if !ok || len(seen.Versions) != size-1 {
		t.Fatalf("%t, versions %+v", ok, seen.Versions)
	}
	campaigns[40].Versions = seen.Versions
	delete(campaigns[40].Values, target(4))
	if c := only(t, replay(campaigns)); c.End.Reason != change.Expired {
		t.Errorf("end %+v", c.End)
	}
}

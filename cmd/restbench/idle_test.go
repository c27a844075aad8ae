//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/host"
)

// Numbers say whether processors could sleep while they were measured: not with the
// defaults, where restbench may decide that, and always with idle_states: any.
func TestNumbersSayHowDeepProcessorsSlept(t *testing.T) {
	awake, others := []string{}, []string{}
	if limit := idleLimit(t); limit != "" {
		awake = append(awake, limit)
	}
	if limit := (&host.Probe{}).Begin().End().IdleLimit; limit != "" { // another program's
		others = append(others, limit)
	}
	for _, c := range []struct {
		mode string
		want []string
	}{{"auto", awake}, {"any", others}} { // the first leaves no limit behind
		config := ownTargets(t, "alpha")
		rewrite(t, config, "idle_states: "+c.mode+"\n"+read(t, config))
		got := restbench(t.Context(), t, "run", "--storage.path="+isolated(t), "--config.file="+config, "--format=json", "--output="+t.TempDir())
		var result struct {
			Campaign struct {
				IdleLimits []string `json:"idle_limits"`
			}
		}
		if err := json.Unmarshal([]byte(got.out), &result); err != nil {
			t.Fatalf("%v\n%s%s", err, got.out, got.err)
		}
		if diff := cmp.Diff(c.want, result.Campaign.IdleLimits); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.mode, diff)
		}
	}
}

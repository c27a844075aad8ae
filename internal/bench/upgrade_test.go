package bench

import (
	"testing"
	"time"
)

// Ten minutes have room for 240 rounds; a short time has shorter measurements and
// as many rounds as an interval needs.
func TestUpgradeFillsItsTime(t *testing.T) {
	p := Upgrade(10*time.Minute, time.Second, 0.03)
	if p.Rounds != 240 || p.Duration != time.Second || p.Limit != 5*time.Minute || p.Precision != 0.03 || p.Name != "upgrade" {
		t.Errorf("ten minutes: %+v", p)
	}
	for length, want := range map[time.Duration]time.Duration{12 * time.Second: 200 * time.Millisecond, time.Second: 100 * time.Millisecond} {
		short := Upgrade(length, 10*time.Second, 0.03)
		if short.Duration != want || length > time.Second && short.Rounds != leastRounds {
			t.Errorf("%s: %+v", length, short)
		}
		if err := short.Validate(); err != nil {
			t.Error(err)
		}
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	if quick := Upgrade(10*time.Minute, 400*time.Millisecond, 0.03); quick.Duration != 400*time.Millisecond || quick.Warmup != 100*time.Millisecond || quick.Rounds != 600 {
		t.Errorf("with short measurements: %+v", quick)
	}
}

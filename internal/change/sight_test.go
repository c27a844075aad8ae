package change_test

import (
	"testing"

	"restbench/internal/change"
)

// What is not measured any more, by too few rounds or at all, is not said to be watched;
// one campaign without a value can happen.
func TestNothingIsPromisedOfWhatIsNotMeasured(t *testing.T) {
	for name, test := range map[string]struct {
		missing, targets, promised int
	}{
		"nobody, once":      {1, size, size},
		"nobody any more":   {2, size, 0},
		"nobody for long":   {20, size, 0},
		"one target, once":  {1, 1, size},
		"one target":        {2, 1, size - 1},
		"one for long":      {20, 1, size - 1},
		"all is as it was":  {0, 0, size},
		"few, for a moment": {1, 3, size},
	} {
		h := replay(history(50, func(campaign int, c change.Campaign) {
			for i := range test.targets {
				if campaign >= 50-test.missing {
					delete(c.Rates, target(i))
				}
			}
		}))
		promised := 0
		for _, s := range h.Targets {
			if !s.Learning && len(s.Detectable) > 0 {
				promised++
			}
			if s.Learning && len(s.Detectable) > 0 {
				t.Errorf("%s: %+v", name, s)
			}
		}
		if len(h.Targets) != size || promised != test.promised {
			t.Errorf("%s: something is promised of %d of %d, want %d", name, promised, len(h.Targets), test.promised)
		}
	}
}

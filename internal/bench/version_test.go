package bench

import "testing"

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"3.10", "3.9", 1}, {"3.9", "3.10", -1}, {"3.10", "3.10.0", 0}, {"3.10.1", "3.10", 1},
		{"3", "3.0.1", -1}, {"0.13.9", "0.5.0", 1}, {"3.x", "3.0", 0},
	} {
		if got := CompareVersions(c.a, c.b); got > 0 != (c.want > 0) || got < 0 != (c.want < 0) {
			t.Errorf("%s and %s: got %d, want %d or its sign", c.a, c.b, got, c.want)
		}
	}
}

package change_test

import (
	"slices"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/change"
)

// Whoever was there from the start and whoever reads the history later hold the
// same campaigns, and never too many.
func TestRecordIsBoundedAndTheSameForEverybody(t *testing.T) {
	first := change.NewRecord(0)
	var starts []int64 // of what was held, whenever that moved
	for n := 1; n <= 7100; n++ {
		first.Add(change.Campaign{ID: int64(n)})
		skipped := change.Skip(n)
		if got := len(first.Campaigns()); got > change.Most || got != n-skipped || got < min(n, 4000) {
			t.Fatalf("of %d campaigns %d are held, Skip says %d", n, got, skipped)
		}
		if oldest := first.Campaigns()[0].ID; oldest != int64(skipped+1) || first.Campaigns()[len(first.Campaigns())-1].ID != int64(n) {
			t.Fatalf("of %d campaigns those from %d on are held, Skip says %d", n, oldest, skipped)
		}
		if oldest := first.Campaigns()[0].ID; len(starts) == 0 || starts[len(starts)-1] != oldest {
			starts = append(starts, oldest)
		}
	}
	if want := []int64{1, 1001, 2001, 3001}; !slices.Equal(starts, want) {
		t.Errorf("what is held began with the campaigns %v, want %v: names of changes are kept for long", starts, want)
	}
	later := change.NewRecord(change.Skip(6900))
	for n := change.Skip(6900) + 1; n <= 7100; n++ {
		later.Add(change.Campaign{ID: int64(n)})
	}
	if a, b := first.Campaigns(), later.Campaigns(); len(a) != len(b) || a[0].ID != b[0].ID {
		t.Errorf("one holds %d from %d, the other %d from %d", len(a), a[0].ID, len(b), b[0].ID)
	}
}

func TestRecordKeepsVersionsOnce(t *testing.T) {
	r := change.NewRecord(0)
	for n := range 3 {
		packages := map[string]string{"h11": "1"}
		if n == 2 {
			packages["h11"] = "2"
		}
		r.Add(change.Campaign{ID: int64(n), Versions: map[bench.Target]bench.Versions{target(0): {Packages: packages}}})
	}
	of := func(n int) map[string]string { return r.Campaigns()[n].Versions[target(0)].Packages }
	of(0)["seen"] = "yes"
	if of(1)["seen"] != "yes" || of(2)["seen"] != "" {
		t.Errorf("packages are %v", []any{of(0), of(1), of(2)})
	}
}

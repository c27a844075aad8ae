package frameworks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"restbench/internal/bench"
)

func unknown(kind, name string, there []string) error {
	hint := ""
	if near := nearest(name, there); near != "" {
		hint = fmt.Sprintf(" (did you mean %s?)", near)
	}
	return fmt.Errorf("unknown %s %q%s; there are: %s", kind, name, hint, strings.Join(there, ", "))
}

func noEdition(f bench.Framework, edition string) error {
	return fmt.Errorf("%s has no edition %q; it has: %s", f.Name, edition,
		strings.Join(slices.Sorted(maps.Keys(f.Editions)), ", "))
}

// nearest is what was probably meant: the name with the fewest changes, if those
// are at most a third of it (rounded up), or the only one that begins with it.
func nearest(name string, there []string) string {
	best, distance := "", (len(name)+2)/3+1
	for _, candidate := range there {
		if d := changes(strings.ToLower(name), candidate); d < distance {
			best, distance = candidate, d
		}
	}
	if best == "" && name != "" {
		begins := slices.DeleteFunc(slices.Clone(there), func(c string) bool { return !strings.HasPrefix(c, name) })
		if len(begins) == 1 {
			return begins[0]
		}
	}
	return best
}

// changes is the Levenshtein distance.
func changes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

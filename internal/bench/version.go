package bench

import (
	"strconv"
	"strings"
)

// CompareVersions orders versions of numbers and dots as strings.Compare does text;
// a number that is missing is 0, so that "3.10" equals "3.10.0".
func CompareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		if d := number(x, i) - number(y, i); d != 0 {
			return d
		}
	}
	return 0
}

func number(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, err := strconv.Atoi(parts[i])
	if err != nil {
		return 0
	}
	return n
}

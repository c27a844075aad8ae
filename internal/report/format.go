package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// none stands where a value is undefined.
const none = "–"

// Count writes a whole number with thousands separators: 12,345.
func Count(n int64) string {
	return thousands(strconv.FormatInt(n, 10))
}

// Number writes x with the digits that margin leaves honest: the last one shown
// is the second significant digit of the margin, since what is further right is
// noise (10377.3 ± 118 is 10,380). Never more decimals than most. Without a
// margin (zero or less) four significant digits are shown.
func Number(x, margin float64, most int) string {
	place := -most // of the last digit: -1 is tenths, 1 is tens
	switch {
	case margin > 0:
		place = max(place, magnitude(margin)-1)
	case x != 0:
		place = max(place, min(0, magnitude(x)-3))
	}
	if place > 0 {
		unit := math.Pow10(place)
		x = math.Round(x/unit) * unit
	}
	return thousands(strconv.FormatFloat(x, 'f', max(0, -place), 64))
}

// magnitude is the power of ten of the first significant digit.
func magnitude(x float64) int { return int(math.Floor(math.Log10(math.Abs(x)))) }

// margin is half the width of an interval, 0 where there is none.
func margin(i *Interval) float64 {
	if i == nil {
		return 0
	}
	return (i.High() - i.Low()) / 2
}

// Seconds writes a duration with three significant digits and the unit that
// people read: 812 µs, 44.0 ms, 1.20 s.
func Seconds(s float64) string {
	switch {
	case s == 0:
		return "0 s"
	case math.Abs(s) < 0.9995e-3:
		return significant(s*1e6) + " µs"
	case math.Abs(s) < 0.9995:
		return significant(s*1e3) + " ms"
	}
	return significant(s) + " s"
}

// Bytes writes an amount of memory: 41.3 MB.
func Bytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	x, i := float64(n), 0
	for math.Abs(x) >= 999.5 && i < len(units)-1 {
		x, i = x/1000, i+1
	}
	if i == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return significant(x) + " " + units[i]
}

// significant writes x with three significant digits.
func significant(x float64) string {
	if x == 0 {
		return "0"
	}
	decimals := max(0, 2-magnitude(x))
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if rounded, _ := strconv.ParseFloat(text, 64); decimals > 0 && magnitude(rounded) > magnitude(x) {
		text = strconv.FormatFloat(x, 'f', decimals-1, 64) // 9.996 is 10.0
	}
	return thousands(text)
}

// thousands puts separators into a plain decimal number.
func thousands(text string) string {
	sign, whole, fraction := "", text, ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	if i := strings.IndexByte(whole, '.'); i >= 0 {
		whole, fraction = whole[:i], whole[i:]
	}
	var out strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(digit)
	}
	return sign + out.String() + fraction
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// enumerate writes a list of names for people.
func enumerate(names []string) string { return strings.Join(names, ", ") }

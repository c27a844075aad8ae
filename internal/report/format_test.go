package report_test

import (
	"testing"

	"restbench/internal/report"
)

func TestNumber(t *testing.T) {
	for _, test := range []struct {
		x, margin float64
		most      int
		want      string
	}{
		{10377.3, 118, 0, "10,380"}, // second digit of 118 is tens
		{10377.3, 11.8, 0, "10,377"},
		{10377.3, 1180, 0, "10,400"},
		{17.773, 0.31, 2, "17.77"},
		{17.773, 3.1, 2, "17.8"},
		{17.773, 31, 2, "18"},
		{1.0034, 0.00021, 2, "1.00"}, // never more than asked
		{410.26, 0, 1, "410.3"},      // no margin: four digits
		{10377.3, 0, 1, "10,377"},
		{0, 0, 1, "0.0"},
		{999.96, 0.3, 1, "1,000.0"},
		{-1234.5, 10, 0, "-1,234"}, // to even
	} {
		if got := report.Number(test.x, test.margin, test.most); got != test.want {
			t.Errorf("Number(%v, %v, %d) = %q, want %q", test.x, test.margin, test.most, got, test.want)
		}
	}
}

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0 s", 0.000000812: "0.812 µs", 0.0000939: "93.9 µs", 0.000812: "812 µs", 0.0009996: "1.00 ms",
		0.009996: "10.0 ms", 0.044: "44.0 ms", 0.9994: "999 ms", 0.9996: "1.00 s", 1.2: "1.20 s", 1234: "1,234 s",
	} {
		if got := report.Seconds(s); got != want {
			t.Errorf("Seconds(%v) = %q, want %q", s, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.00 kB", 41_300_000: "41.3 MB", 999_600_000: "1.00 GB", 16_000_000_000: "16.0 GB"} {
		if got := report.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := report.Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestANumberLessSureThanLargeStillShowsTwoDigits(t *testing.T) {
	wide := report.Interval{0.3, 10_700}
	if got := report.Relative(18.36, &wide); got != "18" {
		t.Errorf("Relative(18.36, ±5350) = %q, want 18", got)
	}
	rates := report.Interval{-58_000, 92_000}
	if got := report.Rate(report.Estimate{Mean: 16_671, CI95: &rates}); got != "17,000" {
		t.Errorf("Rate(16671, ±75000) = %q, want 17,000", got)
	}
}

package report_test

import (
	"testing"

	"restbench/internal/report"
)

// BenchmarkNew is a classic campaign of two editions: the daemon derives it
// anew while others measure, so it must stay cheap.
func BenchmarkNew(b *testing.B) {
	c, ms := synthetic("current", "2020")
	b.ReportAllocs()
	for b.Loop() {
		report.New(c, ms)
	}
}

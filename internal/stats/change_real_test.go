package stats_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

// campaignsOf turns the rows of a table into campaigns.
func campaignsOf(t testing.TB, data table, first int) (all [][]float64) {
	t.Helper()
	for _, cells := range data.rows {
		all = append(all, numbers(t, cells[first:]))
	}
	return all
}

// alarms replays a history in which one series is slower by share from a row on;
// each is keyed by series and row of its report.
func alarms(history [][]float64, victim, from int, share float64) map[[2]int]stats.Change {
	detector := stats.NewDetector(len(history[0]), groupConfig())
	found := map[[2]int]stats.Change{}
	for row, values := range history {
		values = append([]float64(nil), values...)
		if row >= from {
			values[victim] *= 1 - share
		}
		for _, c := range detector.Observe(stats.Campaign{Values: values}) {
			if c.Series != stats.WholeField {
				found[[2]int{c.Series, row}] = c
			}
		}
	}
	return found
}

// injectReal slows one series down at a random row of a real history and tells
// after how many campaigns that was reported, if it was not without it; 0: never.
func injectReal(history [][]float64, known map[[2]int]stats.Change, share float64, random *rand.Rand) int {
	victim, from := random.IntN(len(history[0])), 8+random.IntN(len(history)-8-15)
	found := alarms(history, victim, from, share)
	for row := from; row < from+15; row++ {
		key := [2]int{victim, row}
		if c, ok := found[key]; ok && c.Kind == stats.BecameSlower {
			if before, ok := known[key]; !ok || before.Kind != stats.BecameSlower {
				return row - from + 1
			}
		}
	}
	return 0
}

// BenchmarkRealHistory counts what is reported in a real history as it is, and
// finds slow-downs put into it at random places; one iteration is one of these.
func BenchmarkRealHistory(b *testing.B) {
	history := campaignsOf(b, readTable(b, "web-frameworks-c64.csv"), 2)
	known := alarms(history, 0, len(history), 0)
	slower := 0
	for _, c := range known {
		if c.Kind == stats.BecameSlower {
			slower++
		}
	}
	for _, share := range []float64{0.05, 0.10, 0.20} {
		b.Run(fmt.Sprintf("%g%%", 100*share), func(b *testing.B) {
			random := rand.New(rand.NewPCG(3, uint64(share*1000)))
			var all []injection
			for range b.N {
				all = append(all, injection{delay: injectReal(history, known, share, random)})
			}
			b.ReportMetric(float64(len(known)), "alarms")
			b.ReportMetric(float64(slower), "slower")
			for _, campaigns := range []int{2, 3, 5, 15} {
				b.ReportMetric(within(all, campaigns), fmt.Sprintf("within%d", campaigns))
			}
		})
	}
}

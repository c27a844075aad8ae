package stats_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/stats"
)

// table is a file of testdata: its columns after the first, row by row.
type table struct {
	names []string
	rows  [][]string
}

func readTable(t testing.TB, name string) table {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return table{all[0], all[1:]}
}

// numbers of a row from a column on; NaN where a cell is empty.
func numbers(t testing.TB, cells []string) []float64 {
	t.Helper()
	values := make([]float64, len(cells))
	for i, cell := range cells {
		values[i] = math.NaN()
		if cell == "" {
			continue
		}
		var err error
		if values[i], err = strconv.ParseFloat(cell, 64); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

// The first campaigns after what was labelled by hand. Python 3.13 and 3.14 moved
// nothing that stands out of these noisy single runs.
func labelledEvents() map[int]string {
	return map[int]string{
		48:  "Python 3.10",
		62:  "Python 3.11",
		88:  "other server engines",
		110: "Python 3.12",
		132: "granian, log levels",
		142: "machine M1",
		163: "keep-alive off",
		166: "load generator switched",
		168: "kernel 6.14",
		170: "8 to 16 processors",
	}
}

// unlabelledEvents are the other ones that are reported: nobody knows what they were, so
// that there may be fewer, but not more of them.
func unlabelledEvents() []int { return []int{} }

func labelled(row int) bool { return labelledEvents()[row] != "" }

func TestEventsOfARealHistory(t *testing.T) {
	data := readTable(t, "web-frameworks-c64.csv")
	detector := stats.NewDetector(len(data.names)-2, groupConfig())
	var events []int
	total := 0
	for row, cells := range data.rows {
		alarms := 0
		for _, c := range detector.Observe(stats.Campaign{Values: numbers(t, cells[2:])}) {
			t.Log(row, cells[0], describe(data.names[2:], c))
			if c.Series != stats.WholeField {
				alarms, total = alarms+1, total+1
				continue
			}
			events = append(events, c.Onset)
		}
		if alarms > 3 {
			t.Errorf("row %d (%s): %d frameworks alarm at once", row, cells[0], alarms)
		}
	}
	if total > 21 { // as published
		t.Errorf("%d reports on single frameworks", total)
	}
	for row, what := range labelledEvents() {
		if !slices.Contains(events, row) {
			t.Errorf("no event at row %d: %s", row, what)
		}
	}
	if diff := cmp.Diff(unlabelledEvents(), slices.DeleteFunc(events, labelled)); diff != "" {
		t.Errorf("events that nobody labelled (-want +got):\n%s", diff)
	}
}

func describe(names []string, c stats.Change) string {
	name := "field"
	if c.Series != stats.WholeField {
		name = names[c.Series]
	}
	effect := math.NaN()
	if c.Effect != nil {
		effect = *c.Effect
	}
	return fmt.Sprintf("%s %s since row %d by %.1f %% %+v", name, c.Kind, c.Onset, 100*effect, c.CI95)
}

// A known outlier at row 10 and real steps near 15, 61, 71 and 95. Nobody labelled
// 131, but the medians of the 36 rows before it and the 11 from it on are 27,470 and
// 28,342.
func TestStepsOfASingleRealSeries(t *testing.T) {
	data := readTable(t, "tigerbeetle.csv")
	detector := stats.NewDetector(1, stats.Config{})
	var onsets []int
	for _, cells := range data.rows {
		for _, c := range detector.Observe(stats.Campaign{Values: numbers(t, cells[1:])}) {
			t.Log(describe(data.names[1:], c), "reported", c.Reported)
			onsets = append(onsets, c.Onset)
		}
	}
	if diff := cmp.Diff([]int{15, 61, 71, 95, 131}, onsets); diff != "" {
		t.Errorf("onsets (-want +got):\n%s", diff)
	}
}

// Neither a target nor the machine changed in these 22 campaigns, on a machine that others used too.
func TestNoAlarmWhereNothingChanged(t *testing.T) {
	data := readTable(t, "aa-rounds.csv")
	for column, lowerIsBetter := range map[int]bool{2: false, 4: true} {
		detector := stats.NewDetector(11, stats.Config{Group: true, LowerIsBetter: lowerIsBetter})
		for _, values := range campaignMedians(t, data, column) {
			for _, c := range detector.Observe(stats.Campaign{Values: values}) {
				t.Errorf("%s: %+v", data.names[column], c)
			}
		}
	}
}

// campaignMedians makes campaigns of ten rounds each.
func campaignMedians(t *testing.T, data table, column int) (campaigns [][]float64) {
	t.Helper()
	const rounds = 10
	series := map[string]int{}
	collected := map[[2]int][]float64{}
	for _, cells := range data.rows {
		if _, ok := series[cells[1]]; !ok {
			series[cells[1]] = len(series)
		}
		round, err := strconv.Atoi(cells[0])
		if err != nil {
			t.Fatal(err)
		}
		key := [2]int{round / rounds, series[cells[1]]}
		collected[key] = append(collected[key], numbers(t, cells[column:column+1])...)
	}
	for campaign := range len(data.rows) / len(series) / rounds {
		values := make([]float64, len(series))
		for i := range values {
			values[i] = stats.Median(collected[[2]int{campaign, i}])
		}
		campaigns = append(campaigns, values)
	}
	return campaigns
}

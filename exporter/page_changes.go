package exporter

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"restbench/internal/change"
	"restbench/internal/report"
)

// mostListed bounds the list of changes; `restbench accept` lists all.
const mostListed = 20

// changeTables are what is known of changes, for people.
func (s snapshot) changeTables(now time.Time) []report.Table {
	if !s.changes.Known {
		return nil
	}
	var tables []report.Table
	if changes := s.changeTable(now); len(changes.Rows) > 0 {
		tables = append(tables, changes)
	}
	return append(tables, s.sightTable(now))
}

// changeTable lists those that hold, and those of the last two weeks.
func (s snapshot) changeTable(now time.Time) report.Table {
	t := report.Table{
		Title: "Changes",
		Columns: []report.Column{
			{Name: "change", Help: "Its name, for restbench accept"},
			{Name: "what", Help: "What became faster or slower"},
			{Name: "size", Right: true, Help: "New level by old level, less 1, with its 95 % interval: of requests per second, or, where that is said, of processor time per request"},
			{Name: "second signal", Right: true, Help: "What became of the server's processor time per request, or of its requests per second where that time is the first signal, and whether it confirms the change; not in CPU: the server waits for something; not in requests: something else than the server is the limit"},
			{Name: "since", Help: "End of the first campaign on the new level"},
			{Name: "scope", Help: "What it concerns: host, interpreter, server or framework"},
			{Name: "versions", Help: "What ran before and since, where it differs"},
			{Name: "state", Help: "Whether it holds, or how it ended"},
		},
		Notes: []string{"A change that is known: restbench accept CHANGE --reason=TEXT ends its alert."},
	}
	for _, c := range slices.Backward(s.changes.History.Changes) {
		if len(t.Rows) < mostListed && s.concerns(c) && now.Sub(c.Reported.At) < change.Longest {
			t.Rows = append(t.Rows, changeRow(c, now))
		}
	}
	return t
}

func changeRow(c change.Change, now time.Time) []string {
	state := c.Ended(now)
	if state == "" {
		state = "holds"
	}
	before, after := c.VersionsText()
	versions := before
	if before != after {
		versions += " → " + after
	}
	return []string{c.ID, c.What(), c.Size(), c.SecondText(), clock(c.Onset.At, now), string(c.Scope), versions, state}
}

// sightTable says what would be noticed.
func (s snapshot) sightTable(now time.Time) report.Table {
	t := report.Table{Title: "What would be noticed", Columns: []report.Column{{Name: "target"}}}
	for _, campaigns := range change.Horizons() {
		t.Columns = append(t.Columns, report.Column{
			Name: fmt.Sprintf("in %d campaigns", campaigns), Right: true,
			Help: "Smallest slow-down that would be reported by then in four of five cases, at the present noise",
		})
	}
	t.Columns = append(t.Columns, report.Column{Name: "state", Help: "Learning: too few campaigns on this level for small changes to be found, or none lately with a value of it"})
	for _, target := range s.targets {
		t.Rows = append(t.Rows, sightRow(s.sight(target.name)))
	}
	if len(s.changes.History.Current(now)) == 0 {
		t.Notes = []string{"No lasting change holds at the moment."}
	}
	return t
}

func sightRow(sight change.Sight) []string {
	row := []string{sight.Target.String()}
	for _, campaigns := range change.Horizons() {
		cell := "–"
		if share, ok := sight.Detectable[campaigns]; ok {
			cell = strconv.FormatFloat(100*share, 'f', 1, 64) + " %"
		}
		row = append(row, cell)
	}
	if sight.Learning {
		return append(row, "learning")
	}
	return append(row, "watched")
}

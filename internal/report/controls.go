package report

import (
	"fmt"
	"slices"

	"restbench/internal/bench"
)

// controlTable shows restbench's own servers, by name and not by speed: they are
// no part of the ranking.
func controlTable(rows []Row) Table {
	t := Table{
		Title: "Controls (restbench's own servers, not ranked)",
		Columns: []Column{
			{Name: "control"},
			{"req/s", true, "Mean of the rounds; right answers only."},
			{"± sd", true, "Standard deviation of the rounds."},
			{"95 % interval", true, "Of the mean."},
			{"n", true, "Rounds that the numbers rest on."},
			{"CPU/req", true, "Processor time that the server used for one request."},
			{"server", false, "What listens."},
			{Name: "shows", Help: "What a change of its numbers would come from."},
		},
	}
	names := markNames(&t, rows)
	for i, r := range rows {
		e := r.RequestsPerSecond
		t.Rows = append(t.Rows, []string{
			names[i], Rate(e), rateSpread(e), rateInterval(e), Count(int64(r.Rounds)),
			secondsCell(r.ServerCPUSecondsPerReq), known(r.Server), shows(r.Framework),
		})
	}
	return t
}

func shows(control string) string {
	switch control {
	case bench.ControlGo:
		return "the machine"
	case bench.ControlWSGI:
		return "interpreter, wsgiref"
	case bench.ControlASGI:
		return "interpreter, uvicorn"
	}
	return none
}

func startedAnew(rows []Row) bool {
	return slices.ContainsFunc(rows, func(r Row) bool { return r.Starts > 0 })
}

// intervalHelp says what the intervals of the rates rest on.
func intervalHelp(rows []Row) string {
	if startedAnew(rows) {
		return "Of the mean, by Student's t, over the starts of the servers."
	}
	return "Of the mean, by Student's t, over the rounds of one start of the servers."
}

// startNote says what the intervals of the rates hold for: one start of the
// servers, or several. Then it says how much of the spread lies between the
// starts, for the target where that is most.
func startNote(rows []Row) []string {
	if !startedAnew(rows) {
		return oneStartNote(rows)
	}
	worst, share := rows[0], -1.0
	for _, r := range rows {
		if r.BetweenStarts != nil && *r.BetweenStarts/r.RequestsPerSecond.Mean > share {
			worst, share = r, *r.BetweenStarts/r.RequestsPerSecond.Mean
		}
	}
	note := "Servers were started anew between the rounds; intervals rest on the starts."
	if share >= 0 && worst.WithinStarts != nil {
		note += fmt.Sprintf(" From start to start %s differs most: by %.1f %%, and by %.1f %% inside one.",
			worst.Framework, 100*share, 100**worst.WithinStarts/worst.RequestsPerSecond.Mean)
	}
	return []string{note}
}

func oneStartNote(rows []Row) []string {
	if !slices.ContainsFunc(rows, func(r Row) bool { return r.RequestsPerSecond.CI95 != nil }) {
		return nil
	}
	return []string{"Servers were started once: the intervals are those of that start."}
}

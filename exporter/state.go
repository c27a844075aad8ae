package exporter

import (
	"fmt"
	"slices"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// state is what happens now, in words.
type state struct {
	Running  bool
	Title    string   // "Measuring sanic@current"
	Details  []string // one sentence each
	Percent  int      // of the campaign
	Round    string   // "Round 3 of 10"; empty outside the rounds
	Left     string   // "about 21 min left"; empty while nobody knows
	Failures []report.FailureRow
}

func newState(s snapshot, now, next time.Time) state {
	if s.live == nil {
		return idle(s, now, next)
	}
	return running(s.live, now)
}

func idle(s snapshot, now, next time.Time) state {
	st := state{Title: "Waiting for the next campaign"}
	switch {
	case next.IsZero():
		st.Details = append(st.Details, "No campaign is planned.")
	default:
		st.Details = append(st.Details, fmt.Sprintf("It starts at %s, in %s.", clock(next, now), span(next.Sub(now))))
	}
	if !s.lastSuccess.IsZero() {
		st.Details = append(st.Details, fmt.Sprintf("The last complete one finished at %s, %s ago, and took %s.",
			clock(s.lastSuccess, now), span(now.Sub(s.lastSuccess)), span(s.lastTook)))
	}
	return st.after(s, now)
}

// after tells how the last campaign ended, where the results do not: one without
// a result would otherwise leave no trace.
func (st state) after(s snapshot, now time.Time) state {
	if s.ended == nil || s.ended.campaign.ID == 0 {
		return st
	}
	c := s.ended.campaign
	if c.State != bench.StateFinished {
		st.Details = append(st.Details, fmt.Sprintf("Campaign %d was %s at %s, after %d of %d rounds.",
			c.ID, c.State, clock(c.Finished, now), c.Rounds, c.Protocol.Rounds))
	}
	if s.shown == nil || s.shown.result.Campaign.ID != c.ID {
		st.Failures = report.Together(s.ended.failures)
	}
	return st
}

func running(l *live, now time.Time) state {
	st := state{Running: true, Title: l.title(), Failures: report.Together(l.failures)}
	if l.detail != "" {
		st.Details = append(st.Details, l.detail)
	}
	if l.campaign.ID == 0 {
		return st
	}
	p := l.campaign.Protocol
	st.Details = append(st.Details, fmt.Sprintf("Campaign %d (%s), protocol %s, started at %s.",
		l.campaign.ID, l.campaign.Kind, p.Name, clock(l.campaign.Started, now)))
	if l.phase == bench.PhaseMeasuring && l.round > 0 {
		st.Round = fmt.Sprintf("Round %d of %d, %d of %d targets done", l.round, p.Rounds, len(l.done), l.width())
		st.Percent = l.percent()
		st.Left = "about " + span(l.left(now)) + " left"
	}
	return st
}

func (l *live) title() string {
	what := map[bench.Phase]string{
		bench.PhaseWaiting:   "Waiting for another campaign on this machine",
		bench.PhasePreparing: "Preparing environments",
		bench.PhaseStarting:  "Starting servers",
		bench.PhaseMeasuring: "Measuring",
		bench.PhaseStopping:  "Stopping servers",
	}[l.phase]
	if l.target != nil {
		what += " " + l.target.String()
	}
	return what
}

// width is how many targets have a turn in each round.
func (l *live) width() int { return max(len(l.done), len(l.campaign.Participants)-len(l.out)) }

func (l *live) steps() (done, all int) {
	return max(0, l.round-1)*l.width() + len(l.done), l.campaign.Protocol.Rounds * l.width()
}

func (l *live) percent() int {
	done, all := l.steps()
	return 100 * done / max(1, all)
}

// left is estimated from the turns so far; none is shorter than the protocol
// makes it.
func (l *live) left(now time.Time) time.Duration {
	done, all := l.steps()
	p, since := l.campaign.Protocol, l.measuring
	turn := p.Duration + p.Warmup
	if l.turns > 0 {
		turn = max(turn, l.turned.Sub(l.measuring)/time.Duration(l.turns))
		since = l.turned
	}
	under := max(0, min(turn, now.Sub(since)))
	return max(0, time.Duration(all-done)*turn-under)
}

// span writes a duration as people say it.
func span(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Seconds()+0.5))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()+0.5))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24+0.5))
}

// clock leaves out the day when it is today's.
func clock(t, now time.Time) string {
	layout := "2006-01-02 15:04 UTC"
	if t.UTC().Truncate(24 * time.Hour).Equal(now.UTC().Truncate(24 * time.Hour)) {
		layout = "15:04 UTC"
	}
	return t.UTC().Format(layout)
}

// maxFailures bounds what is listed of a campaign under way; its report has all.
const maxFailures = 30

func (l *live) failed(m bench.Measurement) {
	if m.Failure == nil || len(l.failures) >= maxFailures {
		return
	}
	l.failures = append(slices.Clip(l.failures), report.FailureRow{
		Target: m.Target.String(), Round: m.Round, Stage: m.Failure.Stage, Cause: m.Failure.Cause,
	})
}

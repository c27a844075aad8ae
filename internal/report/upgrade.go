package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Verdicts lists what can be said of an upgrade.
func Verdicts() []stats.Verdict {
	return []stats.Verdict{stats.Slower, stats.Faster, stats.Same, stats.Unknown}
}

// Upgrade is an upgrade campaign as it is shown: a comparison whose A is the set
// of releases before and whose B is the new one.
type Upgrade struct {
	Comparison
	Target        bench.Target // B's
	Before, After string       // releases of the framework; the same where another package has changed
	Precise       bool         // the ratio is known as well as was asked for
	Responsible   []string     // of several packages, those that make the difference; empty where that was not looked for
	Searched      bool         // to the end: no further measurement tells more of Responsible
	Accepted      *Acceptance  // nil while nobody has accepted it
}

// Acceptance is the word of a person that an upgrade is known.
type Acceptance struct {
	At   time.Time
	Note string // the reason that was given
}

// longestNews is how long a difference is told: what nobody acted upon for two weeks
// is how things are.
const longestNews = 14 * 24 * time.Hour

// ID is the name by which an upgrade is accepted.
func (u Upgrade) ID() string { return fmt.Sprintf("%d-%s", u.Campaign.ID, u.Target) }

// What names the upgrade for people: the target and the packages that differ.
func (u Upgrade) What() string { return u.Target.String() + ", " + u.releases() }

// Size is the ratio of speeds with its interval, for people.
func (u Upgrade) Size() string {
	text := ratioCell(u.Speed.Estimate) + " times"
	if u.Speed.CI95 != nil {
		text += fmt.Sprintf(" (95 %% interval %s)", spanCell(u.Speed.CI95))
	}
	return text
}

// Active reports whether a difference is to be told: until somebody accepts it, for
// two weeks at the most.
func (u Upgrade) Active(now time.Time) bool {
	return u.Differs() && u.Accepted == nil && now.Before(u.expiry())
}

func (u Upgrade) expiry() time.Time {
	if u.Campaign.Finished == nil {
		return u.Campaign.Started.Add(longestNews)
	}
	return u.Campaign.Finished.Add(longestNews)
}

// Ended says how a difference ceased to be told; empty while it is, and where there
// is none.
func (u Upgrade) Ended(now time.Time) string {
	const minute = "2006-01-02 15:04 UTC"
	switch {
	case u.Accepted != nil:
		return "accepted " + u.Accepted.At.UTC().Format(minute) + ": " + u.Accepted.Note
	case u.Differs() && !u.Active(now):
		return "expired " + u.expiry().UTC().Format(minute)
	}
	return ""
}

// NewUpgrade derives what a campaign of kind upgrade says. Its verdict is told as
// soon as there is a loss: see stats.JudgeShift.
func NewUpgrade(c bench.Campaign, ms []bench.Measurement, threshold float64) Upgrade {
	u := Upgrade{Comparison: NewComparison(c, ms, threshold)}
	if len(c.Participants) < 2 {
		return u
	}
	a, b := c.Participants[0], c.Participants[1]
	u.Target, u.Before, u.After = b.Target, a.Versions.Framework, b.Versions.Framework
	if u.Speed.Estimate != nil {
		u.Verdict = stats.JudgeShift(*u.Speed.Estimate, u.Speed.CI95.stats(), threshold)
	}
	u.Precise = u.precise()
	return u
}

// stats is the interval as the mathematics has it.
func (i *Interval) stats() *stats.Interval {
	if i == nil {
		return nil
	}
	return &stats.Interval{Low: i.Low(), High: i.High()}
}

// SpeedCI95 is the interval of the ratio of speeds, nil where there is none.
func (u Upgrade) SpeedCI95() *stats.Interval { return u.Speed.CI95.stats() }

// Differs reports whether the new releases are surely faster or slower.
func (u Upgrade) Differs() bool { return u.Verdict == stats.Slower || u.Verdict == stats.Faster }

// Text is the upgrade in one line: what has changed, the verdict, and how sure it
// is.
func (u Upgrade) Text() string {
	if u.Speed.Estimate == nil {
		return u.What() + ": no verdict, because there is no round in which both sets of releases have a number"
	}
	text := fmt.Sprintf("%s: %s, %s times %s of before", u.What(), u.verdict(), ratioCell(u.Speed.Estimate), u.speed())
	if u.Speed.CI95 != nil {
		text += fmt.Sprintf(" (95 %% interval %s)", spanCell(u.Speed.CI95))
	}
	parts := []string{text, u.responsible(), u.imprecise()}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "; ")
}

// speed is what the ratio is of.
func (u Upgrade) speed() string {
	return u.does("the requests per second", "the requests per second of processor time")
}

// verdict in words that go without an explanation.
func (u Upgrade) verdict() string {
	margin := percent(u.Threshold)
	switch u.Verdict {
	case stats.Slower:
		return "slower"
	case stats.Faster:
		return "faster"
	case stats.Same:
		return "no difference of more than " + margin
	}
	return "not known whether it differs by more than " + margin
}

func (u Upgrade) releases() string {
	var texts []string
	for _, d := range u.Packages {
		texts = append(texts, fmt.Sprintf("%s %s → %s", d.Name, known(or(d.A)), known(or(d.B))))
	}
	if len(texts) == 0 {
		return "no package has changed"
	}
	return strings.Join(texts, ", ")
}

func (u Upgrade) responsible() string {
	switch {
	case len(u.Responsible) == 0:
		return ""
	case u.Searched && len(u.Responsible) == 1:
		return "responsible: " + u.Responsible[0]
	case u.Searched:
		return "responsible together: " + strings.Join(u.Responsible, ", ")
	}
	return "responsible: among " + strings.Join(u.Responsible, ", ")
}

// imprecise says so when the ratio is not known as well as was asked for.
func (u Upgrade) imprecise() string {
	asked := percent(u.Campaign.Protocol.Precision)
	switch log := u.logCI95(); {
	case u.Speed.Estimate == nil || u.Precise:
		return ""
	case log == nil:
		return fmt.Sprintf("its precision is not known; ± %s was asked for", asked)
	default:
		return fmt.Sprintf("known to ± %s on %s of the servers; ± %s was asked for",
			percent(math.Expm1((log.High-log.Low)/2)), plural(u.Starts, "start"), asked)
	}
}

// UpgradeTable is the newest upgrade of each target.
func UpgradeTable(upgrades []Upgrade, now time.Time) Table {
	t := Table{
		Title: "Upgrades",
		Columns: []Column{
			{Name: "framework"},
			{Name: "packages", Help: "Those of which another release was measured than before."},
			{"new ÷ old", true, "Of requests per second, or, where a note says so, of requests per second of the server's processor time, from the ratios inside the rounds, over the starts of the servers."},
			{Name: "95 % interval", Right: true},
			{Name: "verdict", Help: "Faster or slower where the difference is larger than the threshold and the interval excludes that there is none."},
			{Name: "responsible", Help: "Where several packages have changed: which one makes the difference."},
			{Name: "name", Help: "What restbench accept takes, to end its alert; it begins with the campaign."},
		},
	}
	for _, u := range upgrades {
		t.Rows = append(t.Rows, []string{
			u.Target.String(), u.releases(), ratioCell(u.Speed.Estimate), spanCell(u.Speed.CI95),
			string(u.Verdict), responsibleCell(u), u.ID(),
		})
		if u.Signal == bench.SignalServerCPU {
			t.Notes = append(t.Notes, u.Target.String()+": new ÷ old is of "+u.speed()+".")
		}
		if note := u.imprecise(); note != "" {
			t.Notes = append(t.Notes, u.Target.String()+": "+note+".")
		}
		if ended := u.Ended(now); ended != "" {
			t.Notes = append(t.Notes, u.Target.String()+": "+ended+".")
		}
	}
	slices.Sort(t.Notes)
	return t
}

func responsibleCell(u Upgrade) string {
	text := u.responsible()
	if text == "" {
		return none
	}
	return strings.TrimPrefix(text, "responsible: ")
}

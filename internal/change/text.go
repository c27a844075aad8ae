package change

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Packages are the names of those that differ, are new or are gone.
func Packages(before, after bench.Versions) (names []string) {
	for name, version := range before.Packages {
		if after.Packages[name] != version {
			names = append(names, name)
		}
	}
	for name := range after.Packages {
		if _, ok := before.Packages[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// What names what the change concerns, for people.
func (c Change) What() string {
	if c.Target.Framework != "" {
		return c.Target.String()
	}
	switch c.Scope {
	case ScopeHost:
		return fmt.Sprintf("the machine (%s)", c.who())
	case ScopeFramework:
		return fmt.Sprintf("several frameworks (%s)", c.who())
	}
	return fmt.Sprintf("the %s (%s)", c.Scope, c.who())
}

// who names the part of a field whose effect is told: their baselines begin anew, so
// that nothing else will name them.
func (c Change) who() string {
	all := "all of edition " + c.Target.Edition
	if c.Scope == ScopeFramework {
		all = "of edition " + c.Target.Edition
	}
	switch names := strings.Join(c.Part, ", "); {
	case names == "":
		return all
	case c.Relative:
		return fmt.Sprintf("a part of edition %s, relative to the rest: %s", c.Target.Edition, names)
	default:
		return fmt.Sprintf("a part of edition %s: %s", c.Target.Edition, names)
	}
}

// Size is the effect with its interval, for people; empty when there is none.
func (c Change) Size() string {
	if c.Effect == nil {
		return ""
	}
	if c.Signal == bench.SignalRequests { // which is what people think of
		return size(*c.Effect, c.CI95)
	}
	return signalName(c.Signal) + " " + size(*c.Effect, c.CI95)
}

func signalName(s bench.Signal) string {
	if s == bench.SignalServerCPU {
		return "CPU/req"
	}
	return "req/s"
}

func size(effect float64, ci *stats.Interval) string {
	text := percent(effect)
	if ci != nil {
		text += fmt.Sprintf(" (95 %% interval %s to %s)", percent(ci.Low), percent(ci.High))
	}
	return text
}

// SecondText is what became of the second signal and whether that confirms the change,
// for people; empty for a whole field.
func (c Change) SecondText() string {
	word := strings.NewReplacer("cpu", "CPU", "_", " ").Replace(string(c.Confirmation))
	if c.Second == nil {
		return word
	}
	return fmt.Sprintf("%s %s, %s", signalName(second(c.Signal)), size(c.Second.Effect, &c.Second.CI95), word)
}

func percent(share float64) string { return fmt.Sprintf("%+.1f %%", 100*share) }

// mostPackages bounds a list for people.
const mostPackages = 4

// VersionsText says what ran before and what runs since, each beginning with the
// release of the target. Both are empty for a whole field.
func (c Change) VersionsText() (before, after string) {
	changed := Packages(c.Before, c.After)
	return versionsText(c.Before, c.Before.Python != c.After.Python, changed), versionsText(c.After, c.Before.Python != c.After.Python, changed)
}

func versionsText(v bench.Versions, python bool, packages []string) string {
	var parts []string
	if v.Framework != "" {
		parts = append(parts, v.Framework)
	}
	if python && v.Python != "" {
		parts = append(parts, "Python "+v.Python)
	}
	for i, name := range packages {
		if i == mostPackages {
			parts = append(parts, fmt.Sprintf("%d more packages", len(packages)-i))
			break
		}
		version := v.Packages[name]
		if version == "" {
			version = "(none)"
		}
		parts = append(parts, name+" "+version)
	}
	return strings.Join(parts, ", ")
}

// WasAccepted says when and why somebody accepted a change, if that ended it.
func (c Change) WasAccepted(now time.Time) (at time.Time, note string, ok bool) {
	if c.End == nil || c.End.Reason != Accepted || now.Before(c.End.At) {
		return time.Time{}, "", false
	}
	return c.End.At, c.End.Note, true
}

// Ended says how a change ceased to be active; empty until then, also by a clock that was
// set back to before it was reported.
func (c Change) Ended(now time.Time) string {
	if c.End == nil || now.Before(c.End.At) {
		return ""
	}
	text := string(c.End.Reason) + " " + c.End.At.UTC().Format("2006-01-02 15:04 UTC")
	if c.End.Note != "" {
		text += ": " + c.End.Note
	}
	return text
}

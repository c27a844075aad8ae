package change

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
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
	what := "the machine"
	if c.Scope != ScopeHost {
		what = "the " + string(c.Scope)
	}
	return fmt.Sprintf("%s (all of edition %s)", what, c.Target.Edition)
}

// Size is the effect with its interval, for people; empty when there is none.
func (c Change) Size() string {
	if c.Effect == nil {
		return ""
	}
	text := percent(*c.Effect)
	if c.CI95 != nil {
		text += fmt.Sprintf(" (95 %% interval %s to %s)", percent(c.CI95.Low), percent(c.CI95.High))
	}
	return text
}

// CostText is what became of processor time per request, for people; empty when
// it is not known.
func (c Change) CostText() string {
	if c.Cost == nil {
		return ""
	}
	return percent(*c.Cost)
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

// Ended says how a change ceased to be active; empty while it is.
func (c Change) Ended(now time.Time) string {
	if c.Active(now) || c.End == nil {
		return ""
	}
	text := string(c.End.Reason) + " " + c.End.At.UTC().Format("2006-01-02 15:04 UTC")
	if c.End.Note != "" {
		text += ": " + c.End.Note
	}
	return text
}

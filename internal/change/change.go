package change

import (
	"fmt"
	"math"
	"time"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Longest is how long a change is active at most: what nobody acted upon for two
// weeks is how things are.
const Longest = 14 * 24 * time.Hour

// Change is one change of one target, or of a whole field.
type Change struct {
	ID           string // the same whenever the history is replayed
	Signal       bench.Signal
	Scope        Scope
	Direction    stats.ChangeKind
	Target       bench.Target // of a whole field only edition, serving and workload
	Part         []string     // of a whole field: the frameworks whose effect it is, where that is not the one of all
	Relative     bool         // of a part: to the rest of the field; else as measured
	Onset        Moment
	Reported     Moment
	Effect       *float64 // new ÷ old - 1 of the signal; nil when there was nothing before
	CI95         *stats.Interval
	Second       *stats.Shift   // of the other signal; nil where it is not known, and of a whole field
	Confirmation Confirmation   // by it; empty for a whole field
	Before       bench.Versions // of the target; empty for a whole field
	After        bench.Versions
	End          *End // nil while it is active
}

// Moment is a campaign and when it was finished.
type Moment struct {
	Campaign int64
	At       time.Time
}

// Reason says why a change is not active any more.
type Reason string

// The reasons. A new baseline is none: whoever gets used to a loss still has it.
const (
	Returned Reason = "returned" // to the old level
	Upgraded Reason = "upgraded" // other versions run now
	Accepted Reason = "accepted" // somebody knows and lives with it
	Expired  Reason = "expired"
)

// End is how a change ceased to be active.
type End struct {
	Reason Reason
	At     time.Time
	Note   string // the reason that was given with an acceptance
}

// Acceptance is the word of a person that a change is known.
type Acceptance struct {
	ID   string // of the change
	At   time.Time
	Note string
}

// Whole reports whether the whole field changed, and not one target of it.
func (c Change) Whole() bool { return c.Target.Framework == "" }

// worthAWord is the smallest effect of an event of a whole field that is called
// slower or faster. Such events are reported whatever they did, even nothing.
const worthAWord = 0.02

// Directions of changes.
const (
	Slower = "slower"
	Faster = "faster"
	Same   = "same" // another environment on which nothing is known to be slower or faster
)

// Way is the direction that its size shows.
func (c Change) Way() string {
	if c.Effect == nil || c.Scope == ScopeProtocol || c.Whole() && !c.clear() {
		return Same
	}
	if (*c.Effect < 0) != c.Signal.LowerIsBetter() {
		return Slower
	}
	return Faster
}

// clear reports whether the interval tells the effect from none.
func (c Change) clear() bool {
	return c.CI95 != nil && !c.CI95.Contains(0) && math.Abs(*c.Effect) >= worthAWord
}

// Active reports whether the change held at that time.
func (c Change) Active(now time.Time) bool {
	return !now.Before(c.Reported.At) && (c.End == nil || now.Before(c.End.At))
}

// identity is made of what never changes once a change was reported.
func identity(c Change) string {
	what := c.Target.String()
	if c.Whole() {
		what = "environment@" + c.Target.Edition
	}
	if c.Target.Serving != bench.ServingDocumented && c.Target.Serving != "" {
		what += "/" + c.Target.Serving
	}
	if c.Target.Workload != bench.WorkloadHello && c.Target.Workload != "" {
		what += "/" + c.Target.Workload
	}
	return fmt.Sprintf("%d-%s", c.Reported.Campaign, what)
}

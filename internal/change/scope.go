package change

import (
	"maps"
	"math"
	"slices"
	"strings"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// Scope says what a change concerns.
type Scope string

// The scopes.
const (
	ScopeHost        Scope = "host"        // the machine: the whole field, and the control that is nothing else
	ScopeProtocol    Scope = "protocol"    // what is measured how: nothing became slower or faster
	ScopeInterpreter Scope = "interpreter" // of the whole field, or of one target
	ScopeServer      Scope = "server"      // what listens for one target
	ScopeFramework   Scope = "framework"   // one target relative to its field, or several that nothing else explains
)

// Scopes lists all scopes.
func Scopes() []Scope {
	return []Scope{ScopeHost, ScopeProtocol, ScopeInterpreter, ScopeServer, ScopeFramework}
}

// scopeOfOne names what differs between the versions before and after.
func scopeOfOne(before, after bench.Versions) Scope {
	if before.Framework != after.Framework {
		return ScopeFramework
	}
	if before.Python != after.Python {
		return ScopeInterpreter
	}
	changed := Packages(before, after)
	for _, name := range changed {
		if !strings.Contains(strings.ToLower(after.Server), strings.ToLower(name)) {
			return ScopeFramework
		}
	}
	if len(changed) > 0 {
		return ScopeServer
	}
	return ScopeFramework
}

const (
	moves     = 0.5 // share of an event that a control must show to have been moved by it
	looksBack = 10  // campaigns before a change that what moved with it is compared with
)

// scopeOfAll asks the controls: one that runs no Python moves with the machine
// alone. Without it, it is the machine unless the interpreter is known to be another or
// only some moved; with it, the machine only where that moved, or is another one.
func (w *watch) scopeOfAll(found stats.Change) Scope {
	switch {
	case found.Onset > 0 && w.seen[found.Onset-1].Protocol != w.seen[found.Onset].Protocol:
		return ScopeProtocol
	case found.Effect == nil:
		return w.scopeByVersions(found)
	}
	machine, known := w.moved(bench.ControlGo, found)
	switch {
	case known && machine >= moves:
		return ScopeHost
	case w.scopeByVersions(found) == ScopeInterpreter:
		return ScopeInterpreter
	case !known && !found.Relative: // else the rest of the field says that it was not the machine
		return ScopeHost
	}
	for _, name := range []string{bench.ControlWSGI, bench.ControlASGI} {
		if share, ok := w.moved(name, found); ok && share >= moves {
			return ScopeInterpreter
		}
	}
	if found.Onset > 0 && w.seen[found.Onset-1].Machine != w.seen[found.Onset].Machine {
		return ScopeHost
	}
	return w.scopeByUpgrades(found)
}

// part names the frameworks that moved in an event; none where all that were measured did.
func (w *watch) part(found stats.Change) (names []string) {
	values := w.seen[found.Reported].values(w.signal)
	rest := false
	for i, t := range w.targets {
		if slices.Contains(found.Moved, i) {
			names = append(names, t.Framework)
		} else if values[t] > 0 {
			rest = true
		}
	}
	if !rest && !found.Relative {
		return nil
	}
	return names
}

// scopeByUpgrades is what the upgrades of the targets at that time have in common.
func (w *watch) scopeByUpgrades(found stats.Change) Scope {
	scopes := map[Scope]bool{}
	for _, t := range w.targets {
		before, after := w.versions(found.Onset-1, t), w.versions(found.Reported, t)
		if known(before) && !sameVersions(before, after) {
			scopes[scopeOfOne(before, after)] = true
		}
	}
	if len(scopes) == 1 && !scopes[ScopeFramework] {
		return slices.Collect(maps.Keys(scopes))[0]
	}
	return ScopeFramework
}

func (w *watch) scopeByVersions(found stats.Change) Scope {
	for campaign := found.Onset; campaign <= found.Reported; campaign++ {
		if w.renewed[campaign] {
			return ScopeInterpreter
		}
	}
	return ScopeHost
}

// moved is the movement of a control as a share of that of the field, both as measured,
// or both relative to what the field has in common.
func (w *watch) moved(control string, found stats.Change) (share float64, ok bool) {
	by, ok := w.movementOf(bench.ControlTarget(control), found)
	whole := math.Log1p(*found.Effect)
	if !ok || whole == 0 {
		return 0, false
	}
	if found.Relative {
		by -= w.inCommon(found)
	}
	return by / whole, true
}

// inCommon is the movement that most of the field shares.
func (w *watch) inCommon(found stats.Change) float64 {
	var all []float64
	for _, t := range w.targets {
		if by, ok := w.movementOf(t, found); ok {
			all = append(all, by)
		}
	}
	if len(all) == 0 {
		return 0
	}
	return stats.Median(all)
}

func (w *watch) movementOf(t bench.Target, found stats.Change) (by float64, ok bool) {
	return w.movement(found, func(c Campaign) float64 { return c.values(w.signal)[t] })
}

// movement is by how much a number moved with a change, in ln.
func (w *watch) movement(found stats.Change, number func(Campaign) float64) (by float64, ok bool) {
	before := numbers(w.seen[max(0, found.Onset-looksBack):found.Onset], number)
	after := numbers(w.seen[found.Onset:found.Reported+1], number)
	if len(before) == 0 || len(after) == 0 {
		return 0, false
	}
	return math.Log(stats.Median(after) / stats.Median(before)), true
}

// numbers are those that are known: above zero.
func numbers(campaigns []Campaign, number func(Campaign) float64) (all []float64) {
	for _, c := range campaigns {
		if v := number(c); v > 0 {
			all = append(all, v)
		}
	}
	return all
}

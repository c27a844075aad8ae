package change

import "slices"

// accept ends what somebody accepted before it ended otherwise, and what is too old.
func (h *History) accept(accepted []Acceptance) {
	for i := range h.Changes {
		c := &h.Changes[i]
		c.end(End{Reason: Expired, At: c.Reported.At.Add(Longest)})
	}
	for _, a := range accepted {
		for i := range h.Changes {
			if c := &h.Changes[i]; c.ID == a.ID || h.twins(a.ID, *c) {
				c.end(End{Reason: Accepted, At: a.At, Note: a.Note})
			}
		}
	}
}

// end keeps the earliest of several ends.
func (c *Change) end(e End) {
	if c.End == nil || e.At.Before(c.End.At) {
		c.End = &e
	}
}

// Twins are the names of the changes that an acceptance of this one ends as well: what
// happened to a machine happened to all editions that are measured on it, and each has
// found it for itself.
func (h History) Twins(id string) (names []string) {
	for _, c := range h.Changes {
		if h.twins(id, c) {
			names = append(names, c.ID)
		}
	}
	return names
}

// twins reports whether a change is the one of that name in another group.
func (h History) twins(id string, c Change) bool {
	i := slices.IndexFunc(h.Changes, func(c Change) bool { return c.ID == id })
	if i < 0 || c.ID == id {
		return false
	}
	other := h.Changes[i]
	ofMachine := c.Whole() && other.Whole() && c.Scope == ScopeHost && other.Scope == ScopeHost
	return ofMachine && c.Target != other.Target && c.Way() == other.Way() && h.near(c, other)
}

// near reports whether nothing tells apart when two changes happened.
func (h History) near(a, b Change) bool {
	distance := h.place(a.Onset) - h.place(b.Onset)
	return a.Reported.Campaign == b.Reported.Campaign || max(distance, -distance) <= uncertain
}

// place of a campaign among all that were judged.
func (h History) place(m Moment) int {
	return slices.IndexFunc(h.Doubts, func(d Doubt) bool { return d.Campaign == m.Campaign })
}

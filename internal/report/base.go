package report

import (
	"fmt"
	"slices"

	"restbench/internal/bench"
	"restbench/internal/stats"
)

// field is the targets that are ranked against each other: one edition, served
// and asked in the same way.
type field struct{ edition, serving, workload string }

func fieldOf(t bench.Target) field { return field{t.Edition, t.Serving, t.Workload} }

// relate sets what is relative to the base of each field, and says where a
// relative is absent or should be read with care.
func relate(rows []Row, s groups, bases map[string]string) []string {
	if s.partial {
		return nil
	}
	found, notes := s.bases(bases)
	for i := range rows {
		if base := baseOf(rows[i].Target, found); base != nil {
			rows[i].relateTo(base, s)
		}
	}
	return notes
}

// bases are those of the fields, with what a reader must know of them. known are
// those of earlier campaigns, by edition.
func (s groups) bases(known map[string]string) (found map[field]*series, notes []string) {
	found = map[field]*series{}
	for _, f := range s.fields() {
		base, note := s.base(f, known[f.edition])
		if base != nil {
			found[f] = base
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	return found, notes
}

// baseOf finds the base of a target. Those of the user's own are compared with
// the field of today's releases, if possible one that is served and asked in
// the same way.
func baseOf(t bench.Target, found map[field]*series) *series {
	if t.Edition != bench.EditionOwn {
		return found[fieldOf(t)]
	}
	if base := found[field{bench.EditionCurrent, t.Serving, t.Workload}]; base != nil {
		return base
	}
	return found[field{bench.EditionCurrent, bench.ServingDocumented, bench.WorkloadHello}]
}

func (r *Row) relateTo(base *series, s groups) {
	r.Base = &base.Target.Framework
	if r.Target == base.Target {
		one := 1.0
		r.Relative, r.RelativeCI95, r.RelativePairs = &one, &Interval{1, 1}, r.Rounds
		return
	}
	bases, _ := summarize(s.protocol, base.chosen)
	relative := r.RequestsPerSecond.Mean / bases.Mean
	r.Relative = &relative
	mine, its := pairs(s.series(r.Target).chosen, base.chosen, s.protocol)
	ratio, err := s.ratio(mine, its)
	if err != nil {
		return // no common round, or one without a request: no interval
	}
	r.RelativePairs, r.RelativeCI95 = ratio.N, interval(ratio.CI95)
}

// base is the slowest of a field, or nil with the reason if it cannot be one.
// The slowest of all that have any number decides: when it was valid in less
// than half of the rounds, the next one does not become 1 in its place. The
// same holds for known, the base of earlier campaigns, when it takes part.
func (s groups) base(f field, known string) (base *series, note string) {
	var unmeasured []string
	for _, t := range s.targets {
		switch {
		case fieldOf(t.Target) != f:
		case len(t.chosen) == 0:
			unmeasured = append(unmeasured, t.Target.Framework)
		case base == nil || t.mean() < base.mean():
			base = t
		}
	}
	if f.edition == bench.EditionOwn || base == nil {
		return nil, ""
	}
	if i := slices.Index(unmeasured, known); known != "" && i >= 0 {
		return nil, fmt.Sprintf("%s: relative is absent, its base %s has no valid round", f.edition, known)
	}
	if len(base.chosen)*2 < s.rounds || base.mean() <= 0 {
		return nil, fmt.Sprintf("%s: relative is absent, the slowest, %s, is valid in %d of %s only",
			f.edition, base.Target.Framework, len(base.chosen), plural(s.rounds, "round"))
	}
	if len(unmeasured) > 0 && known == "" {
		note = fmt.Sprintf("%s: relative to %s, the slowest that was measured; without a number: %s",
			f.edition, base.Target.Framework, enumerate(unmeasured))
	}
	return base, note
}

func (t *series) mean() float64 {
	return stats.Summarize(values(t.chosen, bench.Measurement.RequestsPerSecond)).Mean
}

func (s groups) series(t bench.Target) *series {
	i := slices.IndexFunc(s.targets, func(o *series) bool { return o.Target == t })
	return s.targets[i]
}

// fields in the campaign's order. Controls are not ranked and have none.
func (s groups) fields() []field {
	var fields []field
	for _, t := range s.targets {
		if f := fieldOf(t.Target); !t.Target.Control() && !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	return fields
}

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"restbench/internal/bench"
)

// marks says in words what a reader must know of a target's numbers, each mark
// once with the number of rounds that it concerns. Invalid rounds and failures
// come first, what is merely good to know last.
func marks(t *series, rounds int, latency []string) []string {
	out := []string{}
	out = append(out, t.lost(rounds)...)
	out = append(out, t.counted(bench.MarkNoisy, rounds)...)
	out = append(out, t.repeated(rounds)...)
	out = append(out, t.own()...)
	if slices.ContainsFunc(t.chosen, func(m bench.Measurement) bool { return m.Load.BodyUnchecked }) {
		out = append(out, "body unchecked")
	}
	out = append(out, latency...)
	out = append(out, t.counted(bench.MarkNote, rounds)...)
	return append(out, t.firstWrong()...)
}

// own is the marks of the participant itself.
func (t *series) own() []string {
	var out []string
	for _, m := range t.Marks {
		text := strings.ReplaceAll(m.Reason, "_", " ")
		if m.Detail != "" {
			text += ": " + m.Detail
		}
		out = append(out, text)
	}
	return out
}

// counted is the marks of one kind on the measurements that count.
func (t *series) counted(kind bench.MarkKind, rounds int) []string {
	n := map[string]int{}
	for _, m := range t.chosen {
		for _, reason := range reasons(m, kind) {
			n[reason]++
		}
	}
	return inRounds(string(kind), n, rounds)
}

// lost is why rounds have no valid measurement, and what failed outside them.
func (t *series) lost(rounds int) []string {
	invalid, failed, outside := map[string]int{}, map[string]int{}, []string{}
	for i, m := range t.all {
		again := i+1 < len(t.all) && t.all[i+1].Round == m.Round
		switch {
		case m.Failure != nil && m.Round == 0:
			outside = append(outside, "failed: "+string(m.Failure.Stage))
		case again || m.Valid() || m.Round > rounds || t.valid(m.Round):
		case m.Failure != nil:
			failed[string(m.Failure.Stage)]++
		default:
			for _, reason := range reasons(m, bench.MarkInvalid) {
				invalid[reason]++
			}
		}
	}
	out := append(inRounds("failed", failed, rounds), slices.Compact(outside)...)
	return append(out, inRounds(string(bench.MarkInvalid), invalid, rounds)...)
}

// repeated is what the measurements were marked with that another one of the
// same round stands for.
func (t *series) repeated(rounds int) []string {
	n := map[string]int{}
	for _, m := range t.all {
		if m.Round < 1 || m.Round > rounds || m.Failure != nil || t.stands(m) || !t.valid(m.Round) {
			continue
		}
		for _, kind := range []bench.MarkKind{bench.MarkNoisy, bench.MarkInvalid} {
			for _, reason := range reasons(m, kind) {
				n[reason]++
			}
		}
	}
	return inRounds("repeated", n, rounds)
}

func (t *series) valid(round int) bool {
	return slices.ContainsFunc(t.chosen, func(m bench.Measurement) bool { return m.Round == round })
}

func (t *series) stands(m bench.Measurement) bool {
	return slices.ContainsFunc(t.chosen, func(c bench.Measurement) bool {
		return c.Round == m.Round && c.Attempt == m.Attempt
	})
}

func (t *series) firstWrong() []string {
	for _, m := range t.all {
		if m.Load.FirstWrong != "" {
			return []string{"first wrong answer: " + m.Load.FirstWrong}
		}
	}
	return nil
}

// reasons of one kind, each once.
func reasons(m bench.Measurement, kind bench.MarkKind) []string {
	var out []string
	for _, mark := range m.Marks {
		if mark.Kind == kind {
			out = append(out, strings.ReplaceAll(mark.Reason, "_", " "))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// inRounds words the counts, the most frequent first.
func inRounds(word string, counts map[string]int, rounds int) []string {
	var out []string
	for reason := range counts {
		out = append(out, reason)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	for i, reason := range out {
		out[i] = fmt.Sprintf("%s: %s in %d of %s", word, reason, counts[reason], plural(rounds, "round"))
	}
	return out
}

package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
)

// Conditions says in a few lines what the numbers rest on: campaign, protocol,
// machine, and the notes of the campaign.
func Conditions(r Result) []string {
	h := r.Campaign
	lines := []string{
		fmt.Sprintf("Campaign %d (%s, %s), %s, %s.", h.ID, h.Kind, h.State,
			h.Started.UTC().Format("2006-01-02 15:04 UTC"), describeRounds(h)),
		"Protocol " + describeProtocol(h) + ".",
		"Machine: " + describeMachine(h) + ".",
	}
	if spent := describeTime(h); spent != "" {
		lines = append(lines, "Time: "+spent+".")
	}
	lines = append(lines, missingLines(r.Missing)...)
	for _, note := range r.Notes {
		lines = append(lines, "Note: "+note+".")
	}
	return lines
}

func describeProtocol(h Header) string {
	p := h.Protocol
	warm := "no warm-up"
	if p.Warmup > 0 {
		warm = "warm-up " + p.Warmup.String()
	}
	order := string(p.Order) + " order"
	if p.Order == bench.OrderShuffled {
		order += fmt.Sprintf(" (seed %d)", h.Seed)
	}
	return fmt.Sprintf("%s: %s%s of %s, %s, %s, %s, %s%s, engine %s", p.Name, AtMost(p), plural(p.Rounds, "round"), p.Duration,
		plural(p.Threads, "thread"), plural(p.Connections, "connection"), order, warm, describeAdaptive(p), engineNames(h))
}

// describeTime says how much of a finished campaign's time was load.
func describeTime(h Header) string {
	if h.Finished == nil || h.Loaded == 0 {
		return ""
	}
	all := h.Finished.Sub(h.Started)
	load := time.Duration(h.Loaded * float64(time.Second))
	return fmt.Sprintf("%s of load in %s; %.1f %% of it went into everything else",
		load.Round(time.Second), all.Round(time.Second), 100*(1-load.Seconds()/all.Seconds()))
}

func engineNames(h Header) string {
	if len(h.Engines) == 0 {
		return h.Protocol.Engine
	}
	return strings.Join(h.Engines, ", ")
}

func describeMachine(h Header) string {
	m := h.Machine
	parts := []string{m.CPU, plural(m.Cores, "core"), Bytes(m.Memory)}
	for _, part := range []string{m.System, m.Arch} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if m.Kernel != "" {
		parts = append(parts, "kernel "+m.Kernel)
	}
	switch m.Virtual {
	case "":
	case "yes":
		parts = append(parts, "virtual machine")
	default:
		parts = append(parts, "virtual machine ("+m.Virtual+")")
	}
	if m.Container {
		parts = append(parts, "container")
	}
	if slices.ContainsFunc(h.Pinning, func(p string) bool { return p != bench.PinningNone }) {
		parts = append(parts, "pinned: "+strings.Join(h.Pinning, ", "))
	}
	if len(h.IdleLimits) > 0 {
		parts = append(parts, "idle states no deeper than "+strings.Join(h.IdleLimits, ", "))
	}
	return strings.Join(parts, ", ")
}

// missingLines is one line a reason: an edition without its interpreter is one
// fact, not eleven.
func missingLines(missing []Missing) []string {
	by := map[string][]string{}
	var reasons []string
	for _, m := range missing {
		reason := strings.Join(m.Reasons, "; ")
		if reason == "" {
			reason = "not measured"
		}
		if by[reason] == nil {
			reasons = append(reasons, reason)
		}
		by[reason] = append(by[reason], m.Target)
	}
	var lines []string
	for _, reason := range reasons {
		lines = append(lines, fmt.Sprintf("No result (%s): %s.", reason, enumerate(by[reason])))
	}
	return lines
}

//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"restbench/internal/bench"
)

// progress tells people how a campaign goes on: a bar with the time left on a
// terminal, a line a step elsewhere.
type progress struct {
	mu     sync.Mutex
	w      io.Writer
	bar    *progressbar.ProgressBar // nil where there is no terminal, and before the rounds
	rounds int
	total  int // measurements planned
	done   int
	begun  time.Time // of the first measurement
	each   time.Duration
	limit  time.Duration // of all of them together; 0: none

	failures repeated
}

func newProgress(w io.Writer, p bench.Protocol, targets int) *progress {
	return &progress{w: w, rounds: p.Rounds, total: p.Rounds * targets, each: p.Duration + p.Warmup, limit: p.Limit * time.Duration(targets)}
}

// Observe takes the events of the campaign.
func (p *progress) Observe(e bench.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case e.Measurement != nil:
		p.measured(*e.Measurement)
	case e.Phase == bench.PhaseMeasuring && e.Target != nil:
		p.begin()
		p.describe(fmt.Sprintf("round %d/%d  %s", e.Round, e.Campaign.Protocol.Rounds, e.Target))
	case e.Phase == bench.PhaseMeasuring && e.Round > 0 && p.bar == nil:
		p.line("round %d of %d done, %s left", e.Round, e.Campaign.Protocol.Rounds, p.left())
	case e.Phase != bench.PhaseMeasuring:
		p.phase(e)
	}
}

// Detail is one step of the preparation of one target.
func (p *progress) Detail(name, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line("  %s: %s", name, detail)
}

func (p *progress) begin() {
	if !p.begun.IsZero() {
		return
	}
	p.begun = time.Now()
	if isTerminal(p.w) {
		p.bar = progressbar.NewOptions(p.total, progressbar.OptionSetWriter(p.w), progressbar.OptionSetWidth(24),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))
	}
}

func (p *progress) measured(m bench.Measurement) {
	if m.Round > 0 && m.Attempt == 0 {
		p.done++
	}
	p.drop(m)
	if p.bar != nil {
		_ = p.bar.Set(p.done) // a bar that cannot be drawn is no reason to stop
	}
	switch {
	case m.Failure != nil:
		p.failed(m)
	case !m.Valid():
		p.line("  %s: not counted: %s", m.Target, invalid(m))
	}
}

// invalid is why m does not count.
func invalid(m bench.Measurement) string {
	for _, mark := range m.Marks {
		if mark.Kind == bench.MarkInvalid {
			return mark.Detail
		}
	}
	return ""
}

func (p *progress) failed(m bench.Measurement) {
	if p.failures.same(m.Failure) {
		return
	}
	p.line("  %s: %s", m.Target, m.Failure)
	p.failures.told(m.Failure)
}

// drop takes the rounds out that a target will not have because it cannot be
// started.
func (p *progress) drop(m bench.Measurement) {
	if m.Failure == nil || !slices.Contains([]bench.Stage{bench.StageInstall, bench.StageStart, bench.StageReady}, m.Failure.Stage) {
		return
	}
	p.total = max(p.done, p.total-(p.rounds-m.Round))
	if p.bar != nil {
		p.bar.ChangeMax(max(1, p.total))
	}
}

func (p *progress) phase(e bench.Event) {
	if e.Target != nil {
		return
	}
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
	if e.Phase != bench.PhaseDone {
		p.line("%s", phaseText(e))
	} else if more := p.failures.end(); more > 0 {
		fmt.Fprintf(p.w, "  the same with %d more targets\n", more)
	}
}

func (p *progress) describe(text string) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%-38s %8s left", text, p.left()))
	}
}

// left assumes that the rest goes as what was done so far did, and before
// anything was done that the protocol's times are all there is.
func (p *progress) left() time.Duration {
	each := p.each
	if p.done > 0 {
		each = time.Since(p.begun) / time.Duration(p.done)
	}
	left := each * time.Duration(p.total-p.done)
	if p.limit > 0 && !p.begun.IsZero() {
		left = min(left, max(0, p.limit-time.Since(p.begun)))
	}
	return left.Round(time.Second)
}

func (p *progress) line(format string, args ...any) {
	if more := p.failures.end(); more > 0 {
		format, args = "  the same with %d more targets\n"+format, append([]any{more}, args...)
	}
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}

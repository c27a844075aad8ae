package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"restbench/internal/bench"
)

// progress tells people how a campaign goes on: a bar with the time left on a
// terminal, a line a step elsewhere.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	bar   *progressbar.ProgressBar // nil where there is no terminal, and before the rounds
	total int                      // measurements planned
	done  int
	begun time.Time // of the first measurement
	each  time.Duration

	cause string // of the failure that was told last
	more  int    // failures since then that have the same
}

func newProgress(w io.Writer, p bench.Protocol, targets int) *progress {
	return &progress{w: w, total: p.Rounds * targets, each: p.Duration + p.Warmup}
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
	if m.Round > 0 {
		p.done++
		if p.bar != nil {
			_ = p.bar.Set(p.done) // a bar that cannot be drawn is no reason to stop
		}
	}
	switch {
	case m.Failure != nil:
		p.failed(m)
	case !m.Valid():
		p.line("  %s: not counted: %s", m.Target, m.Marks[0].Detail)
	}
}

// failed tells a cause once, however many targets have it: an edition without
// its interpreter is one fact.
func (p *progress) failed(m bench.Measurement) {
	if m.Failure.Error() == p.cause {
		p.more++
		return
	}
	p.line("  %s: %s", m.Target, m.Failure)
	p.cause = m.Failure.Error()
}

func (p *progress) phase(e bench.Event) {
	if e.Phase == bench.PhaseDone || e.Target != nil {
		return
	}
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
	text := string(e.Phase)
	switch e.Phase {
	case bench.PhasePreparing:
		text = fmt.Sprintf("preparing %d environments", len(e.Campaign.Participants))
	case bench.PhaseStarting:
		text = "starting servers"
	case bench.PhaseStopping:
		text = "stopping servers"
	}
	if e.Detail != "" {
		text = e.Detail
	}
	p.line("%s", text)
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
	return (each * time.Duration(p.total-p.done)).Round(time.Second)
}

func (p *progress) line(format string, args ...any) {
	if p.more > 0 {
		format, args = "  the same with %d more targets\n"+format, append([]any{p.more}, args...)
	}
	p.cause, p.more = "", 0
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}

//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/environment"
	"restbench/internal/release"
	"restbench/internal/report"
	"restbench/internal/stats"
	"restbench/scheduler"
)

// upgrader renews the edition latest, one framework after the other: it asks the
// package index, measures what is new against what was measured before, and
// looks for the package that makes a difference.
type upgrader struct {
	*daemon
	said        map[string]string // what went wrong last, by framework
	unreachable bool              // the index was, and that was told
	followed    *plan             // whose upgrades are shown
}

// never is the schedule while the edition is off.
type never struct{}

func (never) Next(time.Time) time.Time { return time.Time{} }

// upgrades is the actor that renews the edition on its own schedule.
func (d *daemon) upgrades(ctx context.Context) error {
	u := &upgrader{daemon: d, said: map[string]string{}}
	p := d.current.Load()
	last := p.choice.latest.asked()
	loop := &scheduler.Loop{
		Schedule: func() scheduler.Schedule { return d.current.Load().renewal },
		Run:      u.renew,
		Failed:   func(err error) { d.log.Error().Err(err).Msg("renew the edition latest") },
		Skipped:  func(string) {}, // a slot that was missed brings nothing that the next one does not
		Planned:  func(time.Time) { u.follow(ctx) },
		Now:      p.choice.latest.on() && (last.IsZero() || !p.renewal.Next(last).After(time.Now())),
		Last:     last,
		Reloaded: d.renewed,
	}
	return loop.Start(ctx)
}

// follow shows the upgrades of what is configured now: at the start, and anew
// after each reload.
func (u *upgrader) follow(ctx context.Context) {
	p := u.current.Load()
	if u.followed == p {
		return
	}
	u.followed = p
	u.show(ctx)
	u.announce(p)
}

func (u *upgrader) announce(p *plan) {
	if !p.choice.latest.on() {
		return
	}
	rules := p.choice.latest.rules
	u.log.Info().Str("schedule", rules.Schedule).Msgf("edition latest: releases wait for %s; an upgrade is measured for %s at the most", rules.MinAge, rules.Time)
}

// alone does what must not meet a campaign of this daemon.
func (d *daemon) alone(ctx context.Context, do func() error) error {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
		return do()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renew asks the index once for each framework. What goes wrong with one is told
// once and does not hold up the others; while the index cannot be reached at all,
// that alone is told, and what was measured before goes on.
func (u *upgrader) renew(ctx context.Context) error {
	p := u.current.Load()
	u.log.Debug().Msg("asking the package index")
	for _, targets := range p.choice.latest.byFramework() {
		err := u.framework(ctx, p, targets)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, environment.ErrUnreachable):
			u.cut(err)
			return nil
		}
		u.say(targets[0].Target.Framework, err)
	}
	if !p.choice.latest.on() {
		return nil
	}
	return p.choice.latest.noteAsked()
}

// cut tells once that the index cannot be reached.
func (u *upgrader) cut(err error) {
	if !u.unreachable {
		u.log.Warn().Err(err).Msg("edition latest stays as it is: the package index cannot be reached")
	}
	u.unreachable = true
}

func (u *upgrader) answered() {
	if u.unreachable {
		u.log.Info().Msg("the package index answers again")
	}
	u.unreachable = false
}

// say tells what went wrong with a framework, unless that is what was told last;
// ports differ each time.
func (u *upgrader) say(framework string, err error) {
	text := ""
	if err != nil {
		text = regexp.MustCompile(`:\d+`).ReplaceAllString(err.Error(), "")
	}
	if text != "" && u.said[framework] != text {
		u.log.Warn().Str("framework", framework).Err(err).Msg("edition latest stays as it is")
	}
	u.said[framework] = text
}

// framework renews one. All of its targets run on the same releases.
func (u *upgrader) framework(ctx context.Context, p *plan, targets []frameworks.Other) error {
	l, o := p.choice.latest, targets[0]
	var old, offered []byte
	err := u.alone(ctx, func() (err error) {
		if old, err = l.read(o, lockFile); err == nil {
			offered, err = l.resolve(ctx, p.environments, o)
		}
		return err
	})
	if err != nil {
		return err
	}
	u.answered()
	changed, err := changedPackages(old, offered)
	switch {
	case err != nil:
		return err
	case old == nil:
		return l.keep(o, offered, nil)
	case len(changed) > 0:
		u.log.Info().Stringer("target", o.Target).Strs("packages", changed).Msg("the package index offers other releases")
		if err := u.upgrade(ctx, p, targets, sets{before: old, other: offered, edition: bench.EditionLatest}); err != nil {
			return err
		}
	}
	return u.search(ctx, p, targets)
}

func changedPackages(old, offered []byte) ([]string, error) {
	before, err := release.ParseSet(old)
	if err != nil {
		return nil, err
	}
	after, err := release.ParseSet(offered)
	return release.Changed(before, after), err
}

// sets are two locks that are measured against each other.
type sets struct {
	before, other []byte
	edition       string // what the other is called in the campaign
}

// upgrade measures the new releases beside the old ones, for each target of a
// framework, and then makes them what is measured. Without a number of theirs
// the old ones stay. Old ones that have none do not: they would stay for ever.
func (u *upgrader) upgrade(ctx context.Context, p *plan, targets []frameworks.Other, s sets) error {
	for _, o := range targets {
		done, cause, err := u.versus(ctx, p, o, s)
		switch {
		case err != nil:
			return err
		case done.B == nil:
			return fmt.Errorf("the new releases have no result: %s", cause)
		case done.A == nil:
			u.tellAlone(done, cause)
		default:
			u.tell(done)
		}
	}
	if err := p.choice.latest.keep(targets[0], s.other, s.before); err != nil {
		return err
	}
	u.show(ctx)
	return nil
}

func (u *upgrader) tell(done report.Upgrade) {
	level := zerolog.InfoLevel
	if done.Verdict == stats.Slower {
		level = zerolog.WarnLevel
	}
	u.log.WithLevel(level).Int64("campaign", done.Campaign.ID).Str("verdict", string(done.Verdict)).Msg(done.Text())
}

// tellAlone tells of new releases that nothing could be compared with.
func (u *upgrader) tellAlone(done report.Upgrade, cause string) {
	u.log.Warn().Int64("campaign", done.Campaign.ID).Str("verdict", string(done.Verdict)).
		Msgf("%s; the old ones have none, and the new ones take their place: %s", done.Text(), cause)
}

// versus runs one campaign of the releases before and others. cause says why the
// others have no number, or, where they have, why those before have none.
func (u *upgrader) versus(ctx context.Context, p *plan, o frameworks.Other, s sets) (done report.Upgrade, cause string, err error) {
	rules := p.choice.latest.rules
	err = u.alone(ctx, func() error {
		if err := u.checkSpace(); err != nil {
			return err
		}
		precision, err := u.precision(ctx, p, o, s)
		if err != nil {
			return err
		}
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		w := &pairWatch{tell: u.observe, end: cancel, edition: s.edition, causes: map[string]string{}}
		c, err := u.runner(runnerOptions{
			command: "restbench serve", pinning: p.pinning, idle: p.config.IdleStates, observe: w.observe, enough: enoughToCompare{},
			history: u.history, recorder: u.recorder,
		}).Run(running, scheduler.Request{
			Kind: bench.KindUpgrade, Protocol: bench.Upgrade(rules.Time, p.config.Protocol.Duration, precision), Seed: newSeed(),
			Entrants: []scheduler.Entrant{upgradeEntrant(p, o, bench.EditionBefore, s.before), upgradeEntrant(p, o, s.edition, s.other)},
		})
		done = report.NewUpgrade(c, w.measurements, rules.Threshold)
		cause = w.cause(done)
		if errors.Is(err, scheduler.ErrNothingMeasured) {
			err = nil
		}
		return err
	})
	if err == nil {
		err = ctx.Err() // an interrupted campaign says nothing
	}
	return done, cause, err
}

// precision is how well the ratio of a campaign is to be known: as configured, and
// of a set between the old one and the new one as well as tells which it is like.
func (u *upgrader) precision(ctx context.Context, p *plan, o frameworks.Other, s sets) (float64, error) {
	rules := p.choice.latest.rules
	if s.edition != bench.EditionBetween {
		return rules.Precision, nil
	}
	h, err := readPast(ctx, u.history, rules.Threshold)
	if err != nil {
		return 0, err
	}
	newest, err := h.newest(ctx, o)
	if err != nil || newest == nil {
		return rules.Precision, err
	}
	return release.Precision(*newest.Speed.Estimate, rules.Precision), nil
}

// upgradeEntrant is a target on the releases of a lock. What they are is known
// even where they cannot be installed.
func upgradeEntrant(p *plan, o frameworks.Other, edition string, lock []byte) scheduler.Entrant {
	e := p.choice.latest.with(o, edition, lock)
	prepare := preparer(p.environments, e)
	return scheduler.Entrant{Target: e.Target, Signal: e.Serving.Signal, Workload: e.Workload, Prepare: func(ctx context.Context) (scheduler.Prepared, error) {
		prepared, err := prepare(ctx)
		if set, unread := release.ParseSet(lock); err != nil && unread == nil {
			prepared.Versions = bench.Versions{Framework: e.LockedVersion(), Packages: set.Versions()}
		}
		return prepared, err
	}}
}

// pairWatch keeps what a campaign of releases before and others measures, and
// ends it when one of the two cannot take part and the other is of no use without
// it.
type pairWatch struct {
	tell         func(bench.Event)
	end          context.CancelFunc
	edition      string // of the others
	measurements []bench.Measurement
	causes       map[string]string // the first failure of each, by edition
}

func (w *pairWatch) observe(e bench.Event) {
	w.tell(e)
	if e.Measurement == nil {
		return
	}
	w.measurements = append(w.measurements, *e.Measurement)
	f, t := e.Measurement.Failure, e.Measurement.Target
	if f == nil {
		return
	}
	if first, _, _ := strings.Cut(f.Error(), "\n"); w.causes[t.Edition] == "" { // the history has all of it
		w.causes[t.Edition] = fmt.Sprintf("%s: %s", t, first)
	}
	if hopeless(f) && w.needs(t.Edition) {
		w.end()
	}
}

// needs reports whether a campaign without those of an edition is of no use. The
// new releases are measured without those before, too, which may never have
// worked; of a set between the two nothing but the ratio is of use.
func (w *pairWatch) needs(edition string) bool {
	return edition == w.edition || w.edition == bench.EditionBetween
}

// cause is why the others have no number, or, where they have, why those before
// have none.
func (w *pairWatch) cause(done report.Upgrade) string {
	edition := bench.EditionBefore
	if done.B == nil {
		edition = w.edition
	}
	if w.causes[edition] != "" {
		return w.causes[edition]
	}
	for _, m := range done.Missing {
		if m.Key.Edition == edition {
			return fmt.Sprintf("%s: %s", m.Target, strings.Join(m.Reasons, "; "))
		}
	}
	return ""
}

// hopeless reports whether a target that failed takes no further part.
func hopeless(f *bench.Failure) bool {
	return slices.Contains([]bench.Stage{bench.StageInstall, bench.StageStart, bench.StageReady}, f.Stage)
}

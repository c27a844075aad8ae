//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
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
	heard       bool              // the index has answered in this renewal

	following sync.Mutex
	followed  *plan // whose upgrades are shown
}

// never is the schedule while the edition is off.
type never struct{}

func (never) Next(time.Time) time.Time { return time.Time{} }

// upgrades is the actor that renews the edition on its own schedule.
func (d *daemon) upgrades(ctx context.Context) error {
	u := &upgrader{daemon: d, said: map[string]string{}}
	p, reloaded := d.current.Load(), make(chan struct{}, 1)
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { u.reloads(ctx, reloaded) })
	last := p.choice.latest.asked()
	loop := &scheduler.Loop{
		Schedule: func() scheduler.Schedule { return d.current.Load().renewal },
		Run:      u.renew,
		Failed:   func(err error) { d.log.Error().Err(err).Msg("renew the edition latest") },
		Skipped:  func(string) {}, // a slot that was missed brings nothing that the next one does not
		Planned:  func(time.Time) { u.follow(ctx) },
		Now:      p.choice.latest.on() && (last.IsZero() || !p.renewal.Next(last).After(time.Now())),
		Last:     last,
		Reloaded: reloaded,
	}
	return loop.Start(ctx)
}

// reloads shows at once what a reload has changed, and passes the word on to the
// loop, which hears it only between two renewals, and these may take hours.
func (u *upgrader) reloads(ctx context.Context, pass chan<- struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.renewed:
		}
		u.follow(ctx)
		select {
		case pass <- struct{}{}:
		default: // one is pending; it will see this plan
		}
	}
}

// follow shows the upgrades of what is configured now: at the start, and anew
// after each reload.
func (u *upgrader) follow(ctx context.Context) {
	u.following.Lock()
	defer u.following.Unlock()
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

// errOutdated ends what was begun with a configuration that holds no more.
var errOutdated = errors.New("the configuration has changed")

// inTurn does alone what p wants, if p is still what holds when the turn comes.
func (u *upgrader) inTurn(ctx context.Context, p *plan, do func() error) error {
	return u.alone(ctx, func() error {
		if !u.current.Load().same(p) {
			return errOutdated
		}
		return do()
	})
}

// renew begins anew, with what is configured now, where a reload comes in between:
// with sources that are no longer allowed nothing more is built.
func (u *upgrader) renew(ctx context.Context) error {
	for {
		if err := u.renewAs(ctx, u.current.Load()); !errors.Is(err, errOutdated) {
			return err
		}
	}
}

// renewAs asks the index once for each framework. What goes wrong with one is told
// once and does not hold up the others; while the index cannot be reached at all, or
// serves nobody, that alone is told, and what was measured before goes on.
func (u *upgrader) renewAs(ctx context.Context, p *plan) error {
	u.heard = false
	var unserved []refused
	u.log.Debug().Msg("asking the package index")
	for _, targets := range p.choice.latest.byFramework() {
		name := targets[0].Target.Framework
		err := u.framework(ctx, p, targets)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errOutdated):
			return err
		case errors.Is(err, environment.ErrUnreachable):
			u.cut(err)
			return nil
		case errors.Is(err, environment.ErrUnavailable):
			unserved = append(unserved, refused{name, err})
		default:
			u.say(name, err)
		}
	}
	return u.conclude(p, unserved)
}

// refused is a framework of which the index could say nothing, and why.
type refused struct {
	framework string
	err       error
}

// conclude tells of those that the index did not serve: where it has served nobody, it
// is not there, whoever answers in its place.
func (u *upgrader) conclude(p *plan, unserved []refused) error {
	if !u.heard {
		if len(unserved) > 0 {
			u.cut(unserved[0].err)
		}
		return nil
	}
	for _, one := range unserved {
		u.say(one.framework, one.err)
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
	u.unreachable, u.heard = false, true
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
	err := u.inTurn(ctx, p, func() (err error) {
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
// framework, and then makes them what is measured. Without a number of theirs, and
// where one of their starts did not work, the old ones stay. Old ones that have no
// number do not: they would stay for ever.
func (u *upgrader) upgrade(ctx context.Context, p *plan, targets []frameworks.Other, s sets) error {
	for _, o := range targets {
		done, err := u.versus(ctx, p, o, s)
		switch {
		case err != nil:
			return err
		case done.B == nil:
			return fmt.Errorf("the new releases have no result: %s", done.cause)
		case done.Campaign.State != bench.StateFinished:
			return fmt.Errorf("the new releases did not start every time: %s", done.cause)
		case done.A == nil:
			u.tellAlone(done)
		default:
			u.tell(done.Upgrade)
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
func (u *upgrader) tellAlone(done finding) {
	u.log.Warn().Int64("campaign", done.Campaign.ID).Str("verdict", string(done.Verdict)).
		Msgf("%s; the old ones have none, and the new ones take their place: %s", done.Text(), done.cause)
}

// finding is what a campaign of the releases before and others has said.
type finding struct {
	report.Upgrade
	cause   string // what ended it early; else why the others have no number, or, where they have, those before
	settled bool   // whatever it has said holds
}

// versus runs one campaign of the releases before and others.
func (u *upgrader) versus(ctx context.Context, p *plan, o frameworks.Other, s sets) (done finding, err error) {
	rules := p.choice.latest.rules
	err = u.inTurn(ctx, p, func() error {
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
		done = finding{Upgrade: report.NewUpgrade(c, w.measurements, rules.Threshold), settled: settled(c, w.measurements)}
		done.cause = w.cause(done.Upgrade)
		if errors.Is(err, scheduler.ErrNothingMeasured) {
			err = nil
		}
		return err
	})
	if err == nil {
		err = ctx.Err() // an interrupted campaign says nothing
	}
	return done, err
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

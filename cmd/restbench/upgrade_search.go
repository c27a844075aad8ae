//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/release"
	"restbench/internal/report"
	"restbench/internal/stats"
	"restbench/internal/store"
)

const (
	// mostSets bounds how many intermediate sets are measured for one upgrade: a
	// single cause among 256 packages is found.
	mostSets = 8
	// mostUpgrades bounds how far back upgrades are looked for.
	mostUpgrades = 1000
)

// past is the upgrade campaigns of the history, newest first.
type past struct {
	history   *store.Store
	campaigns []bench.Campaign
	accepted  []store.Acceptance
	threshold float64
}

func readPast(ctx context.Context, history *store.Store, threshold float64) (past, error) {
	found, err := history.Campaigns(ctx, store.Filter{Kinds: []bench.Kind{bench.KindUpgrade}, Limit: mostUpgrades})
	if err != nil {
		return past{}, err
	}
	accepted, err := history.Acceptances(ctx)
	return past{history, found, accepted, threshold}, err
}

// pastUpgrade is one of them with its campaign.
type pastUpgrade struct {
	report.Upgrade
	campaign bench.Campaign
	among    past
	own      string // the framework's package
}

// newest is the newest complete upgrade of a target that has a ratio, nil where
// there is none.
func (h past) newest(ctx context.Context, o frameworks.Other) (*pastUpgrade, error) {
	for _, c := range h.campaigns {
		if !upgradeOf(c, o.Target) {
			continue
		}
		u, err := h.upgrade(ctx, c)
		if err != nil {
			return nil, err
		}
		if u.Speed.Estimate != nil {
			return &pastUpgrade{u, c, h, o.Recipe.Package}, nil
		}
	}
	return nil, nil
}

// upgradeOf reports whether a campaign has brought a target to new releases.
func upgradeOf(c bench.Campaign, t bench.Target) bool {
	return c.State == bench.StateFinished && len(c.Participants) == 2 && c.Participants[1].Target == t
}

// upgrade is what a campaign says, and what somebody said of it.
func (h past) upgrade(ctx context.Context, c bench.Campaign) (report.Upgrade, error) {
	measurements, err := h.history.Measurements(ctx, c.ID)
	if err != nil {
		return report.Upgrade{}, err
	}
	u := report.NewUpgrade(c, measurements, h.threshold)
	for _, a := range h.accepted {
		if a.Change == u.ID() {
			u.Accepted = &report.Acceptance{At: a.At, Note: a.Note}
		}
	}
	return u, nil
}

// latestUpgrades are the newest upgrades of all targets that the history has of the
// edition latest, whatever is configured.
func latestUpgrades(ctx context.Context, history *store.Store, threshold float64) ([]report.Upgrade, error) {
	h, err := readPast(ctx, history, threshold)
	if err != nil {
		return nil, err
	}
	var all []report.Upgrade
	seen := map[bench.Target]bool{}
	for _, c := range h.campaigns {
		if len(c.Participants) != 2 || c.Participants[1].Target.Edition != bench.EditionLatest || seen[c.Participants[1].Target] {
			continue
		}
		t := c.Participants[1].Target
		seen[t] = true
		newest, err := h.newest(ctx, frameworks.Other{Entry: frameworks.Entry{Target: t}})
		if err != nil {
			return nil, err
		}
		if newest != nil {
			all = append(all, newest.Upgrade)
		}
	}
	return all, nil
}

// intermediate is a set between the old one and the new one that was measured.
type intermediate struct {
	packages map[string]string
	ratio    *stats.Interval // to the old one
}

// intermediates are those of an upgrade. A campaign that was interrupted is none,
// one whose set did not start is.
func (u *pastUpgrade) intermediates(ctx context.Context) ([]intermediate, error) {
	between := u.Target
	between.Edition = bench.EditionBetween
	var all []intermediate
	for _, c := range u.among.campaigns {
		if c.ID <= u.campaign.ID || len(c.Participants) != 2 || c.Participants[1].Target != between ||
			!maps.Equal(c.Participants[0].Versions.Packages, u.campaign.Participants[0].Versions.Packages) {
			continue
		}
		measurements, err := u.among.history.Measurements(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		done := report.NewUpgrade(c, measurements, u.among.threshold)
		if settled(c, measurements) && done.Signal == u.Signal {
			all = append(all, intermediate{c.Participants[1].Versions.Packages, done.SpeedCI95()})
		}
	}
	return all, nil
}

// settled reports whether a campaign need not be repeated: it went to its end, or its
// new set did not start. That a set could not be installed says something of the
// network or the disk: all of its packages were installed before, in one set or the
// other.
func settled(c bench.Campaign, measurements []bench.Measurement) bool {
	return c.State == bench.StateFinished || slices.ContainsFunc(measurements, func(m bench.Measurement) bool {
		return m.Target == c.Participants[1].Target && m.Failure != nil && hopeless(m.Failure) && m.Failure.Stage != bench.StageInstall
	})
}

// errNotMeasured is the answer to what only a campaign could tell.
var errNotMeasured = errors.New("this set was not measured")

// recall answers from the history.
func (u *pastUpgrade) recall(known []intermediate) release.Measure {
	return func(_ context.Context, taken []string) (release.Likeness, error) {
		want := u.between(taken)
		for _, i := range known {
			if maps.Equal(i.packages, want) {
				return release.Resembles(*u.Speed.Estimate, i.ratio), nil
			}
		}
		return release.Unclear, errNotMeasured
	}
}

// between is the packages of an intermediate set.
func (u *pastUpgrade) between(taken []string) map[string]string {
	packages := map[string]string{}
	maps.Copy(packages, u.campaign.Participants[0].Versions.Packages)
	for _, name := range taken {
		version, ok := u.campaign.Participants[1].Versions.Packages[name]
		if !ok {
			delete(packages, name)
			continue
		}
		packages[name] = version
	}
	return packages
}

// changed is the names of the packages that differ. The framework's own comes
// first: it is the likeliest to make a difference.
func (u *pastUpgrade) changed() []string {
	var names []string
	for _, d := range u.Packages {
		if strings.EqualFold(d.Name, u.own) {
			names = slices.Insert(names, 0, d.Name)
			continue
		}
		names = append(names, d.Name)
	}
	return names
}

// searchable reports whether there is a difference that one of several packages
// may make.
func (u *pastUpgrade) searchable() bool { return u.Differs() && len(u.Packages) > 1 }

// explain says who is responsible, as far as it was measured.
func (u *pastUpgrade) explain(ctx context.Context) error {
	if !u.searchable() {
		return nil
	}
	known, err := u.intermediates(ctx)
	if err != nil {
		return err
	}
	found, err := release.Search(ctx, u.changed(), mostSets, u.recall(known))
	if err != nil && !errors.Is(err, errNotMeasured) {
		return err
	}
	if len(found.Packages) < len(u.Packages) || found.Complete {
		u.Responsible, u.Searched = slices.Sorted(slices.Values(found.Packages)), found.Complete
	}
	return nil
}

// newestUpgrades are those of all targets of the edition, with who is responsible.
func (d *daemon) newestUpgrades(ctx context.Context) ([]report.Upgrade, error) {
	l := d.current.Load().choice.latest
	if !l.on() {
		return nil, nil
	}
	h, err := readPast(ctx, d.history, l.rules.Threshold)
	if err != nil {
		return nil, err
	}
	var all []report.Upgrade
	for _, o := range l.targets {
		newest, err := h.newest(ctx, o)
		if err == nil && newest != nil {
			err = newest.explain(ctx)
		}
		if err != nil {
			return nil, err
		}
		if newest != nil {
			all = append(all, newest.Upgrade)
		}
	}
	return all, nil
}

// showUpgrades hands the newest upgrades to the exporter: after a campaign, and when
// somebody has accepted one.
func (d *daemon) showUpgrades(ctx context.Context) (shown []report.Upgrade, ok bool) {
	d.showing.Lock() // what was read last is shown last
	defer d.showing.Unlock()
	all, err := d.newestUpgrades(ctx)
	if err != nil {
		if ctx.Err() == nil {
			d.log.Error().Err(err).Msg("read the upgrades")
		}
		return nil, false
	}
	d.exporter.SetUpgrades(all)
	return all, true
}

func (d *daemon) showAccepted(ctx context.Context) (ok bool) {
	_, ok = d.showUpgrades(ctx)
	return ok
}

// show shows the newest upgrades, and tells the one of a target.
func (u *upgrader) show(ctx context.Context, told ...bench.Target) {
	all, _ := u.showUpgrades(ctx)
	for _, done := range all {
		if slices.Contains(told, done.Target) {
			u.tell(done)
		}
	}
}

// search looks for the package that makes the difference in the newest upgrade
// of each target. What the history has of it is not measured again, so that a
// search that was interrupted goes on where it was.
func (u *upgrader) search(ctx context.Context, p *plan, targets []frameworks.Other) error {
	for _, o := range targets {
		h, err := readPast(ctx, u.history, p.choice.latest.rules.Threshold)
		if err != nil {
			return err
		}
		newest, err := h.newest(ctx, o)
		if err != nil {
			return err
		}
		if newest == nil || !newest.searchable() {
			continue
		}
		if err := u.searchOne(ctx, p, o, newest); err != nil {
			return fmt.Errorf("look for the package that makes the difference: %w", err)
		}
	}
	return nil
}

func (u *upgrader) searchOne(ctx context.Context, p *plan, o frameworks.Other, newest *pastUpgrade) error {
	if newest.Signal != o.Serving.Signal.OrDefault() {
		return nil // it was judged by another value than what would be measured now
	}
	before, after, err := p.choice.latest.lastTwo(o)
	names := newest.changed()
	if err != nil || !slices.Equal(slices.Sorted(slices.Values(names)), release.Changed(before, after)) {
		return err // the locks are those of another upgrade: this one can no longer be taken apart
	}
	known, err := newest.intermediates(ctx)
	if err != nil {
		return err
	}
	recall, measured := newest.recall(known), 0
	_, err = release.Search(ctx, names, mostSets, func(ctx context.Context, taken []string) (release.Likeness, error) {
		likeness, err := recall(ctx, taken)
		if !errors.Is(err, errNotMeasured) {
			return likeness, err
		}
		measured++
		mixed := release.Mix(before, after, taken).Lock()
		done, err := u.versus(ctx, p, o, sets{before: before.Lock(), other: mixed, edition: bench.EditionBetween})
		if err == nil && !done.settled {
			err = errors.New(done.cause) // the search goes on from here at the next time
		}
		if err != nil {
			return release.Unclear, err
		}
		likeness = release.Resembles(*newest.Speed.Estimate, done.SpeedCI95())
		u.log.Info().Int64("campaign", done.Campaign.ID).Strs("new", taken).Msgf("a set between old and new: %s", likenessText(likeness))
		return likeness, nil
	})
	if measured > 0 && err == nil {
		u.show(ctx, o.Target)
	}
	return err
}

func likenessText(l release.Likeness) string {
	switch l {
	case release.LikeOld:
		return "as fast as the old one"
	case release.LikeNew:
		return "as fast as the new one"
	}
	return "neither surely as the old one nor as the new one"
}

// lastTwo are the sets of the newest upgrade; empty where there was none.
func (l latest) lastTwo(o frameworks.Other) (before, after release.Set, err error) {
	old, err := l.read(o, lockFileBefore)
	if err != nil {
		return nil, nil, err
	}
	lock, err := l.read(o, lockFile)
	if err != nil {
		return nil, nil, err
	}
	if before, err = release.ParseSet(old); err != nil {
		return nil, nil, err
	}
	after, err = release.ParseSet(lock)
	return before, after, err
}

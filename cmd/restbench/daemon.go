//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/oklog/run"

	"restbench/exporter"
	"restbench/internal/bench"
	"restbench/internal/host"
	"restbench/internal/store"
	"restbench/scheduler"
)

// daemon is restbench serve, wired.
type daemon struct {
	*kit
	command  *serveCommand
	current  atomic.Pointer[plan]
	tried    *plan // of the newest campaign, or of the start; for the loop of campaigns
	reloaded chan struct{}
	renewed  chan struct{} // the same, for the edition latest
	turn     chan struct{} // held by what must not meet a campaign of this daemon
	hangup   chan os.Signal
	events   eventLog
	next     atomic.Pointer[time.Time]
	history  *store.Store
	recorder *store.Writer
	exporter *exporter.Exporter
	watch    *watcher
	showing  sync.Mutex           // of upgrades
	doubts   scheduler.Suspicions // of the loop of campaigns
	server   *exporter.Server
	lock     *host.Lock
}

// newDaemon opens everything that can fail, so that a wrong start ends here
// with one line.
func newDaemon(ctx context.Context, c *serveCommand, first *plan) (*daemon, error) {
	d := &daemon{command: c, reloaded: make(chan struct{}, 1), hangup: make(chan os.Signal, 1)}
	d.renewed, d.turn = make(chan struct{}, 1), make(chan struct{}, 1)
	signal.Notify(d.hangup, syscall.SIGHUP) // before anything else: unheard, it would end the program
	var err error
	if d.kit, err = c.newKit(); err != nil {
		return nil, err
	}
	d.events.log = d.log
	d.use(first)
	d.tried = first
	if err := d.open(ctx); err != nil {
		d.close()
		return nil, err
	}
	d.warnUnwatched(first)
	return d, nil
}

func (d *daemon) open(ctx context.Context) error {
	if err := d.takeState(); err != nil {
		return err
	}
	if err := d.checkSpace(); err != nil {
		return err
	}
	d.sweep()
	var err error
	if d.history, err = d.openStore(ctx); err != nil {
		return err
	}
	d.recorder = d.kit.recorder(d.history)
	d.markCutOff(ctx)
	if d.exporter, err = d.newExporter(ctx); err != nil {
		return err
	}
	d.watch = &watcher{store: d.history, show: d.exporter.SetChanges, also: d.showAccepted, log: d.log}
	d.server, err = d.exporter.Listen(d.command.web)
	return err
}

// takeState makes this the only daemon on its state folder.
func (d *daemon) takeState() error {
	path := filepath.Join(d.state, "daemon.lock")
	lock, heldBy, err := host.TryLock(path, fmt.Sprintf("pid %d (restbench serve)", os.Getpid()))
	if err != nil {
		return err
	}
	if lock == nil {
		return fmt.Errorf("state folder %s is in use by %s; name another with --storage.path", d.state, heldBy)
	}
	d.lock = lock
	return nil
}

// markCutOff marks campaigns whose process died, unless one is running now: then
// they are marked when it has ended.
func (d *daemon) markCutOff(ctx context.Context) {
	lock, _, err := host.TryLock(d.campaignLock, fmt.Sprintf("pid %d (restbench serve)", os.Getpid()))
	if err != nil || lock == nil {
		return
	}
	defer d.unlock(lock)
	if n, err := d.history.CutOff(ctx); err != nil {
		d.log.Error().Err(err).Msg("mark campaigns that were cut off")
	} else if n > 0 {
		d.log.Warn().Int("campaigns", n).Msg("an earlier campaign was cut off; what it measured is kept")
	}
}

func (d *daemon) close() {
	signal.Stop(d.hangup)
	if d.recorder != nil {
		d.closeStore(d.history, d.recorder)
	}
	if d.lock != nil {
		d.unlock(d.lock)
	}
}

func (d *daemon) unlock(lock *host.Lock) {
	if err := lock.Unlock(); err != nil {
		d.log.Warn().Err(err).Msg("free a lock")
	}
}

// run has five actors: the HTTP server, the loop of campaigns, that of upgrades,
// the one who looks for accepted changes, and signals. The first to end stops the
// others.
func (d *daemon) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var g run.Group
	for _, actor := range []func(context.Context) error{d.server.Serve, d.campaigns, d.upgrades, d.watch.run, d.hangups} {
		g.Add(func() error { return actor(ctx) }, func(error) { cancel() })
	}
	d.announce()
	err := g.Run()
	d.log.Info().Msg("stopped")
	return err
}

func (d *daemon) campaigns(ctx context.Context) error {
	due := d.dueAtStart(ctx)
	loop := &scheduler.Loop{
		Schedule: func() scheduler.Schedule { return d.current.Load().schedule },
		Run:      func(ctx context.Context) error { return d.alone(ctx, func() error { return d.campaign(ctx) }) },
		Failed:   func(err error) { d.log.Error().Err(err).Msg("campaign failed") },
		Skipped:  d.exporter.Skipped,
		Planned:  func(next time.Time) { d.next.Store(&next) },
		Now:      due,
		First:    d.resume(ctx, due),
		Last:     d.lastStart(ctx),
		Reloaded: d.reloaded,
		Due:      d.dueAfterReload,
	}
	return loop.Start(ctx)
}

// dueAfterReload says whether what was reloaded does not wait for its slot: under
// another protocol there are no results to show until it has been measured.
func (d *daemon) dueAfterReload() bool {
	due := d.current.Load().config.Protocol.Hash() != d.tried.config.Protocol.Hash()
	if due {
		d.log.Info().Msg("the protocol has changed: measuring at once")
	}
	return due
}

// dueAtStart says whether the first campaign begins at once: always, unless the
// last success is younger than one slot and measured the same.
func (d *daemon) dueAtStart(ctx context.Context) bool {
	p := d.current.Load()
	last, err := d.lastFinished(ctx)
	if err != nil || last == nil || last.Protocol.Hash() != p.config.Protocol.Hash() || !d.sameTargets(*last, p.choice) {
		return true
	}
	measurements, err := d.history.Measurements(ctx, last.ID)
	if err != nil || !slices.ContainsFunc(measurements, bench.Measurement.Ranked) {
		return true
	}
	return !p.schedule.Next(last.Started).After(time.Now().UTC())
}

// lastStart is when the last complete campaign began; zero when there is none.
func (d *daemon) lastStart(ctx context.Context) time.Time {
	last, err := d.lastFinished(ctx)
	if err != nil || last == nil {
		return time.Time{}
	}
	return last.Started
}

func (d *daemon) sameTargets(c bench.Campaign, chosen choice) bool {
	var took []bench.Target
	for _, p := range c.Participants {
		took = append(took, p.Target)
	}
	return slices.Equal(took, chosen.participants()) && d.sameOwn(chosen)
}

func (d *daemon) lastFinished(ctx context.Context) (*bench.Campaign, error) {
	found, err := d.history.Campaigns(ctx, store.Filter{
		Kinds: []bench.Kind{bench.KindScheduled, bench.KindConfirm}, States: []bench.State{bench.StateFinished}, Limit: 1,
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// campaign is one slot of the schedule: a campaign and, when a target looked much
// worse in it than before, another one at once to confirm it.
func (d *daemon) campaign(ctx context.Context) error {
	p := d.current.Load()
	d.tried = p
	err := d.measure(ctx, p, bench.KindScheduled)
	suspicious := d.watch.campaign(ctx)
	if err != nil || ctx.Err() != nil || d.current.Load() != p || !d.doubts.Confirm(suspicious) {
		return err
	}
	d.confirm(ctx, p, suspicious)
	return nil
}

func stringers(targets []bench.Target) []fmt.Stringer {
	all := make([]fmt.Stringer, len(targets))
	for i, t := range targets {
		all[i] = t
	}
	return all
}

// measure is one campaign.
func (d *daemon) measure(ctx context.Context, p *plan, kind bench.Kind) error {
	if err := d.checkSpace(); err != nil {
		return err
	}
	if err := d.recorder.Flush(ctx); err != nil {
		d.log.Warn().Err(err).Int("waiting", d.recorder.Pending()).Msg("the history cannot be written; measuring goes on")
	}
	runner := d.runner(runnerOptions{
		command: "restbench serve", pinning: p.pinning, idle: p.config.IdleStates, observe: d.observe,
		history: d.history, recorder: d.recorder,
	})
	done, err := runner.Run(ctx, scheduler.Request{
		Kind: kind, Protocol: p.config.Protocol, Seed: newSeed(),
		Entrants: p.choice.entrants(p.environments),
	})
	d.prune(p)
	if done.ID != 0 {
		d.log.Info().Int64("campaign", done.ID).Str("state", string(done.State)).Int("rounds", done.Rounds).Msg("campaign ended")
	}
	if done.State == bench.StateFinished {
		d.rememberOwn(p.choice)
	}
	return err
}

// keptUnused is how long an environment that nobody uses any more is kept.
const keptUnused = 30 * 24 * time.Hour

func (d *daemon) prune(p *plan) {
	removed, err := p.environments.Prune(time.Now().Add(-keptUnused))
	if err != nil {
		d.log.Warn().Err(err).Msg("remove environments that are no longer used")
	}
	for _, dir := range removed {
		d.log.Info().Str("folder", dir).Msg("removed an environment that was not used for 30 days")
	}
}

func (d *daemon) observe(e bench.Event) {
	d.exporter.Observe(e)
	d.events.tell(e)
}

// hangups reloads on SIGHUP.
func (d *daemon) hangups(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.hangup:
			_ = d.exporter.Reload() // it has logged and counted the error; the old configuration holds
		}
	}
}

// reload replaces the plan by what the file says now, or keeps the old one.
func (d *daemon) reload() error {
	p, err := d.command.plan()
	if err != nil {
		return err
	}
	d.use(p)
	d.warnUnwatched(p)
	d.exporter.SetTargets(p.config.Protocol, p.choice.targets())
	for _, reloaded := range []chan struct{}{d.reloaded, d.renewed} {
		select {
		case reloaded <- struct{}{}:
		default: // one is pending; it will see this plan
		}
	}
	return nil
}

// use makes p what campaigns are made of from now on. What is known of
// interpreters is kept as long as the same ones are named.
func (d *daemon) use(p *plan) {
	old := d.current.Load()
	if old != nil && slices.Equal(old.config.Pythons, p.config.Pythons) {
		p.environments = old.environments
	} else {
		p.environments = d.command.environments(d.kit, p.config.Pythons, d.events.step)
	}
	d.current.Store(p)
}

//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/host"
	"restbench/internal/load"
	"restbench/internal/store"
	"restbench/scheduler"
)

// runnerOptions is what differs between the commands that run campaigns.
type runnerOptions struct {
	command string // for those who wait: "restbench run"
	noWait  bool
	pinning scheduler.Pinning
	idle    string // as the configuration has it
	observe func(bench.Event)
	enough  scheduler.Stopper // precise when nil
	running map[string]string // addresses of servers that restbench does not start, by the name of their command

	history  *store.Store
	recorder *store.Writer
}

func (k *kit) runner(o runnerOptions) *scheduler.Runner {
	probe := &host.Probe{}
	if o.enough == nil {
		o.enough = precise{}
	}
	return &scheduler.Runner{
		Starter: starter{k.supervisor, o.running}, Engine: k.engine, Recorder: o.recorder, Verify: load.Verify,
		Window: func() func() bench.Conditions { return probe.Begin().End },
		Judge:  judge(probe.Thresholds()), Settle: settle,
		Repeat: marked{}, Enough: o.enough,
		Lock:    k.campaignLocker(o),
		Observe: o.observe, Machine: host.Describe(version()), Pinning: o.pinning, Parallel: parallel(),
	}
}

// campaignLocker waits for the lock and, once it is held, marks campaigns that
// still claim to run: nobody else can be running one.
func (k *kit) campaignLocker(o runnerOptions) func(context.Context, func(string)) (func(), error) {
	return func(ctx context.Context, waiting func(string)) (func(), error) {
		release, err := k.takeMachine(ctx, o, waiting)
		if err != nil {
			return nil, err
		}
		if _, err := o.history.CutOff(ctx); err != nil {
			k.log.Warn().Err(err).Msg("mark campaigns that were cut off")
		}
		return release, nil
	}
}

// takeMachine makes the machine ready to measure, and this process the only one that
// does, until release is called.
func (k *kit) takeMachine(ctx context.Context, o runnerOptions, waiting func(string)) (release func(), err error) {
	lock, err := k.takeLock(ctx, o, waiting)
	if err != nil {
		return nil, err
	}
	sleepAgain := k.limitIdle(o.idle)
	return func() {
		sleepAgain()
		if err := lock.Unlock(); err != nil {
			k.log.Warn().Err(err).Msg("free the campaign lock")
		}
	}, nil
}

// limitIdle goes on without a limit where there can be none: the numbers say which of
// both they are of.
func (k *kit) limitIdle(mode string) (end func()) {
	if mode == config.IdleAny {
		return func() {}
	}
	limit, err := host.LimitIdle()
	if err != nil {
		k.log.Debug().Err(err).Msg("idle states of the processors are not limited")
		return func() {}
	}
	return func() {
		if err := limit.Close(); err != nil {
			k.log.Warn().Err(err).Msg("let the processors sleep again")
		}
	}
}

// takeLock takes the machine-wide lock: two campaigns at once would measure each
// other.
func (k *kit) takeLock(ctx context.Context, o runnerOptions, waiting func(string)) (*host.Lock, error) {
	holder := fmt.Sprintf("pid %d (%s)", os.Getpid(), o.command)
	if !o.noWait {
		return host.Wait(ctx, k.campaignLock, holder, waiting)
	}
	heldBy := ""
	briefly, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	lock, err := host.Wait(briefly, k.campaignLock, holder, func(h string) { heldBy = h })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, fmt.Errorf("another campaign runs on this machine: %s", heldBy)
	}
	return lock, err
}

// lockPatience is longer than those who only look hold the lock.
const lockPatience = time.Second

// minFree is what a campaign needs at the most on the disk of the state folder,
// with room to spare.
const minFree = 64 << 20

func (k *kit) checkSpace() error {
	free, err := host.FreeBytes(k.state)
	if err != nil {
		return fmt.Errorf("state folder %s: %w", k.state, err)
	}
	if free < minFree {
		return fmt.Errorf("state folder %s: no disk space: %d MiB are free, %d MiB are needed", k.state, free>>20, minFree>>20)
	}
	return nil
}

// newSeed stays below 2^53, so that readers of JSON keep all its digits.
func newSeed() uint64 { return rand.Uint64N(1 << 53) }

// recorder keeps measurements that cannot be written now and writes them later.
func (k *kit) recorder(history *store.Store) *store.Writer {
	return store.NewWriter(history, func(err error) { k.log.Error().Err(err).Msg("write the history") })
}

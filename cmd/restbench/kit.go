//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/environment"
	"restbench/internal/host"
	"restbench/internal/load"
	"restbench/internal/process"
	"restbench/internal/store"
	"restbench/scheduler"
)

// kit is what the commands that start something have in common.
type kit struct {
	state        string
	campaignLock string
	log          zerolog.Logger
	supervisor   *process.Supervisor
}

// itself is the program that runs, even after an upgrade has replaced its file:
// engines and guards are always of the same build as their parent.
const itself = "/proc/self/exe"

// newKit makes the state folder and what works in it.
func (s *session) newKit() (*kit, error) {
	if err := os.MkdirAll(s.storagePath, 0o750); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	k := &kit{state: s.storagePath, campaignLock: s.campaignLock, log: s.logger()}
	var err error
	k.supervisor, err = process.New(process.Options{
		Executable: itself, RunDir: filepath.Join(k.state, "run"), Log: k.log,
	})
	return k, err
}

// environments makes and keeps environments in the state folder. detail is told
// each step of a preparation.
func (s *session) environments(k *kit, pythons []string, detail func(name, step string)) *environment.Manager {
	return environment.New(environment.Options{
		Dir: k.state, Runner: k.supervisor,
		Pythons: slices.Concat(s.pythons, pythons), Progress: detail, Log: k.log,
	})
}

// sweep ends what earlier runs that were killed have left behind.
func (k *kit) sweep() {
	if _, err := k.supervisor.Sweep(); err != nil { // it logs what it has ended
		k.log.Warn().Err(err).Msg("look for servers that an earlier run left behind")
	}
}

const historyFile = "history.db"

// catalogue is the embedded one and the user's folders.
func (s *session) catalogue() (*frameworks.Catalogue, error) {
	return frameworks.Load(s.frameworksDirs...)
}

// openStore opens the history for writing.
func (k *kit) openStore(ctx context.Context) (*store.Store, error) {
	history, err := store.Open(ctx, filepath.Join(k.state, historyFile))
	if err != nil {
		return nil, err
	}
	for _, note := range history.Info().Notes {
		k.log.Warn().Msg(note)
	}
	return history, nil
}

// closeStore writes what still waits, if it can, and closes the history.
func (k *kit) closeStore(history *store.Store, recorder *store.Writer) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(recorder.Flush(ctx), history.Close()); err != nil {
		k.log.Error().Err(err).Int("lost", recorder.Pending()).Msg("close the history")
	}
}

// entrants turns catalogue entries and the user's own targets into what can take
// part in a campaign.
func entrants(m *environment.Manager, entries []frameworks.Entry, own []config.Target) []scheduler.Entrant {
	var all []scheduler.Entrant
	for _, e := range entries {
		all = append(all, scheduler.Entrant{Target: e.Target, Signal: e.Serving.Signal, Workload: e.Workload, Prepare: preparer(m, e)})
	}
	for _, t := range own {
		all = append(all, ownEntrant(t))
	}
	return all
}

// entrants are those of a campaign: what was chosen, then the controls.
func (c choice) entrants(m *environment.Manager) []scheduler.Entrant {
	all := slices.Concat(entrants(m, c.entries, nil), c.latest.entrants(m), entrants(m, nil, c.own))
	if c.controls.constant {
		all = append(all, constantEntrant())
	}
	return append(all, entrants(m, c.controls.entries, nil)...)
}

func preparer(m *environment.Manager, e frameworks.Entry) func(context.Context) (scheduler.Prepared, error) {
	return func(ctx context.Context) (scheduler.Prepared, error) {
		installed, err := m.Prepare(ctx, e.Recipe)
		if err != nil {
			return scheduler.Prepared{}, err
		}
		return scheduler.Prepared{
			Command: e.Command(installed),
			Marks:   installed.Marks,
			Versions: bench.Versions{
				Framework: installed.Version, Server: e.Serving.Server,
				Python: installed.PythonVersion, Packages: installed.Packages,
			},
		}, nil
	}
}

// ownEntrant is a server of the user's: nothing is installed for it.
func ownEntrant(t config.Target) scheduler.Entrant {
	var env []string
	for name, value := range t.Env {
		env = append(env, name+"="+value)
	}
	target := ownTarget(t)
	prepared := scheduler.Prepared{
		Command:  bench.Command{Name: target.String(), Argv: t.Command, Dir: t.Dir, Env: env},
		Versions: bench.Versions{Framework: t.Version, Server: filepath.Base(t.Command[0])},
	}
	return scheduler.Entrant{
		Target:   target,
		Signal:   t.Signal,
		Workload: ownWorkload(t),
		Learn:    learner(t),
		Prepare:  func(context.Context) (scheduler.Prepared, error) { return prepared, nil },
	}
}

func (k *kit) engine(name string) (scheduler.Engine, error) {
	if name == bench.EngineNative {
		return load.Native{Runner: k.supervisor, Executable: itself}, nil
	}
	path, err := load.FindWrk()
	if err != nil {
		return nil, err
	}
	return load.Wrk{Runner: k.supervisor, Path: path}, nil
}

// judge marks what was wrong with the answers or with the machine.
func judge(limits host.Thresholds) func(bench.Measurement) []bench.Mark {
	return func(m bench.Measurement) []bench.Mark {
		return append(load.Marks(m.Load), host.Marks(m, limits)...)
	}
}

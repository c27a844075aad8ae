//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"reflect"
	"time"

	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/environment"
	"restbench/internal/host"
	"restbench/internal/load"
	"restbench/scheduler"
)

// plan is a configuration that was looked through completely. A reload replaces
// it as a whole; a campaign that runs keeps the one it began with.
type plan struct {
	config   config.Config
	choice   choice
	schedule scheduler.Schedule
	renewal  scheduler.Schedule // of the edition latest
	pinning  scheduler.Pinning

	environments *environment.Manager // set by the daemon
}

func (s *session) plan() (*plan, error) {
	cfg, err := config.Load(s.configFile)
	if err != nil {
		return nil, err
	}
	p := &plan{config: cfg}
	if p.schedule, err = scheduler.ParseSchedule(cfg.Schedule, time.Now()); err != nil {
		return nil, s.where(err)
	}
	if p.choice, err = s.choose(cfg); err != nil {
		return nil, s.where(err)
	}
	if p.renewal, err = scheduler.ParseSchedule(cfg.Latest.Schedule, time.Now()); err != nil {
		return nil, s.where(fmt.Errorf("latest: %w", err))
	}
	if !p.choice.latest.on() {
		p.renewal = never{}
	}
	if err := checkEngine(cfg.Protocol.Engine); err != nil {
		return nil, s.where(err)
	}
	if err := s.checkPythons(cfg); err != nil {
		return nil, err
	}
	if p.pinning, err = pin(cfg.Pinning); err != nil {
		return nil, s.where(err)
	}
	return p, nil
}

// checkEngine finds out at the start, and not in the first campaign, that the
// engine is missing.
func checkEngine(name string) error {
	if name != bench.EngineWrk {
		return nil
	}
	_, err := load.FindWrk()
	return err
}

// checkPythons finds out the same of interpreters that were named.
func (s *session) checkPythons(cfg config.Config) error {
	if err := environment.CheckNamed(s.pythons, os.Environ()); err != nil {
		return fmt.Errorf("--python: %w", err)
	}
	if err := environment.CheckNamed(cfg.Pythons, os.Environ()); err != nil {
		return s.where(fmt.Errorf("pythons: %w", err))
	}
	return nil
}

// where says that an error came from the configuration file.
func (s *session) where(err error) error {
	if s.configFile == "" {
		return err
	}
	return fmt.Errorf("%s: %w", s.configFile, err)
}

// same reports whether another plan asks for the same: a reload of a file that nobody has
// changed, nor anything that it names.
func (p *plan) same(q *plan) bool {
	return p == q || reflect.DeepEqual(p.config, q.config) && reflect.DeepEqual(p.choice, q.choice)
}

func (p *plan) nextSlot() time.Time { return p.schedule.Next(time.Now().UTC()) }

// load is how long one campaign loads the machine.
func (p *plan) load() time.Duration { return campaignLoad(p.config.Protocol, p.choice.measured()) }

func campaignLoad(p bench.Protocol, targets int) time.Duration {
	return time.Duration(p.Rounds*targets) * (p.Duration + p.Warmup)
}

// campaignsPerDay counts the slots of the coming day, up to the number that the
// load of one campaign leaves room for.
func (p *plan) campaignsPerDay() int {
	now := time.Now().UTC()
	end, n := now.Add(24*time.Hour), 0
	for t := p.schedule.Next(now); !t.IsZero() && t.Before(end) && n < 24*3600; t = p.schedule.Next(t) {
		n++
	}
	if load := p.load(); load > 0 {
		n = min(n, int(24*time.Hour/load))
	}
	return n
}

func pin(mode string) (scheduler.Pinning, error) {
	server, client, err := host.Pin(mode, host.AllowedCPUs())
	if err != nil {
		return scheduler.Pinning{}, fmt.Errorf("pinning: %w", err)
	}
	return scheduler.Pinning{Server: server, Client: client, Name: host.PinningText(server, client)}, nil
}

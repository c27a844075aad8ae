//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/config"
)

// choice is the targets that a configuration asks for.
type choice struct {
	entries  []frameworks.Entry
	latest   latest
	own      []config.Target
	controls controls // beside what was chosen; never ranked
}

// size is the number of what was chosen; controls come on top in each round.
func (c choice) size() int { return len(c.entries) + len(c.latest.targets) + len(c.own) }

// measured is the number of targets in a round, controls included.
func (c choice) measured() int { return c.size() + c.controls.size() }

// participants are all targets of a campaign, in their order.
func (c choice) participants() []bench.Target {
	return append(c.targets(), c.controls.targets()...)
}

func (c choice) targets() []bench.Target {
	var all []bench.Target
	for _, e := range c.entries {
		all = append(all, e.Target)
	}
	for _, o := range c.latest.targets {
		all = append(all, o.Target)
	}
	for _, t := range c.own {
		all = append(all, ownTarget(t))
	}
	return all
}

// installed are the targets that need an environment, controls left out.
func (c choice) installed() []frameworks.Entry {
	all := slices.Clone(c.entries)
	for _, o := range c.latest.targets {
		all = append(all, o.Entry)
	}
	return all
}

// choose looks the configured names up in the catalogue and adds the user's own
// targets.
func (s *session) choose(cfg config.Config) (choice, error) {
	catalogue, err := s.catalogue()
	if err != nil {
		return choice{}, err
	}
	chosen := choice{own: cfg.Targets}
	names, asked := ofCatalogue(catalogue, cfg)
	_, ofOthers, editions, _ := splitNames(names, asked)
	if len(ofOthers) > 0 || len(names) == 0 && len(editions) > 0 {
		if chosen.entries, err = catalogue.Select(ofOthers, editions); err != nil {
			return choice{}, err
		}
	}
	if chosen.latest, err = s.configuredLatest(catalogue, cfg); err != nil {
		return choice{}, err
	}
	if chosen.size() == 0 {
		return choice{}, errors.New("nothing to measure: no framework and no target is chosen")
	}
	chosen.controls, err = chooseControls(catalogue, cfg.Controls)
	return chosen, err
}

// configuredLatest is the edition of that name as a configuration has it: off,
// unless somebody names it.
func (s *session) configuredLatest(catalogue *frameworks.Catalogue, cfg config.Config) (latest, error) {
	named, _, _, all := splitNames(ofCatalogue(catalogue, cfg))
	if len(named) > 0 || all {
		return s.latest(catalogue, named, cfg.Latest)
	}
	return latest{rules: cfg.Latest, dir: s.latestDir()}, nil
}

// latest is the edition of that name of the named frameworks, or of all.
func (s *session) latest(catalogue *frameworks.Catalogue, names []string, rules config.Latest) (latest, error) {
	targets, err := catalogue.Latest(names)
	return latest{targets: targets, rules: rules, dir: s.latestDir()}, err
}

func (s *session) latestDir() string { return filepath.Join(s.storagePath, "latest") }

// ofCatalogue is what a configuration asks of the catalogue: names, all frameworks
// when there are none, and editions. Own targets take part whether they are named
// or not; where they alone are named, nothing of the catalogue does.
func ofCatalogue(catalogue *frameworks.Catalogue, cfg config.Config) (names, editions []string) {
	for _, name := range cfg.Frameworks {
		if !namesOwn(catalogue, cfg.Targets, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 && len(cfg.Frameworks) > 0 {
		return nil, nil
	}
	return names, cfg.Editions
}

// namesOwn reports whether a name in the file means an own target: a framework that
// is called the same goes first.
func namesOwn(catalogue *frameworks.Catalogue, targets []config.Target, name string) bool {
	short, own := strings.CutSuffix(name, "@"+bench.EditionOwn)
	if !slices.ContainsFunc(targets, func(t config.Target) bool { return t.Name == short }) {
		return false
	}
	_, err := catalogue.Framework(short)
	return own || err != nil
}

// ownFirst divides the names of a command line into those of own targets and the
// rest.
func ownFirst(names []string, targets []config.Target) (rest []string, own []config.Target) {
	byName, taken := map[string]config.Target{}, map[string]bool{}
	for _, t := range targets {
		byName[t.Name] = t
	}
	for _, name := range names {
		short := strings.TrimSuffix(name, "@"+bench.EditionOwn)
		if t, ok := byName[short]; ok {
			own = append(own, t)
			delete(byName, short)
			taken[short] = true
		} else if !taken[short] {
			rest = append(rest, name)
		}
	}
	return rest, own
}

func ownTarget(t config.Target) bench.Target {
	return bench.Target{Framework: t.Name, Edition: bench.EditionOwn, Serving: bench.ServingDocumented, Workload: bench.WorkloadHello}
}

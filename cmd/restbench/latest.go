//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/environment"
	"restbench/internal/release"
	"restbench/scheduler"
)

// latest is the edition of that name: what the package index offered when it was
// asked last, locked in the state folder.
type latest struct {
	targets []frameworks.Other
	rules   config.Latest
	dir     string // of its locks, a folder for each framework
}

// Files in a framework's folder.
const (
	lockFile       = "lock.txt"   // what is measured
	lockFileBefore = "before.txt" // what was measured before that
)

// on reports whether the edition is measured at all.
func (l latest) on() bool { return len(l.targets) > 0 }

// byFramework groups the targets: those of a framework share their releases.
func (l latest) byFramework() [][]frameworks.Other {
	var groups [][]frameworks.Other
	for i, o := range l.targets {
		if i == 0 || o.Target.Framework != l.targets[i-1].Target.Framework {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], o)
	}
	return groups
}

// splitNames takes what is of the edition latest out of the names of targets and
// of editions. all says that it has every framework.
func splitNames(names, editions []string) (ofLatest, ofOthers, others []string, all bool) {
	others = slices.DeleteFunc(slices.Clone(editions), func(e string) bool { return e == bench.EditionLatest })
	named := len(others) < len(editions)
	for _, name := range names {
		_, edition, one := strings.Cut(name, "@")
		switch {
		case one && edition == bench.EditionLatest:
			ofLatest = append(ofLatest, name)
		case one:
			ofOthers = append(ofOthers, name)
		default:
			if named {
				ofLatest = append(ofLatest, name)
			}
			if !named || len(others) > 0 {
				ofOthers = append(ofOthers, name)
			}
		}
	}
	return ofLatest, ofOthers, others, named && len(names) == 0
}

// entrants are the edition's targets in a campaign. Where the index has never
// been asked, it is now.
func (l latest) entrants(m *environment.Manager) []scheduler.Entrant {
	var all []scheduler.Entrant
	for _, o := range l.targets {
		all = append(all, scheduler.Entrant{Target: o.Target, Signal: o.Serving.Signal, Workload: o.Workload, Prepare: func(ctx context.Context) (scheduler.Prepared, error) {
			lock, err := l.locked(ctx, m, o)
			if err != nil {
				return scheduler.Prepared{}, err
			}
			return preparer(m, l.with(o, o.Target.Edition, lock))(ctx)
		}})
	}
	return all
}

// with is a target of the edition on the releases of a lock, under the name of an
// edition.
func (l latest) with(o frameworks.Other, edition string, lock []byte) frameworks.Entry {
	e := o.Entry
	e.Target.Edition, e.Recipe.Lock, e.Recipe.Wheels = edition, lock, !l.rules.AllowSource
	e.Recipe.Name = e.Target.String()
	return e
}

// locked is what is to be measured of a target.
func (l latest) locked(ctx context.Context, m *environment.Manager, o frameworks.Other) ([]byte, error) {
	lock, err := l.read(o, lockFile)
	if err != nil || lock != nil {
		return lock, err
	}
	if lock, err = l.resolve(ctx, m, o); err != nil {
		return nil, err
	}
	return lock, l.keep(o, lock, nil)
}

// resolve asks the index what the target's requirements are today. It keeps no
// release because it was there before.
func (l latest) resolve(ctx context.Context, m *environment.Manager, o frameworks.Other) ([]byte, error) {
	request := l.request(o)
	if l.rules.MinAge > 0 {
		request.ExcludeNewer = time.Now().Add(-l.rules.MinAge).UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	found, err := m.Resolve(ctx, request)
	if err != nil {
		return nil, l.explained(err)
	}
	if len(found.Direct) > 0 {
		return nil, fmt.Errorf("resolve %s: edition latest takes releases only, and %.60q is none", o.Recipe.Name, found.Direct)
	}
	if _, err := release.ParseSet(found.Lock); err != nil {
		return nil, fmt.Errorf("resolve %s: %w", o.Recipe.Name, err)
	}
	return found.Lock, nil
}

// request is what the index is asked for: wheels, unless more is allowed, and of
// packages without a wheel the release that is locked.
func (l latest) request(o frameworks.Other) environment.ResolveRequest {
	r := environment.ResolveRequest{Name: o.Recipe.Name, Requirements: o.Requirements, Python: o.Recipe.Python}
	if !l.rules.AllowSource {
		r.Wheels, r.Built = true, o.Recipe.Built
		r.Requirements = slices.Concat(o.Requirements, o.Sources)
	}
	return r
}

// explained names the setting where wheels are what is missing.
func (l latest) explained(err error) error {
	if l.rules.AllowSource || !strings.Contains(err.Error(), "no usable wheels") {
		return err
	}
	return fmt.Errorf("%w; `latest: {allow_source: true}` would build it", err)
}

func (l latest) file(o frameworks.Other, name string) string {
	return filepath.Join(l.dir, o.Target.Framework, name)
}

// read returns nil where there is no lock yet.
func (l latest) read(o frameworks.Other, name string) ([]byte, error) {
	lock, err := os.ReadFile(l.file(o, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		_, err = release.ParseSet(lock)
	}
	if err != nil {
		return nil, fmt.Errorf("the releases of %s: %s: %w; without this file they are resolved anew", o.Target, l.file(o, name), err)
	}
	return lock, nil
}

// keep makes lock what is measured from now on. What was measured before is kept
// first, so that nothing is lost between the two.
func (l latest) keep(o frameworks.Other, lock, before []byte) error {
	if err := os.MkdirAll(filepath.Join(l.dir, o.Target.Framework), 0o750); err != nil {
		return fmt.Errorf("keep the releases of %s: %w", o.Target, err)
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{lockFileBefore, before}, {lockFile, lock}} {
		if file.text == nil {
			continue
		}
		if err := replaceFile(l.file(o, file.name), file.text); err != nil {
			return fmt.Errorf("keep the releases of %s: %w", o.Target, err)
		}
	}
	return nil
}

// replaceFile leaves the old content or the new one, whatever happens meanwhile.
func replaceFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already when all went well
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// askedFile is as old as the last answer of the index.
const askedFile = "asked"

// asked is when the index last answered; zero when it never has.
func (l latest) asked() time.Time {
	info, err := os.Stat(filepath.Join(l.dir, askedFile))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func (l latest) noteAsked() error {
	if err := os.MkdirAll(l.dir, 0o750); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.dir, askedFile), nil, 0o640)
}

const notResolved = "not resolved yet"

// state says in a word or two what there is of the edition.
func (l latest) state(resolved bool) string {
	switch asked := l.asked(); {
	case !l.on():
		return "off"
	case !resolved:
		return notResolved
	case asked.IsZero(): // a campaign has asked for what it lacked
		return "on"
	default:
		return "asked " + asked.UTC().Format(time.DateOnly)
	}
}

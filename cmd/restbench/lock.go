//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/environment"
)

type lockCommand struct {
	*session
	names   []string
	edition string
	date    string
	tree    string
}

func registerLock(app *kingpin.Application, s *session) (string, action) {
	c := &lockCommand{session: s}
	cmd := app.Command("lock", "Resolve an edition anew and write its locks into the source tree or the folder given by --frameworks.dir.")
	cmd.Arg("framework", "Frameworks to lock; all when none is named. control renews what the controls run on, which moves with no edition.").StringsVar(&c.names)
	cmd.Flag("edition", "Edition to lock.").Default(bench.EditionCurrent).StringVar(&c.edition)
	cmd.Flag("date", "Move the edition to the package index as it stood on this day (2006-01-02), for all its frameworks.").PlaceHolder("DAY").StringVar(&c.date)
	cmd.Flag("tree", "restbench's source tree.").Default(".").StringVar(&c.tree)
	return cmd.FullCommand(), c.run
}

func (c *lockCommand) run(ctx context.Context) error {
	cfg, err := config.Load(c.configFile)
	if err != nil {
		return err
	}
	catalogue, err := c.catalogue()
	if err != nil {
		return err
	}
	edition, err := c.movedEdition(catalogue)
	if err != nil {
		return &usageError{err}
	}
	jobs, err := c.jobs(catalogue, edition)
	if err != nil {
		return err
	}
	k, err := c.newKit()
	if err != nil {
		return err
	}
	m := c.environments(k, cfg.Pythons, func(name, step string) { fmt.Fprintf(c.err, "%s: %s\n", name, step) })
	if err := together(len(jobs), func(i int) error { return c.lock(ctx, m, jobs[i]) }); err != nil {
		return err
	}
	return c.writeDate(edition)
}

// movedEdition is the edition with the date that was asked for.
func (c *lockCommand) movedEdition(catalogue *frameworks.Catalogue) (bench.Edition, error) {
	edition, err := catalogue.Edition(c.edition)
	if err != nil || c.date == "" {
		return edition, err
	}
	if len(c.names) > 0 {
		return edition, errors.New("--date moves the whole edition: name no framework")
	}
	day, err := time.Parse(time.DateOnly, c.date)
	if err != nil {
		return edition, fmt.Errorf("--date=%s is not a day like 2006-01-02", c.date)
	}
	if day.After(time.Now()) {
		return edition, fmt.Errorf("--date=%s has not come yet", c.date)
	}
	edition.Date = c.date
	return edition, nil
}

// lockJob is one lock to be made.
type lockJob struct {
	request environment.LockRequest
	path    string
	header  string // goes before the lock
	of      string // the package whose release is told,
	python  string // on this interpreter
}

func (c *lockCommand) jobs(catalogue *frameworks.Catalogue, e bench.Edition) ([]lockJob, error) {
	newest, err := excludeNewer(e, time.Now())
	if err != nil {
		return nil, err
	}
	var jobs []lockJob
	for _, name := range c.chosen(catalogue) {
		var job lockJob
		if name == frameworks.ControlName {
			job, err = c.controlJob()
		} else {
			job, err = c.frameworkJob(catalogue, name)
		}
		if err != nil {
			return nil, err
		}
		job.request.Name, job.request.Python, job.request.ExcludeNewer = name+"@"+e.Name, frameworks.LockPython(e), newest
		job.python = e.Python.Version
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// chosen are the names that were given, or all frameworks of the edition.
func (c *lockCommand) chosen(catalogue *frameworks.Catalogue) []string {
	if len(c.names) > 0 {
		return c.names
	}
	var names []string
	for _, f := range catalogue.Frameworks {
		if _, ok := f.Editions[c.edition]; ok {
			names = append(names, f.Name)
		}
	}
	return names
}

func (c *lockCommand) frameworkJob(catalogue *frameworks.Catalogue, name string) (lockJob, error) {
	f, err := catalogue.Framework(name)
	if err != nil {
		return lockJob{}, &usageError{err}
	}
	path, err := catalogue.LockPath(name, c.edition, c.tree)
	requirements := f.Editions[c.edition].Requirements
	return lockJob{request: environment.LockRequest{Requirements: requirements}, path: path, of: f.Package}, err
}

func (c *lockCommand) controlJob() (lockJob, error) {
	lock, err := frameworks.ControlLock(c.tree)
	return lockJob{
		request: environment.LockRequest{Requirements: lock.Requirements},
		path:    lock.Path, header: lock.Header, of: lock.Package,
	}, err
}

func (c *lockCommand) lock(ctx context.Context, m *environment.Manager, job lockJob) error {
	text, err := m.Lock(ctx, job.request)
	if err != nil {
		return err
	}
	text = append([]byte(job.header), text...)
	if err := os.WriteFile(job.path, text, 0o644); err != nil {
		return fmt.Errorf("write the lock of %s: %w", job.request.Name, err)
	}
	_, err = fmt.Fprintf(c.out, "%s: %s %s\n", job.path, job.of, frameworks.LockedVersion(text, job.of, job.python))
	return err
}

// excludeNewer is the end of the edition's day, or now while that day lasts.
func excludeNewer(e bench.Edition, now time.Time) (string, error) {
	text, err := frameworks.ExcludeNewer(e)
	if err != nil {
		return "", err
	}
	end, err := time.Parse(time.RFC3339, text)
	if err == nil && end.After(now) {
		text = now.UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	return text, err
}

func (c *lockCommand) writeDate(e bench.Edition) error {
	if c.date == "" {
		return nil
	}
	path := frameworks.EditionsPath(c.tree)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write the date of edition %s: %w", e.Name, err)
	}
	if text, err = frameworks.SetDate(text, e.Name, e.Date); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

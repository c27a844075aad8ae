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
	cmd.Arg("framework", "Frameworks to lock; all when none is named.").StringsVar(&c.names)
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
	found, err := c.find(catalogue)
	if err != nil {
		return &usageError{err}
	}
	k, err := c.newKit()
	if err != nil {
		return err
	}
	m := c.environments(k, cfg.Pythons, func(name, step string) { fmt.Fprintf(c.err, "%s: %s\n", name, step) })
	if err := c.lockAll(ctx, m, catalogue, edition, found); err != nil {
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

func (c *lockCommand) find(catalogue *frameworks.Catalogue) ([]bench.Framework, error) {
	var found []bench.Framework
	for _, name := range c.names {
		f, err := catalogue.Framework(name)
		if err != nil {
			return nil, err
		}
		found = append(found, f)
	}
	if len(c.names) > 0 {
		return found, nil
	}
	for _, f := range catalogue.Frameworks {
		if _, ok := f.Editions[c.edition]; ok {
			found = append(found, f)
		}
	}
	return found, nil
}

func (c *lockCommand) lockAll(ctx context.Context, m *environment.Manager, catalogue *frameworks.Catalogue, e bench.Edition, found []bench.Framework) error {
	return together(len(found), func(i int) error { return c.lockOne(ctx, m, catalogue, e, found[i]) })
}

func (c *lockCommand) lockOne(ctx context.Context, m *environment.Manager, catalogue *frameworks.Catalogue, e bench.Edition, f bench.Framework) error {
	path, err := catalogue.LockPath(f.Name, e.Name, c.tree)
	if err != nil {
		return err
	}
	newest, err := excludeNewer(e, time.Now())
	if err != nil {
		return err
	}
	text, err := m.Lock(ctx, environment.LockRequest{
		Name: f.Name + "@" + e.Name, Requirements: f.Editions[e.Name].Requirements,
		Python: frameworks.LockPython(e), ExcludeNewer: newest,
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write the lock of %s: %w", f.Name, err)
	}
	_, err = fmt.Fprintf(c.out, "%s: %s %s\n", path, f.Package, frameworks.LockedVersion(text, f.Package, e.Python.Version))
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

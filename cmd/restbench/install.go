//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/alecthomas/kingpin/v2"

	"restbench/internal/config"
	"restbench/scheduler"
)

type installCommand struct {
	*session
	selection
}

func registerInstall(app *kingpin.Application, s *session) (string, action) {
	c := &installCommand{session: s}
	cmd := app.Command("install", "Prepare the environments only.")
	c.selection.register(cmd)
	return cmd.FullCommand(), c.run
}

func (c *installCommand) run(ctx context.Context) error {
	cfg, err := config.Load(c.configFile)
	if err != nil {
		return err
	}
	cfg = c.selection.over(cfg)
	chosen, err := c.choose(cfg)
	if err != nil {
		return &usageError{err}
	}
	if err := c.checkPythons(cfg); err != nil {
		return err
	}
	k, err := c.newKit()
	if err != nil {
		return err
	}
	m := c.environments(k, cfg.Pythons, func(name, step string) { fmt.Fprintf(c.err, "%s: %s\n", name, step) })
	all := entrants(m, slices.Concat(chosen.entries, chosen.controls.entries), nil)
	return c.installAll(ctx, slices.Concat(all, chosen.latest.entrants(m)))
}

// installAll prepares all, several at once, and tells which could not be.
func (c *installCommand) installAll(ctx context.Context, entrants []scheduler.Entrant) error {
	err := together(len(entrants), func(i int) error {
		_, err := entrants[i].Prepare(ctx)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%d environments are ready in %s\n", len(entrants), c.storagePath)
	return err
}

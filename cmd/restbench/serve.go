//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
)

// defaultAddress is reachable from this machine only.
const defaultAddress = "127.0.0.1:10226"

type serveCommand struct {
	*session
	web           *web.FlagConfig
	telemetryPath string
	lifecycle     bool
	check         bool
}

func registerServe(app *kingpin.Application, s *session) (string, action) {
	c := &serveCommand{session: s}
	cmd := app.Command("serve", "The daemon: measures on a schedule and serves /metrics and a page.")
	c.web = kingpinflag.AddFlags(cmd, defaultAddress)
	cmd.Flag("web.telemetry-path", "Path under which metrics are served.").Default("/metrics").StringVar(&c.telemetryPath)
	cmd.Flag("web.enable-lifecycle", "Allow a reload by POST /-/reload. SIGHUP always reloads.").BoolVar(&c.lifecycle)
	cmd.Flag("config.check", "Check the configuration and exit.").BoolVar(&c.check)
	return cmd.FullCommand(), c.run
}

func (c *serveCommand) run(ctx context.Context) error {
	first, err := c.plan()
	if err != nil {
		return err
	}
	if c.check {
		_, err := fmt.Fprintf(c.out, "configuration is valid: %d targets, protocol %s, next campaign %s\n",
			first.choice.size(), first.config.Protocol.Name, first.nextSlot().Format("2006-01-02 15:04 MST"))
		return err
	}
	d, err := newDaemon(ctx, c, first)
	if err != nil && ctx.Err() != nil {
		return nil // ended while it started, as it was told to
	}
	if err != nil {
		return err
	}
	defer d.close()
	return d.run(ctx)
}

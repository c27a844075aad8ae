//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

type healthcheckCommand struct {
	*session
	url string
}

func registerHealthcheck(app *kingpin.Application, s *session) (string, action) {
	c := &healthcheckCommand{session: s}
	cmd := app.Command("healthcheck", "Ask a daemon whether it is healthy; for containers.")
	cmd.Flag("url", "Address of the daemon.").Default("http://" + defaultAddress + "/-/healthy").StringVar(&c.url)
	return cmd.FullCommand(), c.run
}

func (c *healthcheckCommand) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return &usageError{err}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("not healthy: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not healthy: %s answered %s", c.url, response.Status)
	}
	return nil
}

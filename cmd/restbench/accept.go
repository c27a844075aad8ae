//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"restbench/internal/change"
	"restbench/internal/store"
)

type acceptCommand struct {
	*session
	id     string
	reason string
}

func registerAccept(app *kingpin.Application, s *session) (string, action) {
	c := &acceptCommand{session: s}
	cmd := app.Command("accept", "This change is known: end its alert. Without a name, list the changes.")
	cmd.Arg("change", "Name of the change, as the alert and the page give it.").StringVar(&c.id)
	cmd.Flag("reason", "Why it is accepted; kept in the history.").PlaceHolder("TEXT").StringVar(&c.reason)
	return cmd.FullCommand(), c.run
}

func (c *acceptCommand) run(ctx context.Context) error {
	c.reason = strings.TrimSpace(c.reason)
	switch {
	case c.id == "" && c.reason != "":
		return &usageError{errors.New("--reason belongs to a change; restbench accept lists them")}
	case c.id != "" && c.reason == "":
		return &usageError{fmt.Errorf("--reason is missing: why is %s accepted?", c.id)}
	}
	path := filepath.Join(c.storagePath, historyFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no history in %s yet; restbench serve makes some", c.storagePath)
	}
	if c.id == "" {
		return c.list(ctx, path)
	}
	return c.accept(ctx, path)
}

func (c *acceptCommand) list(ctx context.Context, path string) error {
	history, err := store.OpenReadOnly(ctx, path)
	if err != nil {
		return err
	}
	defer history.Close()
	known, err := changesOf(ctx, history)
	if err != nil {
		return err
	}
	if len(known.Changes) == 0 {
		_, err := fmt.Fprintln(c.out, "no lasting change was found in the history")
		return err
	}
	now := time.Now()
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CHANGE\tWHAT\tSIZE\tCPU/REQ\tSINCE\tSCOPE\tSTATE")
	for _, one := range slices.Backward(known.Changes) {
		state := one.Ended(now)
		if state == "" {
			state = "holds"
		}
		since := one.Onset.At.UTC().Format("2006-01-02 15:04")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", one.ID, one.What(), one.Size(), one.CostText(), since, one.Scope, state)
	}
	return w.Flush()
}

// accept writes beside a daemon, which notices.
func (c *acceptCommand) accept(ctx context.Context, path string) (err error) {
	history, err := store.Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, history.Close()) }()
	known, err := changesOf(ctx, history)
	if err != nil {
		return err
	}
	now := time.Now()
	one, err := holding(known, c.id, now)
	if err != nil {
		return err
	}
	if err := history.Accept(ctx, store.Acceptance{Change: c.id, At: now.UTC(), Note: c.reason}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "accepted: %s, %s %s: %s\n", one.ID, one.What(), one.Size(), c.reason)
	return err
}

// holding finds a change that can be accepted: one that has ended needs no word.
func holding(known change.History, id string, now time.Time) (change.Change, error) {
	for _, one := range known.Changes {
		if one.ID != id {
			continue
		}
		if !one.Active(now) {
			return one, fmt.Errorf("change %s does not hold any more: %s", id, one.Ended(now))
		}
		return one, nil
	}
	there := names(known.Current(now))
	if len(there) == 0 {
		return change.Change{}, fmt.Errorf("there is no change %q; none holds at the moment", id)
	}
	return change.Change{}, fmt.Errorf("there is no change %q; these hold: %s", id, strings.Join(there, ", "))
}

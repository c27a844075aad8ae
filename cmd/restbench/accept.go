//go:build linux && (amd64 || arm64)

package main

import (
	"cmp"
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

	"restbench/internal/config"
	"restbench/internal/store"
)

type acceptCommand struct {
	*session
	id     string
	reason string
}

func registerAccept(app *kingpin.Application, s *session) (string, action) {
	c := &acceptCommand{session: s}
	cmd := app.Command("accept", "This change or upgrade is known: end its alert. Without a name, list them.")
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
	known, err := c.known(ctx, history, time.Now())
	if err != nil {
		return err
	}
	known = slices.DeleteFunc(known, func(one acceptable) bool { return one.quiet })
	if len(known) == 0 {
		_, err := fmt.Fprintln(c.out, "no lasting change was found in the history, and no upgrade that makes a difference")
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CHANGE\tWHAT\tSIZE\tSECOND SIGNAL\tSINCE\tSCOPE\tSTATE")
	for _, one := range known {
		since := one.since.UTC().Format("2006-01-02 15:04")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", one.id, one.what, one.size, one.second, since, one.scope, cmp.Or(one.ended, "holds"))
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
	now := time.Now()
	known, err := c.known(ctx, history, now)
	if err != nil {
		return err
	}
	one, err := holding(known, c.id)
	if err != nil {
		return err
	}
	if err := history.Accept(ctx, store.Acceptance{Change: c.id, At: now.UTC(), Note: c.reason}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "accepted: %s, %s %s: %s\n%s", one.id, one.what, one.size, c.reason, one.alsoText())
	return err
}

// acceptable is what somebody can accept: a lasting change, or an upgrade that makes
// a difference.
type acceptable struct {
	id, what, size, second, scope string
	since                         time.Time
	ended                         string // how; empty while it holds
	quiet                         bool   // by the threshold of this configuration; a daemon may have another
	twins                         []string
}

// alsoText says what else this acceptance ends.
func (a acceptable) alsoText() string {
	if len(a.twins) == 0 {
		return ""
	}
	return fmt.Sprintf("and with it the same in other editions: %s\n", strings.Join(a.twins, ", "))
}

// known are all, the newest change first, and the newest upgrade of each target.
func (c *acceptCommand) known(ctx context.Context, history *store.Store, now time.Time) ([]acceptable, error) {
	cfg, err := config.Load(c.configFile)
	if err != nil {
		return nil, err
	}
	found, err := changesOf(ctx, history)
	if err != nil {
		return nil, err
	}
	upgrades, err := latestUpgrades(ctx, history, cfg.Latest.Threshold)
	if err != nil {
		return nil, err
	}
	var all []acceptable
	for _, one := range slices.Backward(found.Changes) {
		all = append(all, acceptable{one.ID, one.What(), one.Size(), one.SecondText(), string(one.Scope), one.Onset.At, one.Ended(now), false, found.Twins(one.ID)})
	}
	for _, u := range upgrades {
		all = append(all, acceptable{u.ID(), u.What(), u.Size(), "", "upgrade", u.Campaign.Started, u.Ended(now), !u.Differs(), nil})
	}
	return all, nil
}

// holding finds one that can be accepted: what has ended needs no word.
func holding(known []acceptable, id string) (acceptable, error) {
	var there []string
	for _, one := range known {
		switch {
		case one.id == id && one.ended != "":
			return one, fmt.Errorf("change %s does not hold any more: %s", id, one.ended)
		case one.id == id:
			return one, nil
		case one.ended == "" && !one.quiet:
			there = append(there, one.id)
		}
	}
	if len(there) == 0 {
		return acceptable{}, fmt.Errorf("there is no change %q; none holds at the moment", id)
	}
	return acceptable{}, fmt.Errorf("there is no change %q; these hold: %s", id, strings.Join(there, ", "))
}

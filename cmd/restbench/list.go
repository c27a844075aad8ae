//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"restbench/frameworks"
	"restbench/internal/bench"
	"restbench/internal/config"
)

type listCommand struct {
	*session
	format string
}

func registerList(app *kingpin.Application, s *session) (string, action) {
	c := &listCommand{session: s}
	cmd := app.Command("list", "The catalogue: frameworks with their versions per edition, and what is measured as latest.")
	cmd.Flag("format", "What to print: table or json.").Default("table").EnumVar(&c.format, "table", "json")
	return cmd.FullCommand(), c.run
}

// listed is one framework as JSON.
type listed struct {
	Framework string                   `json:"framework"`
	Homepage  string                   `json:"homepage"`
	Source    string                   `json:"source"`
	Editions  map[string]listedEdition `json:"editions"`
}

type listedEdition struct {
	Version string `json:"version"`
	Python  string `json:"python"`
	Server  string `json:"server"`
}

func (c *listCommand) run(context.Context) error {
	catalogue, err := c.catalogue()
	if err != nil {
		return err
	}
	all, err := listAll(catalogue)
	if err != nil {
		return err
	}
	newest, err := c.listLatest(catalogue, all)
	if err != nil {
		return err
	}
	if c.format == "json" {
		encoder := json.NewEncoder(c.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	}
	columns := make([]listColumn, len(catalogue.Editions))
	for i, e := range catalogue.Editions {
		columns[i] = listColumn{edition: e.Name, note: e.Date}
	}
	return c.table(append(columns, newest), all)
}

// listLatest adds the releases that are measured as the edition latest. Those of
// a framework that the index was not asked for yet are empty; while the edition
// is off there are none.
func (c *listCommand) listLatest(catalogue *frameworks.Catalogue, all []listed) (listColumn, error) {
	column := listColumn{edition: bench.EditionLatest, missing: notResolved}
	cfg, err := config.Load(c.configFile)
	if err != nil {
		return column, err
	}
	l, err := c.configuredLatest(catalogue, cfg)
	if err != nil {
		return column, c.where(err)
	}
	resolved := false
	for _, o := range l.targets {
		lock, err := l.read(o, lockFile)
		if err != nil {
			return column, err
		}
		one := listedEdition{Python: o.Recipe.Python.Version, Server: o.Serving.Server}
		if lock != nil {
			resolved, one.Version = true, l.with(o, bench.EditionLatest, lock).LockedVersion()
		}
		i := slices.IndexFunc(all, func(f listed) bool { return f.Framework == o.Target.Framework })
		all[i].Editions[bench.EditionLatest] = one
	}
	column.note = l.state(resolved)
	return column, nil
}

// listColumn is an edition in the table.
type listColumn struct {
	edition, note string
	missing       string // instead of a version that is not known yet
}

func listAll(catalogue *frameworks.Catalogue) ([]listed, error) {
	all := []listed{}
	for _, f := range catalogue.Frameworks {
		one := listed{Framework: f.Name, Homepage: f.Homepage, Source: f.Servings[bench.ServingDocumented].Source, Editions: map[string]listedEdition{}}
		for _, edition := range catalogue.Editions {
			if _, offered := f.Editions[edition.Name]; !offered {
				continue
			}
			if f.Locks[edition.Name] == nil { // new, and not locked yet
				one.Editions[edition.Name] = listedEdition{Python: edition.Python.Version}
				continue
			}
			entries, err := catalogue.Select([]string{f.Name}, []string{edition.Name})
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				one.Editions[edition.Name] = listedEdition{e.LockedVersion(), edition.Python.Version, e.Serving.Server}
			}
		}
		all = append(all, one)
	}
	return all, nil
}

func (c *listCommand) table(columns []listColumn, all []listed) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "FRAMEWORK")
	for _, column := range columns {
		fmt.Fprintf(w, "\t%s (%s)", column.edition, column.note)
	}
	fmt.Fprintln(w, "\tSERVER")
	for _, f := range all {
		fmt.Fprint(w, f.Framework)
		server := ""
		for _, column := range columns {
			e, offered := f.Editions[column.edition]
			if offered && e.Version == "" {
				e.Version = column.missing
			}
			fmt.Fprintf(w, "\t%s", e.Version)
			if e.Server != "" {
				server = e.Server
			}
		}
		fmt.Fprintf(w, "\t%s\n", server)
	}
	return w.Flush()
}

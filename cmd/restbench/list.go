//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"restbench/frameworks"
	"restbench/internal/bench"
)

type listCommand struct {
	*session
	format string
}

func registerList(app *kingpin.Application, s *session) (string, action) {
	c := &listCommand{session: s}
	cmd := app.Command("list", "The catalogue: frameworks with their versions per edition.")
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
	if c.format == "json" {
		encoder := json.NewEncoder(c.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	}
	return c.table(catalogue.Editions, all)
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

func (c *listCommand) table(editions []bench.Edition, all []listed) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "FRAMEWORK")
	for _, e := range editions {
		fmt.Fprintf(w, "\t%s (%s)", e.Name, e.Date)
	}
	fmt.Fprintln(w, "\tSERVER")
	for _, f := range all {
		fmt.Fprint(w, f.Framework)
		server := ""
		for _, e := range editions {
			fmt.Fprintf(w, "\t%s", f.Editions[e.Name].Version)
			if s := f.Editions[e.Name].Server; s != "" {
				server = s
			}
		}
		fmt.Fprintf(w, "\t%s\n", server)
	}
	return w.Flush()
}

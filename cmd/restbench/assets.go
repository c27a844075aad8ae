//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"restbench/docs"
	"restbench/grafana"
	"restbench/prometheus"
)

// Addresses that the shipped rules carry, and that the flags replace.
const (
	shippedGrafana = "http://127.0.0.1:3000"
	shippedRunbook = "http://127.0.0.1:10226/runbooks"
)

type assetsCommand struct {
	*session
	dir     string
	grafana string
	runbook string
	force   bool
}

func registerAssets(app *kingpin.Application, s *session) (string, action) {
	c := &assetsCommand{session: s}
	cmd := app.Command("assets", "Write dashboards, rules and a scrape snippet into a folder.")
	cmd.Arg("dir", "The folder; it is made if it is not there.").Required().StringVar(&c.dir)
	cmd.Flag("grafana-url", "Address of your Grafana, for the links in alerts.").Default(shippedGrafana).StringVar(&c.grafana)
	cmd.Flag("runbook-url", "Address of the runbooks, for the links in alerts.").Default(shippedRunbook).StringVar(&c.runbook)
	cmd.Flag("force", "Overwrite files that differ, edited ones, too.").BoolVar(&c.force)
	return cmd.FullCommand(), c.run
}

// run writes all files but, without force, those that are there with another
// content: somebody has edited them, or another restbench has written them.
func (c *assetsCommand) run(context.Context) error {
	all, err := c.files()
	if err != nil {
		return err
	}
	var kept []string
	if !c.force {
		if all, kept, err = sift(all); err != nil {
			return err
		}
	}
	for _, f := range all {
		if err := f.write(); err != nil {
			return err
		}
	}
	if len(kept) > 0 {
		return fmt.Errorf("left as they are, because they differ from what is shipped: %s; the other %d files are in %s (--force overwrites all; one that is removed first is written anew)",
			strings.Join(kept, ", "), len(all), c.dir)
	}
	_, err = fmt.Fprintf(c.out, "%d files are in %s\n", len(all), c.dir)
	return err
}

// asset is a file to write.
type asset struct {
	path    string
	content []byte
}

func (c *assetsCommand) files() ([]asset, error) {
	addresses := strings.NewReplacer(shippedGrafana, strings.TrimSuffix(c.grafana, "/"), shippedRunbook, c.runbook)
	all := []asset{{filepath.Join(c.dir, "runbooks.md"), []byte(addresses.Replace(docs.Runbooks()))}}
	for _, part := range []struct {
		name  string
		files fs.FS
	}{{"grafana", grafana.Files()}, {"prometheus", prometheus.Files()}} {
		err := fs.WalkDir(part.files, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(part.files, name)
			all = append(all, asset{filepath.Join(c.dir, part.name, filepath.FromSlash(name)), []byte(addresses.Replace(string(content)))})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sift gives the files that can be written, and the paths of those that are there
// with another content.
func sift(all []asset) (free []asset, differ []string, err error) {
	for _, f := range all {
		there, err := os.ReadFile(f.path)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, nil, fmt.Errorf("look at what is there: %w", err)
		case err == nil && !bytes.Equal(there, f.content):
			differ = append(differ, f.path)
		default:
			free = append(free, f)
		}
	}
	return free, differ, nil
}

func (f asset) write() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return fmt.Errorf("write assets: %w", err)
	}
	if err := os.WriteFile(f.path, f.content, 0o644); err != nil {
		return fmt.Errorf("write assets: %w", err)
	}
	return nil
}

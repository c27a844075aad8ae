package environment

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"restbench/internal/bench"
)

// buildLock holds what a source distribution may be built with, hashes
// included. uv applies it as constraints. Renewed with:
//
//	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.8 build.in
//
//go:embed build.txt
var buildLock string

// install makes an environment at its final path, because a virtual environment
// cannot be moved. Until finish has written the marker it counts for nothing,
// and the next attempt starts by removing it.
func (m *Manager) install(ctx context.Context, r bench.Recipe, p place) error {
	ctx, cancel := context.WithTimeoutCause(ctx, installLimit, fmt.Errorf("not done after %s", installLimit))
	defer cancel()
	uv, err := m.findUV(ctx, func(detail string) { m.options.Progress(r.Name, detail) })
	if err != nil {
		return err
	}
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove an incomplete environment: %w", err)
	}
	if err := m.lay(p, r); err != nil {
		return err
	}
	m.options.Progress(r.Name, "installing")
	if err := m.fill(ctx, uv, r, p); err != nil {
		return err
	}
	packages, err := installed(p.venv())
	if err != nil {
		return fmt.Errorf("list the packages of %s: %w", p.venv(), err)
	}
	version := packages[normalize(r.Package)]
	if version == "" && r.Package != "" {
		return fmt.Errorf("the lock does not contain %s", r.Package)
	}
	return p.finish(marker{Recipe: r.Name, Version: version, Python: p.python.Version, Packages: packages})
}

// lay writes the files that an environment starts from.
func (m *Manager) lay(p place, r bench.Recipe) error {
	if err := writeFiles(p.app(), p.files); err != nil {
		return fmt.Errorf("copy the application: %w", err)
	}
	return writeFiles(p.dir, []file{
		{path: "requirements.txt", content: r.Lock},
		{path: "direct.txt", content: r.Direct},
		{path: "build.txt", content: []byte(buildLock)},
	})
}

// onlyWheels makes uv build nothing but the packages that are named.
func onlyWheels(built []string) []string {
	args := []string{"--only-binary", ":all:"}
	for _, name := range built {
		args = append(args, "--no-binary", name)
	}
	return args
}

// fill runs uv. Sync installs exactly what the lock lists, without resolving;
// what has no hash comes after it and brings nothing else along. A folder is
// built anew, because uv would not notice that a file in it has changed.
func (m *Manager) fill(ctx context.Context, uv string, r bench.Recipe, p place) error {
	venv := []string{"venv", "--no-project", "--python", p.python.Path, p.venv()}
	sync := []string{
		"pip", "sync", "--python", p.binary(), "--require-hashes", "--allow-empty-requirements",
		"--build-constraints", filepath.Join(p.dir, "build.txt"), filepath.Join(p.dir, "requirements.txt"),
	}
	if r.Wheels {
		sync = append(sync, onlyWheels(r.Built)...)
	}
	commands := [][]string{venv, sync}
	if len(r.Direct) > 0 {
		commands = append(commands, []string{
			"pip", "install", "--python", p.binary(), "--no-deps", "--reinstall", "--requirements", filepath.Join(p.dir, "direct.txt"),
		})
	}
	for _, args := range commands {
		command := m.uvCommand(uv, args)
		command.Name, command.Dir = "uv "+args[0]+" for "+r.Name, p.dir
		if _, err := m.runUV(ctx, command); err != nil {
			return withHint(err)
		}
	}
	return nil
}

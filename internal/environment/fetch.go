package environment

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"restbench/internal/bench"
)

// uvLock is the uv that restbench fetches where PATH has none: one release,
// with the hashes of its files, so that no index can offer another. Renewed with:
//
//	echo uv | uv pip compile --universal --generate-hashes --no-header --no-annotate -
//
//go:embed uv.txt
var uvLock string

const (
	fetchLimit = 3 * time.Minute // of uv, about 20 MB
	wheelMax   = 256 << 20       // bytes; far above any release
)

// pin is a lock of uv alone.
type pin string

// version is the release: the lock begins with "uv==0.13.9 \".
func (p pin) version() string {
	_, rest, _ := strings.Cut(string(p), "==")
	return strings.Fields(rest)[0]
}

// check refuses a file that the lock does not list.
func (p pin) check(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	if sum := hex.EncodeToString(hash.Sum(nil)); !strings.Contains(string(p), "--hash=sha256:"+sum) {
		return fmt.Errorf("its hash %s is none of uv %s", sum, p.version())
	}
	return nil
}

// fetchUV brings uv to path. pip knows every setting of its user, so it goes
// first; but a machine may have no pip at all, and then the index is asked
// directly. What comes is checked against uvLock either way.
func (m *Manager) fetchUV(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchLimit, fmt.Errorf("not done after %s", fetchLimit))
	defer cancel()
	if err := os.MkdirAll(filepath.Dir(filepath.Dir(path)), 0o755); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(filepath.Dir(filepath.Dir(path)), ".fetch-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	wheel, err := m.fetchWheel(ctx, temporary)
	if err != nil {
		return err
	}
	unpacked := filepath.Join(temporary, "whole", "uv")
	if err := m.pin.unpack(wheel, unpacked); err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(wheel), err)
	}
	if err := m.checkUV(ctx, unpacked); err != nil {
		return fmt.Errorf("%s %w", filepath.Base(wheel), err)
	}
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		return err
	}
	return os.Rename(filepath.Dir(unpacked), filepath.Dir(path))
}

func (m *Manager) fetchWheel(ctx context.Context, dir string) (string, error) {
	byPip := filepath.Join(dir, "pip") // apart, because a pip that did not succeed leaves what it has
	wheel, err := m.pipDownload(ctx, byPip)
	if err == nil {
		return wheel, nil
	}
	m.options.Log.Debug().Err(err).Msg("pip cannot fetch uv, the index is asked directly")
	client, err := newIndexClient(m.env, m.pin)
	if err != nil {
		return "", err
	}
	return client.download(ctx, dir)
}

// pipDownload tries the pip of each interpreter on PATH.
func (m *Manager) pipDownload(ctx context.Context, dir string) (string, error) {
	requirements := filepath.Join(dir, "uv.txt")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(requirements, []byte(m.pin), 0o644); err != nil {
		return "", err
	}
	paths := slices.Concat(m.candidates("3"))
	failed := errors.New("no interpreter is on PATH")
	for _, python := range m.askAll(ctx, paths) {
		out, err := m.options.Runner.Run(ctx, bench.Command{
			Name: "pip download uv", Dir: dir, Env: append(m.env.filter(forPip), "PIP_NO_INPUT=1"),
			Argv: []string{
				python.Path, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--progress-bar", "off",
				"--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", requirements, "--dest", dir,
			},
		})
		if err == nil {
			return theWheel(dir)
		}
		failed = err
		if ctx.Err() != nil || !strings.Contains(string(out.Stderr), "No module named pip") {
			break // this pip spoke for all: they share their settings
		}
	}
	return "", failed
}

func theWheel(dir string) (string, error) {
	wheels, err := filepath.Glob(filepath.Join(dir, "uv-*.whl"))
	if err != nil {
		return "", err
	}
	if len(wheels) != 1 {
		return "", fmt.Errorf("%d wheels instead of one", len(wheels))
	}
	return wheels[0], nil
}

// unpack takes the one executable out of a wheel whose hash the lock has.
func (p pin) unpack(wheel, path string) error {
	if err := p.check(wheel); err != nil {
		return err
	}
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	content, err := archive.Open("uv-" + p.version() + ".data/scripts/uv")
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return writeExecutable(path, content)
}

func writeExecutable(path string, content io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.LimitReader(content, wheelMax))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

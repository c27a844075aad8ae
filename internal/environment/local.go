package environment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// absolute makes paths behind an @ absolute, because uv works in another folder,
// and describes the content of what lies there.
func absolute(ctx context.Context, requirements []string) (all, contents []string, err error) {
	for _, requirement := range requirements {
		name, source, direct := strings.Cut(requirement, "@")
		location, further, here := "", "", false
		if direct {
			location, further, here, err = local(strings.TrimSpace(source))
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", requirement, err)
		}
		if !here {
			all = append(all, requirement)
			continue
		}
		found, err := content(ctx, location)
		if err != nil {
			return nil, nil, err
		}
		contents = append(contents, found)
		all = append(all, strings.TrimSpace(name)+" @ "+(&url.URL{Scheme: "file", Path: location}).String()+further)
	}
	return all, contents, nil
}

// local is the path of a source that lies on this machine, given as path or as file
// URL, and what follows it: a fragment and a marker, as PEP 508 has them behind a
// URL. Every other URL is not here.
func local(source string) (path, further string, here bool, err error) {
	switch scheme := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`).FindString(source); strings.ToLower(scheme) {
	case "":
		path, err = pathOf(source)
		return path, "", true, err
	case "file:":
		if at := regexp.MustCompile(`#| ;`).FindStringIndex(source); at != nil {
			source, further = source[:at[0]], source[at[0]:]
		}
		path, err = pathOfURL(source)
		return path, further, true, err
	}
	return "", "", false, nil
}

// pathOfURL takes relative ones, too, as uv does.
func pathOfURL(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	path := u.Path
	if u.Opaque != "" {
		path, err = url.PathUnescape(u.Opaque)
	}
	if err == nil && u.Host != "" && u.Host != "localhost" {
		err = fmt.Errorf("%q is not this machine: a file URL begins with file:///", u.Host)
	}
	if err != nil {
		return "", err
	}
	return pathOf(path)
}

// pathOf knows the home folder: a shell does not put it in behind an @.
func pathOf(source string) (string, error) {
	if rest, ok := strings.CutPrefix(source, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		return filepath.Join(home, rest), nil
	}
	return filepath.Abs(source)
}

// content is a path and the hash of what lies there, also behind links. What
// programs leave behind (hidden folders, compiled files) is no part of it.
func content(ctx context.Context, path string) (string, error) {
	d := &digest{Hash: sha256.New(), root: path, seen: map[string]bool{}}
	err := d.add(ctx, path)
	return path + " sha256:" + hex.EncodeToString(d.Sum(nil)), err
}

// digest takes in files under their names.
type digest struct {
	hash.Hash
	root string
	seen map[string]bool // folders: links may lead in a circle
}

// add can be interrupted: links may lead into a tree of any size.
func (d *digest) add(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	info, err := os.Stat(name)
	if err != nil {
		return d.dangling(name, err)
	}
	switch {
	case info.IsDir():
		return d.folder(ctx, name)
	case !info.Mode().IsRegular() || filepath.Ext(name) == ".pyc":
		return nil
	}
	return d.file(ctx, name)
}

// file takes in the hash of the content, because a file may be larger than the memory.
func (d *digest) file(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, reader(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return f.Read(p)
	}))
	d.write(name, sum.Sum(nil))
	return err
}

type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

func (d *digest) write(name string, text []byte) {
	fmt.Fprintf(d, "%d:%s,%d:%s,", len(name), name, len(text), text)
}

// dangling takes in where a link leads that leads nowhere; everything else that is
// not there is an error.
func (d *digest) dangling(name string, cause error) error {
	to, err := os.Readlink(name)
	if err != nil {
		return cause
	}
	d.write(name, []byte(to))
	return nil
}

// folder takes each one in once; where it turns up again, that it is this one.
func (d *digest) folder(ctx context.Context, name string) error {
	base := filepath.Base(name)
	if name != d.root && (strings.HasPrefix(base, ".") || base == "__pycache__" || strings.HasSuffix(base, ".egg-info")) {
		return nil
	}
	itself, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	if d.seen[itself] {
		d.write(name, []byte(itself))
		return nil
	}
	d.seen[itself] = true
	entries, err := os.ReadDir(name)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := d.add(ctx, filepath.Join(name, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

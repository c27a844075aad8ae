package release

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Form is the way in which a target is named.
type Form string

// The forms there are.
const (
	FormEdition Form = "edition" // sanic@2020, or sanic alone
	FormRelease Form = "release" // sanic==21.12.0, or any other specifier of releases
	FormDirect  Form = "direct"  // sanic@git+https://..., sanic@../sanic
	FormCommand Form = "command" // python app.py --port {port}
	FormURL     Form = "url"     // http://127.0.0.1:8000/
)

// Target is what a user wants compared.
type Target struct {
	Text string // as it was given
	Form Form

	Name    string   // of the framework or of its package: edition, release, direct
	Edition string   // empty where none is named
	Extras  string   // with their brackets, "[ext]": release, direct
	Version string   // the specifiers, "==21.12.0": release
	Source  string   // a path, or the URL of a repository or an archive: direct
	Argv    []string // command
}

// portMark is where a command gets its port.
const portMark = "{port}"

// Parse tells the forms apart. What stands behind @ is an edition, unless it
// has a slash: editions have none, and every path and URL can be written with one.
func Parse(text string) (Target, error) {
	t := Target{Text: strings.TrimSpace(text)}
	err := t.parse()
	if err != nil {
		return t, fmt.Errorf("target %q: %w", text, err)
	}
	return t, nil
}

func (t *Target) parse() (err error) {
	switch scheme, _, found := strings.Cut(t.Text, "://"); {
	case t.Text == "":
		return errors.New("is empty")
	case strings.Contains(t.Text, portMark):
		t.Form = FormCommand
		t.Argv, err = split(t.Text)
		return err
	case found && (scheme == "http" || scheme == "https"):
		t.Form = FormURL
		return nil
	}
	return t.parsePackage()
}

// parsePackage reads a name, extras, and then what PEP 508 lets follow, or an
// edition.
func (t *Target) parsePackage() error {
	m := regexp.MustCompile(`^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)$`).FindStringSubmatch(t.Text)
	if m == nil {
		return t.shape()
	}
	t.Name, t.Extras = m[1], strings.ReplaceAll(m[2], " ", "")
	rest := m[3]
	switch {
	case rest == "" && t.Extras == "":
		t.Form = FormEdition
	case regexp.MustCompile(`^(===?|~=|!=|<=?|>=?)\s*[^\s;@]+(\s*,\s*(===?|~=|!=|<=?|>=?)\s*[^\s;@,]+)*$`).MatchString(rest):
		t.Form, t.Version = FormRelease, strings.ReplaceAll(rest, " ", "")
	case strings.HasPrefix(rest, "@"):
		return t.parseAt(strings.TrimSpace(rest[1:]))
	default:
		return t.shape()
	}
	return nil
}

func (t *Target) parseAt(at string) error {
	switch {
	case strings.Contains(at, "/"):
		t.Form, t.Source = FormDirect, at
	case at != "" && t.Extras == "" && !strings.ContainsAny(at, " \t"):
		t.Form, t.Edition = FormEdition, at
	default:
		return t.shape()
	}
	return nil
}

func (t *Target) shape() error {
	if strings.Contains(t.Text, "/") {
		return errors.New("say which framework that is, as sanic@git+https://... or sanic@../sanic; a command needs {port}")
	}
	return errors.New("must be like sanic@2020, sanic==21.12.0, sanic@../sanic, 'python app.py {port}' or http://127.0.0.1:8000/")
}

// Requirement is what an installer is asked for: of a package whose name may be
// another one than the framework's.
func (t Target) Requirement(pkg string) string {
	if t.Form == FormDirect {
		return pkg + t.Extras + " @ " + t.Source
	}
	return pkg + t.Extras + t.Version
}

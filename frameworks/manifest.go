package frameworks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"restbench/internal/bench"
)

// document is a YAML file that is being checked.
type document struct {
	shown string // its path, for errors
	text  []byte
	root  yaml.Node
}

// decode reads the text into value; an unknown key is an error.
func (d *document) decode(value any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(d.text))
	decoder.KnownFields(true)
	if err := decoder.Decode(value); errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the file is empty", d.shown)
	} else if err != nil {
		return d.explain(err)
	}
	if err := yaml.Unmarshal(d.text, &d.root); err != nil {
		return d.explain(err)
	}
	return nil
}

// explain turns the library's message ("yaml: unmarshal errors:\n  line 3: field
// x not found in type bench.Serving") into one line that begins with the place.
func (d *document) explain(err error) error {
	message := err.Error()
	var several *yaml.TypeError
	if errors.As(err, &several) && len(several.Errors) > 0 {
		message = several.Errors[0]
	}
	message = strings.TrimPrefix(message, "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): field (.*) not found in type .*$`).FindStringSubmatch(message); m != nil {
		return fmt.Errorf("%s:%s: unknown key %q", d.shown, m[1], m[2])
	}
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(message); m != nil {
		return fmt.Errorf("%s:%s: %s", d.shown, m[1], m[2])
	}
	return fmt.Errorf("%s: %s", d.shown, message)
}

// wrong says what is wrong with the value under keys, and in which line.
func (d *document) wrong(keys []string, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %s", d.shown, d.line(keys), strings.Join(keys, "."), fmt.Sprintf(format, args...))
}

// line is where the value under keys stands, or the innermost of its parents
// that is there.
func (d *document) line(keys []string) int {
	node, line := &d.root, 1
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	for _, key := range keys {
		next := child(node, key)
		if next == nil {
			return line
		}
		node, line = next[1], next[0].Line
	}
	return line
}

// value is the node under keys, nil when it is not there.
func (d *document) value(keys ...string) *yaml.Node {
	node := d.root.Content[0]
	for _, key := range keys {
		next := child(node, key)
		if next == nil {
			return nil
		}
		node = next[1]
	}
	return node
}

// child is the key and the value under it; for a list, keys are numbers.
func child(node *yaml.Node, key string) []*yaml.Node {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == key {
				return node.Content[i : i+2]
			}
		}
	case yaml.SequenceNode:
		var i int
		if _, err := fmt.Sscanf(key, "%d", &i); err == nil && i < len(node.Content) {
			return []*yaml.Node{node.Content[i], node.Content[i]}
		}
	}
	return nil
}

// validName: names are label values, file names and parts of "framework@edition".
func validName(name string) bool {
	return regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`).MatchString(name)
}

const nameRule = "must consist of lower-case letters, digits, dots, dashes and underscores"

// sortedKeys makes the first of several errors the same one each time.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func validDate(date string) bool {
	_, err := time.Parse(time.DateOnly, date)
	return err == nil
}

func validURL(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func parseManifest(d document, folder string, editions []bench.Edition) (bench.Framework, error) {
	var f bench.Framework
	if err := d.decode(&f); err != nil {
		return f, err
	}
	switch {
	case f.Name != folder:
		return f, d.wrong([]string{"name"}, "is %q, must be the folder's name, %q", f.Name, folder)
	case !validName(f.Name):
		return f, d.wrong([]string{"name"}, "%q %s", f.Name, nameRule)
	case f.Package == "":
		return f, d.wrong([]string{"package"}, "is missing: the framework's name in the package index")
	case !validURL(f.Homepage):
		return f, d.wrong([]string{"homepage"}, "%q is not a web address", f.Homepage)
	case len(f.Editions) == 0:
		return f, d.wrong([]string{"editions"}, "is missing: name at least one")
	}
	for _, check := range []func(bench.Framework) error{d.checkServings, d.checkWorkloads} {
		if err := check(f); err != nil {
			return f, err
		}
	}
	return f, d.checkEditions(f, editions)
}

func (d *document) checkServings(f bench.Framework) error {
	if _, ok := f.Servings[bench.ServingDocumented]; !ok {
		return d.wrong([]string{"servings", bench.ServingDocumented}, "is missing: the server of the framework's first example")
	}
	for _, name := range sortedKeys(f.Servings) {
		keys := []string{"servings", name}
		if !validName(name) {
			return d.wrong(keys, "the name %s", nameRule)
		}
		if err := d.checkServing(keys, f.Servings[name]); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) checkServing(keys []string, s bench.Serving) error {
	at := func(key string) []string { return append(slices.Clone(keys), key) }
	switch {
	case s.Server == "":
		return d.wrong(at("server"), "is missing: what listens, in words")
	case len(s.Argv) == 0 || s.Argv[0] == "":
		return d.wrong(at("argv"), "is missing: the command that serves")
	case !validURL(s.Source):
		return d.wrong(at("source"), "%q is not a web address: the page that shows this way to serve", s.Source)
	case !validDate(s.Read):
		return d.wrong(at("read"), "%q is not a date (2006-01-02): the day on which the page was read", s.Read)
	case !slices.Contains(bench.Signals(), s.Signal.OrDefault()):
		return d.wrong(at("signal"), "%q is none; there are %s and %s", s.Signal, bench.SignalRequests, bench.SignalServerCPU)
	}
	return d.checkPlaceholders(keys, s)
}

func (d *document) checkPlaceholders(keys []string, s bench.Serving) error {
	all := slices.Clone(s.Argv)
	for _, value := range s.Env {
		all = append(all, value)
	}
	joined := strings.Join(all, "\n")
	for _, found := range regexp.MustCompile(`\{[a-z]+\}`).FindAllString(joined, -1) {
		if !slices.Contains([]string{"{python}", "{bin}", "{app}", "{port}"}, found) {
			return d.wrong(append(slices.Clone(keys), "argv"), "%s is unknown; there are {python}, {bin}, {app} and {port}", found)
		}
	}
	if !strings.Contains(joined, "{port}") {
		return d.wrong(append(slices.Clone(keys), "argv"), "has no {port}: the server must listen where it is told to")
	}
	return nil
}

func (d *document) checkWorkloads(f bench.Framework) error {
	if _, ok := f.Workloads[bench.WorkloadHello]; !ok {
		return d.wrong([]string{"workloads", bench.WorkloadHello}, "is missing: the request to send and the answer to expect")
	}
	for _, name := range sortedKeys(f.Workloads) {
		keys := []string{"workloads", name}
		if !validName(name) {
			return d.wrong(keys, "the name %s", nameRule)
		}
		if err := d.checkWorkload(keys, f.Workloads[name]); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) checkWorkload(keys []string, w bench.Workload) error {
	at := func(key ...string) []string { return append(slices.Clone(keys), key...) }
	switch {
	case !strings.HasPrefix(w.Request.Path, "/") || strings.ContainsAny(w.Request.Path, " \r\n"):
		return d.wrong(at("request", "path"), "is %q, must begin with / and have no spaces", w.Request.Path)
	case !regexp.MustCompile(`^[A-Z]*$`).MatchString(w.Request.Method):
		return d.wrong(at("request", "method"), "is %q, must be in capital letters", w.Request.Method)
	case w.Expect.Status < 200 || w.Expect.Status > 599:
		return d.wrong(at("expect", "status"), "is %d, must be 200 to 599", w.Expect.Status)
	}
	for _, name := range sortedKeys(w.Request.Headers) {
		value := w.Request.Headers[name]
		if name == "" || strings.ContainsAny(name, ": \r\n") || strings.ContainsAny(value, "\r\n") {
			return d.wrong(at("request", "headers", name), "is not a header")
		}
	}
	return nil
}

// checkEditions also checks what becomes of servings and workloads under each
// edition.
func (d *document) checkEditions(f bench.Framework, editions []bench.Edition) error {
	for _, name := range sortedKeys(f.Editions) {
		variant, keys := f.Editions[name], []string{"editions", name}
		if !slices.ContainsFunc(editions, func(e bench.Edition) bool { return e.Name == name }) {
			return d.wrong(keys, "%s has no such edition", editionsFile)
		}
		if len(variant.Requirements) == 0 {
			return d.wrong(append(keys, "requirements"), "is missing: what to install")
		}
		if err := d.checkVariant(keys, f, variant); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) checkVariant(keys []string, f bench.Framework, v bench.Variant) error {
	for _, name := range sortedKeys(v.Servings) {
		changed, at := v.Servings[name], append(slices.Clone(keys), "servings", name)
		if _, ok := f.Servings[name]; !ok {
			return d.wrong(at, "changes a serving that is not there")
		}
		if err := d.checkServing(at, mergeServing(f.Servings[name], changed)); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(v.Workloads) {
		changed, at := v.Workloads[name], append(slices.Clone(keys), "workloads", name)
		if _, ok := f.Workloads[name]; !ok {
			return d.wrong(at, "changes a workload that is not there")
		}
		if err := d.checkWorkload(at, mergeWorkload(f.Workloads[name], changed)); err != nil {
			return err
		}
	}
	return nil
}

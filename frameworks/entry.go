package frameworks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"restbench/internal/bench"
)

// Entry is one target of the catalogue, with what its edition changes applied.
type Entry struct {
	Target   bench.Target
	Serving  bench.Serving
	Workload bench.Workload
	Recipe   bench.Recipe
}

// Command is how the entry's server is started in its environment; {port} is
// left for whoever picks the port.
func (e Entry) Command(env bench.Environment) bench.Command {
	fill := strings.NewReplacer("{python}", env.Python, "{bin}", env.Bin, "{app}", env.App)
	command := bench.Command{Name: e.Target.String(), Dir: env.App}
	for _, argument := range e.Serving.Argv {
		command.Argv = append(command.Argv, fill.Replace(argument))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Serving.Env)) {
		command.Env = append(command.Env, name+"="+fill.Replace(e.Serving.Env[name]))
	}
	return command
}

// LockedVersion is the framework's release in the entry's lock, on the Python
// that the edition wants.
func (e Entry) LockedVersion() string {
	return LockedVersion(e.Recipe.Lock, e.Recipe.Package, e.Recipe.Python.Version)
}

// Select finds targets by name: "sanic" in each of the editions, "sanic@2020" in
// that one; no name means every framework that an edition has. No editions mean
// all there are. The order is that of the names, then of the editions; what is
// named twice comes once.
func (c *Catalogue) Select(names, editions []string) ([]Entry, error) {
	for _, edition := range editions {
		if _, err := c.Edition(edition); err != nil {
			return nil, err
		}
	}
	pairs, err := c.pairs(names, editions)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	seen := map[pair]bool{}
	for _, p := range pairs {
		if seen[p] {
			continue
		}
		seen[p] = true
		more, err := c.entries(p)
		if err != nil {
			return nil, err
		}
		entries = append(entries, more...)
	}
	return entries, nil
}

type pair struct{ framework, edition string }

func (c *Catalogue) pairs(names, editions []string) ([]pair, error) {
	if len(names) == 0 {
		return c.all(editions)
	}
	var pairs []pair
	for _, name := range names {
		framework, edition, one := strings.Cut(name, "@")
		f, err := c.Framework(framework)
		if err != nil {
			return nil, err
		}
		switch {
		case one:
			pairs = append(pairs, pair{framework, edition})
		case len(editions) == 0:
			pairs = append(pairs, c.has(f)...)
		default:
			for _, edition := range editions {
				pairs = append(pairs, pair{framework, edition})
			}
		}
	}
	return pairs, nil
}

// all pairs every framework with those of the editions that it has.
func (c *Catalogue) all(editions []string) ([]pair, error) {
	var pairs []pair
	for _, f := range c.Frameworks {
		for _, p := range c.has(f) {
			if len(editions) == 0 || slices.Contains(editions, p.edition) {
				pairs = append(pairs, p)
			}
		}
	}
	for _, edition := range editions {
		if !slices.ContainsFunc(pairs, func(p pair) bool { return p.edition == edition }) {
			return nil, fmt.Errorf("no framework has the edition %q", edition)
		}
	}
	return pairs, nil
}

// has lists a framework's editions in the catalogue's order.
func (c *Catalogue) has(f bench.Framework) []pair {
	var pairs []pair
	for _, e := range c.Editions {
		if _, ok := f.Editions[e.Name]; ok {
			pairs = append(pairs, pair{f.Name, e.Name})
		}
	}
	return pairs
}

func (c *Catalogue) entries(p pair) ([]Entry, error) {
	edition, err := c.Edition(p.edition)
	if err != nil {
		return nil, err
	}
	f, err := c.Framework(p.framework)
	if err != nil {
		return nil, err
	}
	variant, ok := f.Editions[p.edition]
	if !ok {
		return nil, noEdition(f, p.edition)
	}
	if f.Locks[p.edition] == nil {
		return nil, fmt.Errorf("%s@%s has no lock yet: make it by `%s`", f.Name, p.edition, c.lockCommand(p))
	}
	return variants(f, edition, variant), nil
}

// variants are an edition's ways to serve a framework and its workloads.
func variants(f bench.Framework, edition bench.Edition, variant bench.Variant) []Entry {
	var entries []Entry
	for _, serving := range slices.Sorted(maps.Keys(f.Servings)) {
		for _, workload := range slices.Sorted(maps.Keys(f.Workloads)) {
			entries = append(entries, Entry{
				Target:   bench.Target{Framework: f.Name, Edition: edition.Name, Serving: serving, Workload: workload},
				Serving:  mergeServing(f.Servings[serving], variant.Servings[serving]),
				Workload: mergeWorkload(f.Workloads[workload], variant.Workloads[workload]),
				Recipe:   recipe(f, edition),
			})
		}
	}
	return entries
}

// lockCommand is what makes a lock that is missing.
func (c *Catalogue) lockCommand(p pair) string {
	command := fmt.Sprintf("restbench lock %s --edition=%s", p.framework, p.edition)
	if dir := c.dirs[p.framework]; dir != "" {
		command += " --frameworks.dir=" + dir
	}
	return command
}

func recipe(f bench.Framework, e bench.Edition) bench.Recipe {
	return bench.Recipe{
		Name: f.Name + "@" + e.Name, Package: f.Package, Python: e.Python,
		Lock: f.Locks[e.Name], Files: applicationOf(f),
	}
}

// mergeServing applies what an edition changes: what is given replaces, what is
// left out stays.
func mergeServing(base, changed bench.Serving) bench.Serving {
	replace(&base.Server, changed.Server)
	replace(&base.Source, changed.Source)
	replace(&base.Read, changed.Read)
	replace(&base.Signal, changed.Signal)
	if changed.Argv != nil {
		base.Argv = changed.Argv
	}
	if changed.Env != nil {
		base.Env = changed.Env
	}
	return base
}

func mergeWorkload(base, changed bench.Workload) bench.Workload {
	replace(&base.Request.Method, changed.Request.Method)
	replace(&base.Request.Path, changed.Request.Path)
	replace(&base.Expect.Status, changed.Expect.Status)
	replace(&base.Expect.ContentType, changed.Expect.ContentType)
	replace(&base.Expect.Body, changed.Expect.Body)
	if changed.Request.Headers != nil {
		base.Request.Headers = changed.Request.Headers
	}
	return base
}

func replace[T comparable](value *T, changed T) {
	var none T
	if changed != none {
		*value = changed
	}
}

package frameworks

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"restbench/internal/bench"
)

// Latest lists the targets of the edition latest: those of the named frameworks
// ("sanic" or "sanic@latest"), or of all that the edition current has when none
// is named. Requirements, interpreter, example and way to serve are current's;
// what the requirements resolve to is for the caller to find out.
func (c *Catalogue) Latest(names []string) ([]Other, error) {
	edition, err := c.Edition(bench.EditionCurrent)
	if err != nil {
		return nil, err
	}
	chosen, err := c.latestFrameworks(names)
	if err != nil {
		return nil, err
	}
	var all []Other
	for _, f := range chosen {
		variant := f.Editions[bench.EditionCurrent]
		for _, e := range variants(f, edition, variant) {
			e.Target.Edition = bench.EditionLatest
			other := Other{Entry: e, Requirements: slices.Clone(variant.Requirements)}
			other.Recipe.Name, other.Recipe.Lock = f.Name+"@"+bench.EditionLatest, nil
			other.build(variant.Sources, e.Recipe)
			all = append(all, other)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no framework has the edition current, whose requirements latest resolves anew")
	}
	return all, nil
}

// build allows packages that have no wheel, in the releases that are locked: code that
// this program has brought along is no stranger's.
func (o *Other) build(sources []string, locked bench.Recipe) {
	for _, name := range sources {
		if version := LockedVersion(locked.Lock, name, locked.Python.Version); version != "" {
			o.Recipe.Built = append(o.Recipe.Built, name)
			o.Sources = append(o.Sources, name+"=="+version)
		}
	}
}

func (c *Catalogue) latestFrameworks(names []string) ([]bench.Framework, error) {
	has := func(f bench.Framework) bool { _, ok := f.Editions[bench.EditionCurrent]; return ok }
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(c.Frameworks), func(f bench.Framework) bool { return !has(f) }), nil
	}
	var chosen []bench.Framework
	seen := map[string]bool{}
	for _, name := range names {
		name = strings.TrimSuffix(name, "@"+bench.EditionLatest)
		f, err := c.Framework(name)
		switch {
		case err != nil:
			return nil, err
		case !has(f):
			return nil, fmt.Errorf("%s has no edition %s: that resolves the requirements of its edition %s, which it lacks",
				name, bench.EditionLatest, bench.EditionCurrent)
		case !seen[name]:
			seen[name] = true
			chosen = append(chosen, f)
		}
	}
	return chosen, nil
}

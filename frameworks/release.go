package frameworks

import (
	"fmt"
	"regexp"
	"slices"

	"restbench/internal/bench"
)

// FrameworkOrPackage finds a framework by its name or by that of its package.
func (c *Catalogue) FrameworkOrPackage(name string) (bench.Framework, error) {
	i := slices.IndexFunc(c.Frameworks, func(f bench.Framework) bool { return normal(f.Package) == normal(name) })
	if i >= 0 {
		return c.Frameworks[i], nil
	}
	return c.Framework(name)
}

// Other is a target of the catalogue with another release of its package than
// the edition's lock has.
type Other struct {
	Entry
	Requirements []string // what is to be resolved, in place of Recipe.Lock
	Sources      []string // and, where only wheels are taken, the releases of what has none
}

// Other takes a target of an edition, "sanic@current", and puts a requirement in
// the place of what the edition requires of the framework's package. Interpreter,
// example and way to serve are the edition's. name is what stands for the edition
// in the target: "==21.12.0".
func (c *Catalogue) Other(target, name, requirement string) (Other, error) {
	e, err := c.One(target)
	if err != nil {
		return Other{}, err
	}
	f, err := c.Framework(e.Target.Framework)
	if err != nil {
		return Other{}, err
	}
	other := Other{Entry: e, Requirements: []string{requirement}}
	for _, r := range f.Editions[e.Target.Edition].Requirements {
		if normal(packageOf(r)) != normal(f.Package) {
			other.Requirements = append(other.Requirements, r)
		}
	}
	other.Target.Edition = name
	other.Recipe.Name = other.Target.String()
	return other, nil
}

// One finds a single target: where there are several ways to serve or several
// workloads, the documented one and hello.
func (c *Catalogue) One(target string) (Entry, error) {
	found, err := c.Select([]string{target}, nil)
	if err != nil {
		return Entry{}, err
	}
	for _, e := range found {
		if e.Target.Serving == bench.ServingDocumented && e.Target.Workload == bench.WorkloadHello {
			return e, nil
		}
	}
	if len(found) == 0 {
		return Entry{}, fmt.Errorf("%s has no edition", target)
	}
	return found[0], nil
}

func packageOf(requirement string) string {
	return regexp.MustCompile(`^[A-Za-z0-9._-]+`).FindString(requirement)
}

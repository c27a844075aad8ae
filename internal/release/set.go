package release

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Set is the releases of a lock, package by package, in the lock's order.
type Set []Pin

// Pin is one package of a set.
type Pin struct {
	Name    string // as the index compares it
	Version string
	Text    string // its lines in the lock, hashes included
}

// ParseSet reads a lock: an entry begins at the margin and goes on in indented
// lines.
func ParseSet(lock []byte) (Set, error) {
	release := regexp.MustCompile(`^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)`)
	var set Set
	for line := range strings.Lines(string(lock)) {
		switch indented := line[0] == ' ' || line[0] == '\t'; {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case indented && len(set) == 0:
			return nil, fmt.Errorf("read a lock: %.40q belongs to no package", line)
		case indented:
			set[len(set)-1].Text += line
		default:
			m := release.FindStringSubmatch(line)
			if m == nil {
				return nil, fmt.Errorf("read a lock: %.40q is no release", line)
			}
			set = append(set, Pin{Name: normal(m[1]), Version: m[2], Text: line})
		}
	}
	return set, nil
}

// normal is a package's name as the index compares it.
func normal(name string) string {
	return strings.ToLower(regexp.MustCompile(`[-_.]+`).ReplaceAllString(name, "-"))
}

// Lock is the set as an installer reads it.
func (s Set) Lock() []byte {
	var text strings.Builder
	for _, p := range s {
		text.WriteString(p.Text)
		if !strings.HasSuffix(p.Text, "\n") {
			text.WriteString("\n")
		}
	}
	return []byte(text.String())
}

// Versions is what is in the set, package to release.
func (s Set) Versions() map[string]string {
	versions := make(map[string]string, len(s))
	for _, p := range s {
		versions[p.Name] = p.Version
	}
	return versions
}

// Changed lists the packages of which before and after have other releases, or
// which only one of them has, by name. Other files of the same releases are no
// change.
func Changed(before, after Set) []string {
	was, is := before.Versions(), after.Versions()
	var names []string
	for _, p := range slices.Concat(before, after) {
		if was[p.Name] != is[p.Name] && !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Mix is before with the taken packages as they are in after: with its release,
// or without them where after has none.
func Mix(before, after Set, taken []string) Set {
	var mixed Set
	for _, p := range before {
		if !slices.Contains(taken, p.Name) {
			mixed = append(mixed, p)
		}
	}
	for _, p := range after {
		if slices.Contains(taken, p.Name) {
			mixed = append(mixed, p)
		}
	}
	slices.SortStableFunc(mixed, func(a, b Pin) int { return strings.Compare(a.Name, b.Name) })
	return mixed
}

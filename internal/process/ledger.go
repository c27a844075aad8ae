package process

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// entry is what the ledger says of one child, in a file of its own, so that a
// later restbench can find what this one could not remove.
type entry struct {
	Name   string   `json:"name"`
	Cookie string   `json:"cookie"`
	Port   int      `json:"port,omitempty"`
	Owner  identity `json:"owner"` // the restbench that started it
	Child  identity `json:"child"` // leader of its group; zero until it has started

	path string
}

// newEntry is written before the child starts: its cookie alone suffices to find it.
func (s *Supervisor) newEntry(name string, port int) (*entry, error) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // cannot fail
	e := &entry{Name: name, Cookie: hex.EncodeToString(random[:]), Port: port, Owner: s.self}
	e.path = filepath.Join(s.options.RunDir, fileName(name)+"-"+e.Cookie[:8])
	return e, e.write()
}

func (e *entry) ledgerPath() string { return e.path + ".json" }
func (e *entry) stderrPath() string { return e.path + ".stderr" }

// write replaces the file at once: a reader never sees half of it.
func (e *entry) write() error {
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("note a child process: %w", err)
	}
	temporary := e.path + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return fmt.Errorf("note a child process: %w", err)
	}
	if err := os.Rename(temporary, e.ledgerPath()); err != nil {
		return fmt.Errorf("note a child process: %w", err)
	}
	return nil
}

func (e *entry) started(child identity) error {
	e.Child = child
	return e.write()
}

// remove also removes what a crash may have left beside the ledger.
func (e *entry) remove() {
	for _, path := range []string{e.ledgerPath(), e.stderrPath(), e.path + ".new"} {
		_ = os.Remove(path)
	}
}

// fileName keeps what is safe in the name of a file.
func fileName(name string) string {
	safe := func(r rune) rune {
		if strings.ContainsRune("@._-", r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}
	return strings.Map(safe, name[:min(len(name), 60)])
}

// Sweep removes what an earlier restbench that is gone has left behind in this
// RunDir, and says how many processes that were. It kills a process only if the
// cookie in its environment proves that it is ours, or if it descends from such a
// one: ids of processes are used again. Children of a restbench that still runs
// are left alone.
func (s *Supervisor) Sweep() (killed int, err error) {
	paths, err := filepath.Glob(filepath.Join(s.options.RunDir, "*.json"))
	if err != nil {
		return 0, fmt.Errorf("look for left-over processes: %w", err)
	}
	var problems []error
	for _, path := range paths {
		n, err := s.sweepFile(path)
		killed += n
		problems = append(problems, err)
	}
	return killed, errors.Join(problems...)
}

func (s *Supervisor) sweepFile(path string) (killed int, err error) {
	e, err := readEntry(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // its owner has just removed it
	}
	if err != nil {
		s.options.Log.Warn().Err(err).Msg("removing an unreadable note of a child process")
		return 0, os.Remove(path)
	}
	if e.Owner.alive() {
		return 0, nil
	}
	killed, left := e.destroy(identity{})
	if len(left) > 0 {
		return killed, fmt.Errorf("remove what was left of %s: %w", e.Name, leftBehind(left))
	}
	if killed > 0 {
		s.options.Log.Warn().Str("name", e.Name).Int("processes", killed).Msg("killed processes that an earlier run left behind")
	}
	e.remove()
	return killed, nil
}

func readEntry(path string) (*entry, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a note of a child process: %w", err)
	}
	e := &entry{path: strings.TrimSuffix(path, ".json")}
	if err := json.Unmarshal(text, e); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(e.Cookie) != 32 {
		return nil, fmt.Errorf("read %s: no cookie", path)
	}
	return e, nil
}

// destroy kills everything that carries the entry's cookie, and awaits dying.
func (e *entry) destroy(dying identity) (killed int, left []stat) {
	return cull{pick: e.pick, dying: dying, limit: killLimit}.run()
}

// pick finds what carries the cookie, with all below. As long as the leader is
// among them, its group is ours as well: that also gets orphans that have thrown
// their environment away.
func (e *entry) pick(all []stat) []stat {
	list := carriers(all, e.Cookie)
	for _, s := range list {
		if s.identity == e.Child {
			return append(list, group(all, e.Child.Pid)...)
		}
	}
	return list
}

func group(all []stat, id int) []stat {
	var members []stat
	for _, s := range all {
		if s.group == id {
			members = append(members, s)
		}
	}
	return members
}

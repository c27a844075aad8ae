package environment

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// memory keeps what interpreters answered, between starts, so that a second
// start asks nobody. It may be lost at any time.
type memory struct {
	path string

	mu      sync.Mutex
	loaded  bool
	changed bool
	content remembered
}

type remembered struct {
	Answers   map[string]answer  `json:"answers"`
	Downloads map[string]failure `json:"downloads"` // that did not work, by version
}

// answer is what one executable said, and how its file looked then.
type answer struct {
	Stamp  string      `json:"stamp"`
	Real   string      `json:"real,omitempty"` // stamp of Python.Path, which may be another file
	Python interpreter `json:"python,omitzero"`
	Silent string      `json:"silent,omitempty"` // why there was none
	At     time.Time   `json:"at"`
}

type failure struct {
	Cause string    `json:"cause"`
	At    time.Time `json:"at"`
}

// How long to believe what can change without a trace in the file: a shim's
// answer, and the state of the network.
const (
	shimBelieved    = time.Hour
	failureBelieved = 24 * time.Hour
)

func (a answer) interpreter() (interpreter, error) {
	if a.Silent != "" {
		return interpreter{}, errors.New(a.Silent)
	}
	return a.Python, nil
}

func openMemory(path string) *memory { return &memory{path: path} }

func (m *memory) recall(path string, now time.Time) (answer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	known, ok := m.content.Answers[path]
	if !ok || known.Stamp != stampOf(path) {
		return answer{}, false
	}
	if known.Silent == "" && known.Real == known.Stamp {
		return known, true // the executable itself
	}
	young := now.Sub(known.At).Abs() < shimBelieved
	return known, young && (known.Silent != "" || known.Real == stampOf(known.Python.Path))
}

func (m *memory) remember(path string, a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	a.At = time.Now()
	m.content.Answers[path] = a
	m.changed = true
}

// failed returns why the last download of a version did not work, if that is
// not long ago.
func (m *memory) failed(version string, now time.Time) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	known, ok := m.content.Downloads[version]
	return known.Cause, ok && now.Sub(known.At).Abs() < failureBelieved
}

func (m *memory) rememberFailure(version string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load()
	m.content.Downloads[version] = failure{Cause: err.Error(), At: time.Now()}
	m.changed = true
}

func (m *memory) load() {
	if m.loaded {
		return
	}
	m.loaded = true
	if content, err := os.ReadFile(m.path); err == nil {
		_ = json.Unmarshal(content, &m.content) // unreadable is as good as empty
	}
	if m.content.Answers == nil {
		m.content.Answers = map[string]answer{}
	}
	if m.content.Downloads == nil {
		m.content.Downloads = map[string]failure{}
	}
}

// save writes what is new. Without it the next start only asks again.
func (m *memory) save() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.changed {
		return
	}
	content, err := json.MarshalIndent(m.content, "", "  ")
	if err != nil || os.MkdirAll(filepath.Dir(m.path), 0o755) != nil {
		return
	}
	m.changed = writeFile(m.path, content) != nil
}

// stampOf changes when a file is replaced or written; links are followed.
func stampOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "missing"
	}
	inode := uint64(0)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = stat.Ino
	}
	return fmt.Sprintf("%d-%d-%d", inode, info.Size(), info.ModTime().UnixNano())
}

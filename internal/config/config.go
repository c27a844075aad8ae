// Package config turns the configuration file into a Config: strict YAML, one
// clear line for each mistake. It knows nothing of what the values are used for
// and starts nothing; the schedule and the names of frameworks are checked by
// those who understand them.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"restbench/internal/bench"
)

// Config is what a user can say in the file. The zero file is valid.
type Config struct {
	Schedule   string         `yaml:"schedule"`   // cron expression, UTC unless it says otherwise
	Editions   []string       `yaml:"editions"`   // of the catalogue
	Frameworks []string       `yaml:"frameworks"` // all of the catalogue when empty
	Protocol   bench.Protocol `yaml:"protocol"`
	Pinning    string         `yaml:"pinning"`     // auto, none, or server=0;client=1
	IdleStates string         `yaml:"idle_states"` // auto: none while measuring that is slow to leave, where that is allowed; any: left alone
	Pythons    []string       `yaml:"pythons"`     // paths of interpreters to consider first
	Targets    []Target       `yaml:"targets"`     // edition "own"
	Controls   []string       `yaml:"controls"`    // of restbench's own servers, which take part in every campaign
	Latest     Latest         `yaml:"latest"`
}

// Values of IdleStates.
const (
	IdleAuto = "auto"
	IdleAny  = "any"
)

// Target is a server of the user's own.
type Target struct {
	Name    string            `yaml:"name"`
	Version string            `yaml:"version"` // for people; restbench does not look
	Command []string          `yaml:"command"` // argv, with {port}
	Dir     string            `yaml:"dir"`
	Env     map[string]string `yaml:"env"`
	Request bench.Request     `yaml:"request"`
	Expect  Expect            `yaml:"expect"`
	Signal  bench.Signal      `yaml:"signal" json:",omitempty"` // in which changes are looked for; requests per second when empty
}

// Expect is the only right answer of a Target.
type Expect struct {
	Status      int     `yaml:"status"`
	ContentType string  `yaml:"content_type"` // compared whole; not compared when empty
	Body        *string `yaml:"body"`         // compared byte for byte; nil: what the server answers when it is first asked
}

// Default is the configuration without a file.
func Default() Config {
	return Config{
		Schedule:   "0 */3 * * *",
		Editions:   []string{bench.EditionCurrent},
		Protocol:   bench.Classic(),
		Pinning:    "auto",
		IdleStates: IdleAuto,
		Controls:   bench.Controls(),
		Latest:     defaultLatest(),
	}
}

// Load reads the file at path; an empty path gives the defaults. Errors name
// the file and, where there is one, the line.
func Load(path string) (Config, error) {
	if path == "" {
		return Default(), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, text)
}

// Parse is Load for text that was read before; path is for errors only.
func Parse(path string, text []byte) (Config, error) {
	c := Default()
	c.Protocol = startFrom(text)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, explain(path, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%s: more than one YAML document; keep the first", path)
	}
	if err := c.complete(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c *Config) complete() error {
	if c.Protocol.Name == "" {
		if !c.Protocol.IsClassic() {
			return errors.New(`protocol: these are not the parameters of "classic"; give them a name of their own (name: ...)`)
		}
		c.Protocol.Name = bench.ProtocolClassic
	}
	if err := c.Protocol.Validate(); err != nil {
		return err
	}
	if len(c.Editions) == 0 && len(c.Frameworks) == 0 && len(c.Targets) == 0 {
		return errors.New("editions: nothing to measure; name an edition, frameworks or targets")
	}
	for _, name := range c.Controls {
		if !slices.Contains(bench.Controls(), name) {
			return fmt.Errorf("controls: %q is none; there are %s", name, strings.Join(bench.Controls(), ", "))
		}
	}
	if c.IdleStates != IdleAuto && c.IdleStates != IdleAny {
		return fmt.Errorf("idle_states: %q is neither %s nor %s", c.IdleStates, IdleAuto, IdleAny)
	}
	if err := c.Latest.validate(); err != nil {
		return err
	}
	return validateTargets(c.Targets)
}

// startFrom gives the protocol whose parameters hold where the file gives none:
// adaptive's for the one of that name, else classic's. Its name is left open.
// Mistakes in text are for the strict reading to tell.
func startFrom(text []byte) bench.Protocol {
	var named struct {
		Protocol struct {
			Name string `yaml:"name"`
		} `yaml:"protocol"`
	}
	p := bench.Classic()
	if err := yaml.Unmarshal(text, &named); err == nil && named.Protocol.Name == bench.ProtocolAdaptive {
		p = bench.Adaptive()
	}
	p.Name = ""
	return p
}

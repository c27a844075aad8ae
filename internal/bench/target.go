package bench

import "strings"

// Names of the editions that restbench itself gives a meaning to.
const (
	EditionOwn     = "own"     // the user's own targets, from the configuration file
	EditionCurrent = "current" // today's releases; the base of own targets is looked for here
)

// Defaults of the label values that every target carries.
const (
	ServingDocumented = "documented" // the server of the framework's first example
	WorkloadHello     = "hello"      // GET / of the simplest example
)

// Target names one running server. It is comparable and serves as a key.
type Target struct {
	Framework string `json:"framework" yaml:"framework"`
	Edition   string `json:"edition" yaml:"edition"`
	Serving   string `json:"serving" yaml:"serving"`
	Workload  string `json:"workload" yaml:"workload"`
}

// String is how a target is written by people: sanic@current, sanic==21.12.0.
func (t Target) String() string {
	if strings.ContainsAny(t.Edition[:min(1, len(t.Edition))], "=<>~!") {
		return t.Framework + t.Edition
	}
	return t.Framework + "@" + t.Edition
}

// Participant is a target as it took part in a campaign: what exactly ran.
type Participant struct {
	Target   Target   `json:"target"`
	Signal   Signal   `json:"signal,omitempty"` // empty: the default
	Versions Versions `json:"versions"`
	Marks    []Mark   `json:"marks,omitempty"`
}

// Versions says what a server consists of. Fields are empty where restbench
// cannot know them (a user's own command).
type Versions struct {
	Framework string            `json:"framework"`        // release of the framework, "20.6.3"
	Server    string            `json:"server"`           // what listens, for people: "uvicorn", "Werkzeug development server"
	Python    string            `json:"python,omitempty"` // release of the interpreter, "3.13.0"
	Packages  map[string]string `json:"packages,omitempty"`
}

package bench

import "io/fs"

// Framework is one catalogue entry: a folder with an example application, a
// manifest and one lock file per edition.
type Framework struct {
	Name     string `yaml:"name" json:"framework"`
	Package  string `yaml:"package" json:"package"` // its name in the package index; its release is the framework's version
	Homepage string `yaml:"homepage" json:"homepage"`

	Servings  map[string]Serving  `yaml:"servings" json:"servings"`
	Workloads map[string]Workload `yaml:"workloads" json:"workloads"`
	Editions  map[string]Variant  `yaml:"editions" json:"editions"`

	Files fs.FS             `yaml:"-" json:"-"` // the folder itself
	Locks map[string][]byte `yaml:"-" json:"-"` // edition to requirements with hashes
}

// Variant is what an edition changes: what is installed and, where the releases
// of its time need it, other ways to serve or other answers.
type Variant struct {
	Requirements []string            `yaml:"requirements" json:"requirements"` // as given to the resolver
	Sources      []string            `yaml:"sources,omitempty" json:"-"`       // packages without a wheel: built, in the release of the lock, where nothing else may be
	Servings     map[string]Serving  `yaml:"servings,omitempty" json:"-"`
	Workloads    map[string]Workload `yaml:"workloads,omitempty" json:"-"`
}

// Serving is a way to run the application.
type Serving struct {
	Server string            `yaml:"server" json:"server"` // what listens, for people
	Argv   []string          `yaml:"argv" json:"argv"`     // with {python}, {bin}, {app}, {port}
	Env    map[string]string `yaml:"env,omitempty" json:"env,omitempty"`
	Signal Signal            `yaml:"signal,omitempty" json:"signal,omitempty"` // in which changes are looked for; requests per second when empty
	Source string            `yaml:"source" json:"source"`                     // the page of the documentation that shows it
	Read   string            `yaml:"read" json:"read"`                         // the day that page was read, 2006-01-02
}

// Workload is what is asked of a server and what it must answer.
type Workload struct {
	Request Request `yaml:"request" json:"request"`
	Expect  Expect  `yaml:"expect" json:"expect"`
}

// Expect is the only right answer.
type Expect struct {
	Status      int    `yaml:"status" json:"status"`
	ContentType string `yaml:"content_type" json:"content_type"` // compared whole; not compared when empty
	Body        string `yaml:"body" json:"body"`                 // compared byte for byte
}

// Edition is a dated set of versions.
type Edition struct {
	Name   string     `yaml:"name" json:"name"`
	Date   string     `yaml:"date" json:"date"` // the package index as it stood on that day, 2006-01-02
	Python PythonWish `yaml:"python" json:"python"`
}

// PythonWish says which interpreter an edition runs on.
type PythonWish struct {
	Version string `yaml:"version" json:"version"`                       // wanted: "3.13"
	AtLeast string `yaml:"at_least,omitempty" json:"at_least,omitempty"` // accepted, marked, where the wanted one cannot be had; empty: nothing else
}

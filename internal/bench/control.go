package bench

// EditionControl holds the controls: servers of restbench's own that take part
// in every campaign. They are never ranked and never a base.
const EditionControl = "control"

// Names of the controls. Each adds one layer to the one before, so that a change
// in one of them says where it came from.
const (
	ControlGo   = "go"   // a constant server in Go: the machine alone
	ControlWSGI = "wsgi" // a bare callable on wsgiref: the interpreter and its oldest server layer
	ControlASGI = "asgi" // a bare callable on uvicorn: the interpreter, its event loop and uvicorn
)

// Controls lists the names of all controls.
func Controls() []string { return []string{ControlGo, ControlWSGI, ControlASGI} }

// ControlTarget is the target of a control.
func ControlTarget(name string) Target {
	return Target{Framework: name, Edition: EditionControl, Serving: ServingDocumented, Workload: WorkloadHello}
}

// Control reports whether t is a control.
func (t Target) Control() bool { return t.Edition == EditionControl }

package scheduler

import (
	"context"

	"restbench/internal/bench"
)

// Server is a running target.
type Server interface {
	Address() string // host:port on loopback
	Usage() (bench.Reading, error)
	Alive() error // nil, or how it ended
	Stop(ctx context.Context) error
}

// Starter starts a server and returns when ready has said nil about its
// address. The error is a *bench.Failure.
type Starter interface {
	Start(ctx context.Context, c bench.Command, ready Ready) (Server, error)
}

// Ready asks a server at address for its answer.
type Ready func(ctx context.Context, address string) error

// Engine loads a server. The Load counts right answers only.
type Engine interface {
	Run(ctx context.Context, p bench.Plan) (bench.Load, error)
}

// Recorder keeps what was measured, each thing when it happens.
type Recorder interface {
	Begin(ctx context.Context, c bench.Campaign) (id int64, err error)
	Record(ctx context.Context, m bench.Measurement) error
	Update(ctx context.Context, c bench.Campaign) error
}

// Entrant is a target that is to take part in a campaign.
type Entrant struct {
	Target   bench.Target
	Signal   bench.Signal // in which changes are looked for; recorded with the campaign
	Workload bench.Workload
	// Prepare installs what the target needs and says how it is started.
	Prepare func(ctx context.Context) (Prepared, error)
	// Learn is asked at the target's first start in a campaign, in place of the
	// Workload's answer; nil where that is known.
	Learn Learner
}

// Learner asks the server at address what it answers. An error means: not yet.
type Learner func(ctx context.Context, address string) (Learned, error)

// Learned is what holds until the campaign ends.
type Learned struct {
	Workload bench.Workload
	Detail   string // of what was learned, for people
	Marks    []bench.Mark
}

// Prepared is a target that can be started.
type Prepared struct {
	Command  bench.Command
	Versions bench.Versions
	Marks    []bench.Mark
	Workload *bench.Workload // what Prepare found out about the answer; nil: the Entrant's holds
}

// Repeater says whether a measurement is to be made once more at the end of its
// round, because of what it was marked with. Both are kept.
type Repeater interface {
	Repeat(m bench.Measurement) bool
}

// Stopper says, after each complete round, whether the numbers are good enough
// to end the campaign before its last round. It gets all measurements so far.
// It must not look at who is faster: a campaign that ends when a difference
// shows finds differences that are not there.
type Stopper interface {
	Enough(c bench.Campaign, ms []bench.Measurement) bool
}

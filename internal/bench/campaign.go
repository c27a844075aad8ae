package bench

import "time"

// Kind says why a campaign ran. Only the first two feed the result metrics and
// the change detector.
type Kind string

// The kinds of campaigns.
const (
	KindScheduled Kind = "scheduled"
	KindConfirm   Kind = "confirm"
	KindManual    Kind = "manual"
	KindCompare   Kind = "compare"
	KindUpgrade   Kind = "upgrade"
)

// State says how far a campaign got.
type State string

// The states of a campaign.
const (
	StateRunning  State = "running"
	StateFinished State = "finished" // all planned rounds
	StateStopped  State = "stopped"  // ended early, on purpose
	StateCutOff   State = "cut off"  // its process died
)

// Campaign is the rounds of one run.
type Campaign struct {
	ID           int64         `json:"id"`
	Kind         Kind          `json:"kind"`
	State        State         `json:"state"`
	Protocol     Protocol      `json:"protocol"`
	Machine      Machine       `json:"machine"`
	Participants []Participant `json:"participants"` // in their fixed order
	Seed         uint64        `json:"seed"`         // of the order, when shuffled
	Rounds       int           `json:"rounds"`       // complete ones
	Started      time.Time     `json:"started"`
	Finished     time.Time     `json:"finished,omitzero"`
}

// Machine is the stable description of the host: names, never readings.
type Machine struct {
	Host      string `json:"host"`
	CPU       string `json:"cpu"` // model name
	Cores     int    `json:"cores"`
	Memory    int64  `json:"memory_bytes"`
	Kernel    string `json:"kernel"`
	System    string `json:"system"` // distribution, "Debian GNU/Linux 12 (bookworm)"
	Arch      string `json:"arch"`
	Container bool   `json:"container"`
	Virtual   string `json:"virtual,omitempty"` // hypervisor, where it shows
	Restbench string `json:"restbench"`         // version
}

// Phase is what a campaign is doing right now.
type Phase string

// The phases of a campaign.
const (
	PhaseWaiting   Phase = "waiting"   // for another campaign on this machine
	PhasePreparing Phase = "preparing" // environments
	PhaseStarting  Phase = "starting"  // servers
	PhaseMeasuring Phase = "measuring"
	PhaseStopping  Phase = "stopping"
	PhaseDone      Phase = "done"
)

// Event tells observers how a campaign goes on. Values are copies; an observer
// may keep them.
type Event struct {
	Time        time.Time
	Campaign    Campaign
	Phase       Phase
	Round       int          // the round under way, from 1
	Target      *Target      // what is being worked on, nil between targets
	Detail      string       // for people: "installing", "waiting for pid 42 (restbench run)"
	Measurement *Measurement // set once, when one has been made
}

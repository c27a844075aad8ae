package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Order says in which order the targets are measured within a round.
type Order string

// The orders there are.
const (
	OrderFixed    Order = "fixed"    // as configured, in every round
	OrderRotated  Order = "rotated"  // each round starts one target later
	OrderShuffled Order = "shuffled" // anew in each round, from the campaign's recorded seed
)

// Engines that generate load.
const (
	EngineNative = "native" // restbench's own, checks every answer
	EngineWrk    = "wrk"    // the publication's tool
)

// Names of protocols with a fixed meaning.
const (
	ProtocolClassic  = "classic"  // the publication's
	ProtocolAdaptive = "adaptive" // as many rounds as the precision needs
	ProtocolCustom   = "custom"   // parameters given by flag, under no name of their own
)

// Protocol is a named block of parameters. Two campaigns are comparable only
// when all of them are equal.
type Protocol struct {
	Name        string        `json:"name" yaml:"name"`
	Rounds      int           `json:"rounds" yaml:"rounds"`
	Duration    time.Duration `json:"-" yaml:"duration"` // of one measurement
	Threads     int           `json:"threads" yaml:"threads"`
	Connections int           `json:"connections" yaml:"connections"` // divided by Threads, the remainder is dropped, as wrk does
	Order       Order         `json:"order" yaml:"order"`
	Warmup      time.Duration `json:"-" yaml:"warmup"` // load before each measurement, not counted
	Engine      string        `json:"engine" yaml:"engine"`

	// What adaptive protocols add. All are 0 elsewhere and then no part of the
	// hash, so that a protocol from before they existed stays the same one.
	Restart   int           `json:"restart,omitempty" yaml:"restart"`     // servers are started anew every so many rounds; 0: never
	Precision float64       `json:"precision,omitempty" yaml:"precision"` // the campaign ends when the 95 % interval of every ratio is no wider than ± this share; 0: after Rounds
	Limit     time.Duration `json:"-" yaml:"limit"`                       // time that a target may take on average, controls left out of the count, before the campaign ends all the same; 0: Rounds alone limit it
}

// Classic is the protocol of the publication, with restbench's own engine.
func Classic() Protocol {
	return Protocol{
		Name: ProtocolClassic, Rounds: 10, Duration: 10 * time.Second,
		Threads: 5, Connections: 20, Order: OrderFixed, Engine: EngineNative,
	}
}

// IsClassic reports whether p has the publication's parameters. The engine is
// free: the publication's numbers came from wrk.
func (p Protocol) IsClassic() bool {
	c := Classic()
	c.Name, c.Engine = p.Name, p.Engine
	return p == c
}

// Label is the protocol as a label value. Numbers of different engines must never
// meet in one series, so every engine but restbench's own stands in it.
func (p Protocol) Label() string {
	if p.Engine == EngineNative {
		return p.Name
	}
	return p.Name + "-" + p.Engine
}

// Effective is the number of connections that are really opened: wrk divides
// them by the threads and drops the remainder.
func (p Protocol) Effective() int { return p.Connections / p.Threads * p.Threads }

// shortWindow is below what a measurement loses too much if connections that a full
// listen queue dropped come back after a second.
const shortWindow = 2 * time.Second

// RampUp is the time over which connections are opened before a measurement, 0 for all
// at once, as wrk does: where the window is long and nothing comes before it. wrk can
// have none.
func (p Protocol) RampUp() time.Duration {
	if p.Engine == EngineNative && (p.Warmup > 0 || p.Duration < shortWindow) {
		return RampUp
	}
	return 0
}

// Validate names the first parameter that cannot be measured with.
func (p Protocol) Validate() error {
	switch {
	case p.Name == "":
		return fmt.Errorf("protocol: name is missing")
	case p.Name == ProtocolClassic && !p.IsClassic():
		return fmt.Errorf("protocol: %q is the publication's (10 rounds of 10s, 5 threads, 20 connections, fixed order, no warm-up); give other parameters another name", p.Name)
	case p.Rounds < 1 || p.Rounds > 10_000:
		return fmt.Errorf("protocol: rounds is %d, must be 1 to 10000", p.Rounds)
	case p.Duration < 100*time.Millisecond || p.Duration > time.Hour:
		return fmt.Errorf("protocol: duration is %s, must be 100ms to 1h", p.Duration)
	case p.Threads < 1 || p.Threads > 256:
		return fmt.Errorf("protocol: threads is %d, must be 1 to 256", p.Threads)
	case p.Connections < p.Threads || p.Connections > 10_000:
		return fmt.Errorf("protocol: connections is %d, must be %d (one a thread) to 10000", p.Connections, p.Threads)
	case p.Warmup < 0 || p.Warmup > time.Hour:
		return fmt.Errorf("protocol: warmup is %s, must be 0s to 1h", p.Warmup)
	}
	if err := p.validateAdaptive(); err != nil {
		return err
	}
	return p.validateWords()
}

func (p Protocol) validateWords() error {
	switch p.Order {
	case OrderFixed, OrderRotated, OrderShuffled:
	default:
		return fmt.Errorf("protocol: order is %q, must be fixed, rotated or shuffled", p.Order)
	}
	switch p.Engine {
	case EngineNative, EngineWrk:
	default:
		return fmt.Errorf("protocol: engine is %q, must be native or wrk", p.Engine)
	}
	if p.Engine == EngineWrk && (p.Duration%time.Second != 0 || p.Warmup%time.Second != 0) {
		return fmt.Errorf("protocol: duration is %s and warmup %s, wrk measures whole seconds only", p.Duration, p.Warmup)
	}
	return nil
}

// Hash identifies the parameters; the name is part of it. Statistics never mix
// measurements of different hashes.
func (p Protocol) Hash() string {
	text, err := json.Marshal(p.fields())
	if err != nil {
		panic(err) // strings and numbers only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

type protocolFields struct {
	protocolAlias
	Duration float64 `json:"duration_seconds"`
	Warmup   float64 `json:"warmup_seconds"`
	Limit    float64 `json:"limit_seconds,omitempty"`
}

type protocolAlias Protocol // without methods, so that encoding does not recurse

func (p Protocol) fields() protocolFields {
	return protocolFields{protocolAlias(p), p.Duration.Seconds(), p.Warmup.Seconds(), p.Limit.Seconds()}
}

// MarshalJSON writes durations as seconds and adds the hash.
func (p Protocol) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		protocolFields
		Hash string `json:"hash"`
	}{p.fields(), p.Hash()})
}

// UnmarshalJSON reads what MarshalJSON writes; the hash is derived, not read.
func (p *Protocol) UnmarshalJSON(text []byte) error {
	var f protocolFields
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	*p = Protocol(f.protocolAlias)
	p.Duration, p.Warmup, p.Limit = seconds(f.Duration), seconds(f.Warmup), exactly(f.Limit)
	return nil
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Microsecond)
}

// exactly keeps every nanosecond, up to a hundred days.
func exactly(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

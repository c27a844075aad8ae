//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"restbench/internal/bench"
	"restbench/internal/config"
)

// given is a flag's value and whether it was given: one that was not leaves the
// parameter as the configuration has it.
type given[T any] struct {
	value T
	set   bool
}

func (g given[T]) over(target *T) {
	if g.set {
		*target = g.value
	}
}

// protocolFlags are the parameters of a campaign by flag.
type protocolFlags struct {
	name                         string
	rounds, threads, connections given[int]
	duration, warmup             given[time.Duration]
	order, engine                given[string]
	restart                      given[int]
	precision                    given[float64]
	limit                        given[time.Duration]
}

func (f *protocolFlags) register(c *kingpin.CmdClause) {
	c.Flag("protocol", "Protocol: classic, adaptive, or the name of the one in the configuration file.").PlaceHolder("NAME").StringVar(&f.name)
	c.Flag("rounds", "How often every target is measured.").PlaceHolder("N").IsSetByUser(&f.rounds.set).IntVar(&f.rounds.value)
	f.registerShape(c)
	c.Flag("order", "Order within a round: fixed, rotated or shuffled.").PlaceHolder("ORDER").IsSetByUser(&f.order.set).StringVar(&f.order.value)
	c.Flag("precision", "End when every ratio is known to plus or minus this share (0.03 is 3 %); 0: after all rounds.").PlaceHolder("SHARE").IsSetByUser(&f.precision.set).Float64Var(&f.precision.value)
	c.Flag("limit", "End all the same after this time a target, on average; 0s: no limit.").PlaceHolder("DURATION").IsSetByUser(&f.limit.set).DurationVar(&f.limit.value)
}

// registerShape registers those that a comparison has, too.
func (f *protocolFlags) registerShape(c *kingpin.CmdClause) {
	c.Flag("duration", "Length of one measurement.").Short('d').PlaceHolder("DURATION").IsSetByUser(&f.duration.set).DurationVar(&f.duration.value)
	c.Flag("threads", "Threads of the load engine.").Short('t').PlaceHolder("N").IsSetByUser(&f.threads.set).IntVar(&f.threads.value)
	c.Flag("connections", "Connections kept busy; divided by the threads, the remainder is dropped.").Short('c').PlaceHolder("N").IsSetByUser(&f.connections.set).IntVar(&f.connections.value)
	c.Flag("warmup", "Load before each measurement that is not counted.").PlaceHolder("DURATION").IsSetByUser(&f.warmup.set).DurationVar(&f.warmup.value)
	c.Flag("engine", "Load engine: native, or wrk where it is installed.").PlaceHolder("ENGINE").IsSetByUser(&f.engine.set).StringVar(&f.engine.value)
	c.Flag("restart", "Start the servers anew every so many rounds; 0: never.").PlaceHolder("N").IsSetByUser(&f.restart.set).IntVar(&f.restart.value)
}

// apply gives the protocol that file and flags ask for together. Parameters that
// no protocol has are called custom, so that nobody takes them for classic.
func (f *protocolFlags) apply(c config.Config) (bench.Protocol, error) {
	p := c.Protocol
	switch f.name {
	case "", p.Name:
	case bench.ProtocolClassic:
		p = bench.Classic()
	case bench.ProtocolAdaptive:
		p = bench.Adaptive()
	default:
		return p, &usageError{fmt.Errorf("unknown protocol %q; there are classic, adaptive%s", f.name, named(c.Protocol))}
	}
	f.engine.over(&p.Engine)
	before := p
	f.override(&p)
	if p != before {
		p.Name = bench.ProtocolCustom
	}
	if err := p.Validate(); err != nil {
		return p, &usageError{err}
	}
	return p, nil
}

func (f *protocolFlags) override(p *bench.Protocol) {
	f.rounds.over(&p.Rounds)
	f.duration.over(&p.Duration)
	f.threads.over(&p.Threads)
	f.connections.over(&p.Connections)
	f.warmup.over(&p.Warmup)
	f.restart.over(&p.Restart)
	f.precision.over(&p.Precision)
	f.limit.over(&p.Limit)
	if f.order.set {
		p.Order = bench.Order(f.order.value)
	}
}

func named(p bench.Protocol) string {
	if p.Name == bench.ProtocolClassic || p.Name == bench.ProtocolAdaptive {
		return ""
	}
	return " and " + p.Name
}

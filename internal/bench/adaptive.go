package bench

import (
	"fmt"
	"time"
)

// Adaptive is the protocol that measures until the ratios are known well enough:
// short measurements in many rounds, in an order of its own in each, on servers
// that are started anew every second round. At the most it takes the load of
// classic, 100 seconds a target.
func Adaptive() Protocol {
	return Protocol{
		Name: ProtocolAdaptive, Rounds: 80, Duration: time.Second, Warmup: 250 * time.Millisecond,
		Threads: 5, Connections: 20, Order: OrderShuffled, Engine: EngineNative,
		Restart: 2, Precision: 0.03, Limit: 100 * time.Second,
	}
}

// IsAdaptive reports whether p has the parameters of Adaptive. The engine is
// free, as it is of classic; wrk needs a warm-up of whole seconds and with it
// another name.
func (p Protocol) IsAdaptive() bool {
	a := Adaptive()
	a.Name, a.Engine = p.Name, p.Engine
	return p == a
}

// Start is the number of the start of the servers that a round (from 1) was
// measured on, from 0: numbers of the same start share what that start was like.
func (p Protocol) Start(round int) int {
	if p.Restart < 1 || round < 1 {
		return 0
	}
	return (round - 1) / p.Restart
}

func (p Protocol) validateAdaptive() error {
	switch {
	case p.Name == ProtocolAdaptive && !p.IsAdaptive():
		return fmt.Errorf("protocol: %q has parameters of its own (1s after a warm-up of 250ms, 5 threads, 20 connections, shuffled, restart 2, precision 0.03, at most 80 rounds and 100s a target); give other parameters another name", p.Name)
	case p.Restart < 0 || p.Restart > p.Rounds:
		return fmt.Errorf("protocol: restart is %d, must be 0 (never) to %d (the rounds)", p.Restart, p.Rounds)
	case !(p.Precision >= 0 && p.Precision < 1):
		return fmt.Errorf("protocol: precision is %g, must be 0 (all rounds) to below 1; 0.03 is 3 %%", p.Precision)
	case p.Limit < 0 || p.Limit > 24*time.Hour:
		return fmt.Errorf("protocol: limit is %s, must be 0s (none) to 24h", p.Limit)
	}
	return nil
}

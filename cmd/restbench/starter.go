//go:build linux && (amd64 || arm64)

package main

import (
	"context"

	"restbench/internal/bench"
	"restbench/internal/process"
	"restbench/scheduler"
)

// starter gives the supervisor the shape that the scheduler asks for.
type starter struct {
	*process.Supervisor
	running map[string]string // addresses of servers of others, by the name of their command
}

func (s starter) Start(ctx context.Context, c bench.Command, ready scheduler.Ready) (scheduler.Server, error) {
	if address, ok := s.running[c.Name]; ok {
		if err := ready(ctx, address); err != nil {
			return nil, &bench.Failure{Stage: bench.StageReady, Cause: err.Error()}
		}
		return foreign(address), nil
	}
	server, err := s.Supervisor.Start(ctx, c, ready)
	if err != nil {
		return nil, err // not server: a nil pointer in an interface is not nil
	}
	return server, nil
}

// foreign is a server that somebody else started: it is neither stopped nor
// started anew, and what it uses is not known.
type foreign string

func (f foreign) Address() string               { return string(f) }
func (f foreign) Usage() (bench.Reading, error) { return bench.Reading{}, nil }
func (f foreign) Alive() error                  { return nil }
func (f foreign) Stop(context.Context) error    { return nil }

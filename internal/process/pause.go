package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Pause stops all processes of the server, as if it were not there, until Resume.
// Its sockets stay open and the kernel accepts connections for it. A paused
// server can be ended by Stop, but only after its whole grace: Resume it before.
func (v *Server) Pause() error { return v.signal("pause", syscall.SIGSTOP) }

// Resume lets a paused server go on. For one that runs it does nothing.
func (v *Server) Resume() error { return v.signal("resume", syscall.SIGCONT) }

// signal reaches all processes of the tree; twice, for what is started by those
// that were not reached yet.
func (v *Server) signal(verb string, s syscall.Signal) error {
	if err := v.Alive(); err != nil {
		return fmt.Errorf("%s %s: %w", verb, v.name, err)
	}
	for range 2 {
		for _, p := range descendants(snapshot(), v.guard.pid()) {
			if err := signalProcess(p.identity, s); err != nil {
				return fmt.Errorf("%s %s: %w", verb, v.name, err)
			}
		}
	}
	return nil
}

// signalProcess reaches that very process and no later one: FindProcess holds on
// to it by descriptor, so that an id that is used again between the look and the
// signal hits nobody. One that has ended needs no signal.
func signalProcess(id identity, s os.Signal) error {
	p, err := os.FindProcess(id.Pid)
	if err != nil {
		return nil // it has ended
	}
	defer func() { _ = p.Release() }()
	if now, err := readStat(id.Pid); err != nil || now.Started != id.Started {
		return nil // it has ended
	}
	if err := p.Signal(s); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

package process

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"
)

// states are the states of a server's processes, as the kernel calls them.
func (v *Server) states() string {
	var states []byte
	for _, s := range descendants(snapshot(), v.guard.pid()) {
		states = append(states, s.state)
	}
	return string(states)
}

// awaitStates waits until all processes of the server are stopped, or none is.
func awaitStates(t *testing.T, v *Server, stopped bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		states, count := v.states(), 0
		for _, s := range states {
			if s == 'T' {
				count++
			}
		}
		if stopped && count == len(states) || !stopped && count == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("states are %q, want stopped: %t", states, stopped)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestPauseStopsTheWholeTree(t *testing.T) {
	v := start(t, newSupervisor(t, Options{}), faulty("workers"))
	if err := v.Pause(); err != nil {
		t.Fatal(err)
	}
	awaitStates(t, v, true)
	before, err := v.Usage()
	if err != nil || before.Processes != 2 {
		t.Fatalf("%+v, %v", before, err)
	}
	conn, err := net.Dial("tcp", v.Address()) // the kernel still accepts
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := v.Resume(); err != nil {
		t.Fatal(err)
	}
	awaitStates(t, v, false)
	if err := answers(t.Context(), v.Address()); err != nil {
		t.Errorf("after it was resumed: %v", err)
	}
}

// Nothing is left of a server that is stopped while it is paused.
func TestStopOfAPausedServer(t *testing.T) {
	s := newSupervisor(t, Options{StopGrace: 100 * time.Millisecond})
	v, err := s.Start(t.Context(), faulty("workers"), answers)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	d := holdOn(t, v.pids()...)
	if err := v.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := v.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	d.await(t, patience)
	emptyDir(t, s.options.RunDir)
	if err := v.Resume(); err == nil {
		t.Error("a server that has ended was resumed")
	}
}

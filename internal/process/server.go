package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"restbench/internal/bench"
)

// Server is a running server with all that it has started. Its methods may be
// called at the same time.
type Server struct {
	name    string
	port    int
	grace   time.Duration
	log     zerolog.Logger
	release func() // gives the port back

	guard  *child
	orders *os.File // its end tells the guard to kill everything
	entry  *entry
	stderr *stderrFile

	started chan error        // one value
	life    context.Context   // ends with the leader; its cause says how
	end     func(cause error) // ends life
	gone    chan struct{}     // closed when nothing of it is left, or can be removed
	left    error             // what could not be removed; not to be read before gone
	once    sync.Once         // asks to stop

	lock   sync.Mutex // guards what follows
	before census     // what Usage has read last
}

// startGuard starts this program under its hidden command with two pipes.
func (s *Supervisor) startGuard(v *Server) (events *os.File, err error) {
	ordersEnd, orders, err := os.Pipe()
	if err != nil {
		return nil, explain(err)
	}
	defer ordersEnd.Close()
	events, eventsEnd, err := os.Pipe()
	if err != nil {
		_ = orders.Close()
		return nil, explain(err)
	}
	defer eventsEnd.Close()
	cmd := exec.Command(s.options.Executable, GuardCommand, v.name)
	cmd.Args[0] = "restbench"
	cmd.Env = append(minimal(), cookieName+"="+v.entry.Cookie, "GOMAXPROCS=1")
	cmd.Stderr = v.stderr.file
	cmd.ExtraFiles = []*os.File{ordersEnd, eventsEnd} // become ordersFD and eventsFD
	// SIGTERM, not SIGKILL: the guard must live to clean up. It is a second way to
	// learn what the end of the pipe says.
	if v.guard, err = launch(cmd, nil, syscall.SIGTERM); err != nil {
		_ = orders.Close()
		_ = events.Close()
		return nil, err
	}
	v.orders = orders
	return events, nil
}

// tell ignores errors: a guard that does not listen any more is noticed by watch.
func (v *Server) tell(o order) {
	_ = v.orders.SetWriteDeadline(time.Now().Add(5 * time.Second)) // a hanging guard
	_ = json.NewEncoder(v.orders).Encode(o)
}

// watch follows the guard to its end and then makes sure that nothing is left.
func (v *Server) watch(events *os.File) {
	defer close(v.gone)
	ended := v.follow(events)
	_ = events.Close()
	v.guard.kill() // it has nothing left to do
	if ended == nil {
		v.end(errors.New("its guard was killed"))
		ended = &ending{}
	}
	v.end(errors.New(ended.How))
	<-v.guard.done
	// After a guard that did its work this finds nothing. After one that was killed
	// the kernel has killed the leader, and process 1 of a container inherits it.
	_, left := v.entry.destroy(v.entry.Child)
	v.left = errors.Join(leftBehind(left), v.portFree())
	v.tidy(len(left) == 0)
}

// follow returns the guard's last word, nil if it died without one.
func (v *Server) follow(events *os.File) (ended *ending) {
	decoder := json.NewDecoder(events)
	for {
		var e event
		if decoder.Decode(&e) != nil {
			v.report(errors.New("the guard ended before it had started the server"))
			return ended
		}
		switch {
		case e.Started != nil:
			v.report(v.entry.started(*e.Started))
		case e.Refused != "":
			v.report(errors.New(e.Refused))
		case e.Stubborn:
			v.log.Warn().Stringer("grace", v.grace).Msg("the server ignored SIGTERM and is killed")
		case e.Ended != nil:
			ended = e.Ended
		}
	}
}

// report answers awaitStart, once.
func (v *Server) report(err error) {
	select {
	case v.started <- err:
	default:
	}
}

// portFree names who listens on the port of a server that is gone.
func (v *Server) portFree() error {
	inodes, err := listeners(v.port)
	if err != nil || len(inodes) == 0 {
		return err
	}
	return fmt.Errorf("port %d is still in use by %s", v.port, holder(inodes[0]))
}

// tidy keeps the ledger entry of what could not be killed, for a later Sweep.
func (v *Server) tidy(clean bool) {
	_ = v.orders.Close()
	v.stderr.remove()
	if clean {
		v.entry.remove()
	}
	v.release()
}

// Alive is nil as long as the server's leader runs. Then it says how it ended,
// with the last lines of its stderr.
func (v *Server) Alive() error {
	if v.life.Err() == nil {
		return nil
	}
	return errors.New(withLines(context.Cause(v.life).Error(), v.stderr.lines()))
}

// Stderr returns the last lines that the server wrote there, without control
// sequences.
func (v *Server) Stderr() string { return strings.Join(v.stderr.lines(), "\n") }

// Stop asks the server's group to end, kills after the grace what is left of the
// group and of all descendants, and returns when nothing is left. When ctx ends it
// kills at once, and still waits for that. It may be called again, and for a
// server that has ended by itself. Its error is a *bench.Failure.
func (v *Server) Stop(ctx context.Context) error {
	v.once.Do(func() { v.tell(order{Grace: v.grace}) })
	if !v.awaitGone(ctx, v.grace+killLimit) {
		v.tell(order{}) // at once
	}
	if !v.awaitGone(context.Background(), killLimit) {
		v.guard.kill() // it hangs: watch takes over
	}
	if !v.awaitGone(context.Background(), 3*killLimit) {
		return &bench.Failure{Stage: bench.StageStop, Cause: "the guard could not be killed"}
	}
	if v.left != nil {
		return &bench.Failure{Stage: bench.StageStop, Cause: v.left.Error()}
	}
	return nil
}

func (v *Server) awaitGone(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-v.gone:
		return true
	default:
	}
	select {
	case <-v.gone:
		return true
	case <-ctx.Done():
		return false
	}
}

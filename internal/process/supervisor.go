package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"restbench/internal/bench"
)

// Options says how children are run. Only RunDir is required.
type Options struct {
	Executable   string // answers GuardCommand with Guard; the running program when empty
	RunDir       string // stderr files and the ledger of children; made when missing
	Log          zerolog.Logger
	StopGrace    time.Duration // from SIGTERM to SIGKILL; 5 s when 0
	ReadyTimeout time.Duration // from start to the first right answer; 60 s when 0
	StderrLimit  int64         // bytes of stderr from which on a file is truncated; 4 MiB when 0
}

// Supervisor starts children. Several in one process do not know of each other.
type Supervisor struct {
	options Options
	self    identity

	mu    sync.Mutex
	ports map[int]bool // given to servers that are not gone
}

// New makes RunDir. It starts nothing and kills nothing.
func New(o Options) (*Supervisor, error) {
	if len(os.Args) > 1 && os.Args[1] == GuardCommand {
		// A test binary that runs its tests instead would start itself for ever.
		return nil, fmt.Errorf("this program was started as %s and must call Guard", GuardCommand)
	}
	if o.RunDir == "" {
		return nil, errors.New("supervise processes: no folder for run files")
	}
	dir, err := filepath.Abs(o.RunDir)
	if err != nil {
		return nil, fmt.Errorf("supervise processes: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("supervise processes: %w", err)
	}
	self, err := readStat(os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("supervise processes: %w", err)
	}
	o.RunDir = dir
	return &Supervisor{options: withDefaults(o), self: self.identity, ports: make(map[int]bool)}, nil
}

func withDefaults(o Options) Options {
	if o.Executable == "" {
		o.Executable = "/proc/self/exe" // the very program that runs, even after an upgrade has replaced its file
	}
	if o.StopGrace <= 0 {
		o.StopGrace = 5 * time.Second
	}
	if o.ReadyTimeout <= 0 {
		o.ReadyTimeout = time.Minute
	}
	if o.StderrLimit <= 0 {
		o.StderrLimit = 4 << 20
	}
	return o
}

// Start starts a server on a free loopback port, which replaces "{port}" in Argv
// and Env, and returns once a socket of its process tree listens there and ready,
// if given, returns nil for "127.0.0.1:port". The server's leader must stay in the
// foreground; when it ends, all that it started ends.
//
// The error wraps a *bench.Failure with the stage and the last lines of stderr,
// and the error of ctx if that was the reason. Nothing is left running then.
// When another program takes the port meanwhile, one more port is tried.
//
// ctx bounds the start, not the server: that is Stop's.
func (s *Supervisor) Start(ctx context.Context, c bench.Command, ready func(ctx context.Context, address string) error) (*Server, error) {
	v, err := s.try(ctx, c, ready)
	if _, taken := errors.AsType[*portTakenError](err); taken && ctx.Err() == nil {
		s.options.Log.Warn().Str("name", c.Name).Err(err).Msg("trying another port")
		v, err = s.try(ctx, c, ready)
	}
	return v, err
}

func (s *Supervisor) try(ctx context.Context, c bench.Command, ready func(context.Context, string) error) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, startError(bench.StageStart, "not started", err)
	}
	v, err := s.spawn(c)
	if err != nil {
		return nil, startError(bench.StageStart, err.Error(), nil)
	}
	if err := v.awaitStart(ctx, s.options.ReadyTimeout); err != nil {
		return nil, v.giveUp(ctx, bench.StageStart, err)
	}
	if err := v.awaitReady(ctx, s.options.ReadyTimeout, ready); err != nil {
		return nil, v.giveUp(ctx, bench.StageReady, err)
	}
	return v, nil
}

// startError is the failure alone, or together with why it came to it.
func startError(stage bench.Stage, cause string, why error) error {
	f := &bench.Failure{Stage: stage, Cause: cause}
	if why == nil {
		return f
	}
	return &causedFailure{f, why}
}

// causedFailure reads as the failure and can be asked for the reason behind it.
type causedFailure struct {
	failure *bench.Failure
	why     error
}

func (c *causedFailure) Error() string   { return c.failure.Error() }
func (c *causedFailure) Unwrap() []error { return []error{c.failure, c.why} }

// portTakenError says that a port was somebody else's.
type portTakenError struct{ detail string }

func (p *portTakenError) Error() string { return p.detail }

// spawn starts a guard and orders it to start the server.
func (s *Supervisor) spawn(c bench.Command) (*Server, error) {
	argv, err := lookUp(c)
	if err != nil {
		return nil, err
	}
	port, err := s.pickPort()
	if err != nil {
		return nil, err
	}
	v := s.newServer(c.Name, port)
	if err := s.prepare(v); err != nil {
		s.release(port)
		return nil, err
	}
	o := launchOrder{Dir: c.Dir, CPUs: c.CPUs, Argv: withPort(argv, strconv.Itoa(port))}
	o.Env = append(minimal(), withPort(c.Env, strconv.Itoa(port))...)
	o.Env = append(o.Env, cookieName+"="+v.entry.Cookie)
	v.tell(order{Start: &o})
	return v, nil
}

// prepare makes the server's files and starts its guard, or leaves nothing.
func (s *Supervisor) prepare(v *Server) error {
	var err error
	if v.entry, err = s.newEntry(v.name, v.port); err != nil {
		return err
	}
	if v.stderr, err = createStderr(v.entry.stderrPath(), s.options.StderrLimit); err != nil {
		v.entry.remove()
		return err
	}
	events, err := s.startGuard(v)
	if err != nil {
		v.stderr.remove()
		v.entry.remove()
		return fmt.Errorf("start a guard: %w", err)
	}
	go v.watch(events)
	go v.stderr.keepSmall(v.gone)
	return nil
}

func (s *Supervisor) newServer(name string, port int) *Server {
	v := &Server{
		name: name, port: port, grace: s.options.StopGrace,
		log:     s.options.Log.With().Str("name", name).Int("port", port).Logger(),
		release: func() { s.release(port) },
		started: make(chan error, 1),
		gone:    make(chan struct{}),
	}
	v.life, v.end = context.WithCancelCause(context.Background())
	return v
}

// Address is where the server answers, "127.0.0.1:port".
func (v *Server) Address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(v.port))
}

// saysInUse recognises the operating system's EADDRINUSE in what servers print.
func saysInUse(lines []string) bool {
	text := strings.ToLower(strings.Join(lines, "\n"))
	return strings.Contains(text, "address already in use") || strings.Contains(text, "eaddrinuse")
}

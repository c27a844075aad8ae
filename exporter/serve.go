package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"github.com/rs/zerolog"
)

// Limits of connections. Every answer is short and made in milliseconds; these
// bound what a slow or hostile reader can hold.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	headerBytes   = 32 << 10
	shutdownGrace = 5 * time.Second
)

// Server is an Exporter on its listeners.
type Server struct {
	exporter  *Exporter
	flags     *web.FlagConfig
	listeners []net.Listener
	log       *slog.Logger
}

// Listen takes the addresses and checks the web configuration file, so that a
// taken port or a missing certificate is known before anything else is done.
// Sockets from systemd are taken by Serve.
func (e *Exporter) Listen(flags *web.FlagConfig) (*Server, error) {
	s := &Server{exporter: e, flags: flags, log: slog.New(zerolog.NewSlogHandler(e.options.Log))}
	if err := web.Validate(*flags.WebConfigFile); err != nil {
		return nil, fmt.Errorf("web configuration %s: %w", *flags.WebConfigFile, err)
	}
	switch {
	case s.delegated():
		return s, nil
	case len(*flags.WebListenAddresses) == 0:
		return nil, errors.New("no address to listen on (--web.listen-address)")
	}
	for _, address := range *flags.WebListenAddresses {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			s.Close()
			return nil, listenError(address, err)
		}
		s.listeners = append(s.listeners, listener)
	}
	return s, nil
}

// delegated reports whether the toolkit must listen: on what net cannot.
func (s *Server) delegated() bool {
	if s.flags.WebSystemdSocket != nil && *s.flags.WebSystemdSocket {
		return true
	}
	for _, address := range *s.flags.WebListenAddresses {
		if strings.HasPrefix(address, "vsock://") {
			return true
		}
	}
	return false
}

// listenError leaves out what a reader does not need, and says what helps.
func listenError(address string, err error) error {
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen %s: %w (is restbench running already? choose another with --web.listen-address)", address, err)
	}
	return fmt.Errorf("listen %s: %w", address, err)
}

// Addrs are the addresses that are listened on.
func (s *Server) Addrs() []net.Addr {
	var addrs []net.Addr
	for _, l := range s.listeners {
		addrs = append(addrs, l.Addr())
	}
	return addrs
}

// Close frees the addresses of a server that is not to serve.
func (s *Server) Close() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
}

// Serve answers requests until ctx ends, then lets those under way finish, for a
// few seconds at most. It returns nil after an orderly end.
func (s *Server) Serve(ctx context.Context) error {
	defer s.Close()
	servers := s.start()
	s.exporter.serving.Store(true)
	defer s.exporter.serving.Store(false)
	var err error
	select {
	case <-ctx.Done():
	case err = <-servers.ended: // one that ends by itself ends all
		servers.running--
		err = fmt.Errorf("serve HTTP: %w", err)
	}
	s.exporter.serving.Store(false)
	return errors.Join(err, servers.stop())
}

// servers is one http.Server for each listener: the toolkit changes the server
// it is given, so listeners cannot share one.
type servers struct {
	all     []*http.Server
	ended   chan error
	running int
}

func (s *Server) start() *servers {
	n := max(1, len(s.listeners))
	all := &servers{ended: make(chan error, n), running: n}
	if s.delegated() {
		server := s.newServer()
		all.all = append(all.all, server)
		go func() { all.ended <- web.ListenAndServe(server, s.flags, s.log) }()
		return all
	}
	for _, listener := range s.listeners {
		server := s.newServer()
		all.all = append(all.all, server)
		go func() { all.ended <- web.Serve(listener, server, s.flags, s.log) }()
	}
	return all
}

func (s *Server) newServer() *http.Server {
	return &http.Server{
		Handler:           s.exporter.handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// stop ends all of them and waits until they have.
func (s *servers) stop() error {
	grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	var errs []error
	for _, server := range s.all {
		if server.Shutdown(grace) != nil {
			errs = append(errs, server.Close()) // readers that do not end are cut off
		}
	}
	for range s.running {
		if err := <-s.ended; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

package process

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"restbench/internal/bench"
)

func TestServerStartsAndLeavesNothing(t *testing.T) {
	for _, mode := range []string{"ok", "slow", "deaf", "workers", "escape"} {
		t.Run(mode, func(t *testing.T) {
			s := newSupervisor(t, Options{StopGrace: 200 * time.Millisecond})
			v := start(t, s, faulty(mode))
			pids := append(v.pids(), relatives(t, v.Address())...)
			d := holdOn(t, pids...)
			if err := v.Alive(); err != nil {
				t.Error(err)
			}
			begin := time.Now()
			if err := v.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			d.await(t, 0) // when Stop returns, they are dead
			if took := time.Since(begin); took > killLimit {
				t.Errorf("took %s", took)
			}
			noneCarries(t, v.entry.Cookie)
			emptyDir(t, s.options.RunDir)
			if err := v.Alive(); err == nil {
				t.Error("a stopped server claims to be alive")
			}
			if err := v.Stop(t.Context()); err != nil {
				t.Errorf("second Stop: %v", err)
			}
			if l, err := net.Listen("tcp4", v.Address()); err != nil {
				t.Errorf("the port is not free: %v", err)
			} else {
				_ = l.Close()
			}
		})
	}
}

func TestServerThatDoesNotGetReady(t *testing.T) {
	tests := []struct {
		mode, argument string
		stage          bench.Stage
		want           []string
	}{
		{"exit", "0", bench.StageReady, []string{"exited (status 0) before it was ready: ModuleNotFoundError: No module named 'x'\n"}},
		{"exit", "1", bench.StageReady, []string{"exited (status 1) before it was ready: ModuleNotFoundError", "\n  Traceback"}},
		{"silent", "", bench.StageReady, []string{"127.0.0.1:", "was not ready within 1 seconds: nothing listens on"}},
		{"unready", "", bench.StageReady, []string{"127.0.0.1:", "was not ready within 1 seconds: answered 503"}},
		{"hang", "", bench.StageReady, []string{"127.0.0.1:", "was not ready within 1 seconds", "deadline exceeded"}},
	}
	for _, test := range tests {
		t.Run(test.mode+test.argument, func(t *testing.T) {
			limit := time.Second
			if test.mode == "exit" {
				limit = patience // must fail long before
			}
			s := newSupervisor(t, Options{ReadyTimeout: limit})
			begin := time.Now()
			_, err := s.Start(t.Context(), faulty(test.mode, test.argument), answers)
			var failure *bench.Failure
			if !errors.As(err, &failure) || failure.Stage != test.stage {
				t.Fatalf("got %v, want a failure of stage %s", err, test.stage)
			}
			for _, want := range test.want {
				if !strings.Contains(failure.Cause, want) {
					t.Errorf("%q is not in %q", want, failure.Cause)
				}
			}
			if strings.ContainsAny(failure.Cause, "\x1b\x07") {
				t.Errorf("control characters in %q", failure.Cause)
			}
			if took := time.Since(begin); took > patience/2 {
				t.Errorf("took %s", took)
			}
			emptyDir(t, s.options.RunDir)
		})
	}
}

func TestServerThatCannotBeStarted(t *testing.T) {
	for want, argv := range map[string][]string{
		"no-such-program: not an executable file on PATH": {"no-such-program"},
		"/no/such/file: no such file or directory":        {"/no/such/file"},
		"permission denied":                               {"/etc/passwd"},
		"the command is empty":                            nil,
	} {
		s := newSupervisor(t, Options{})
		_, err := s.Start(t.Context(), bench.Command{Name: "x", Argv: argv}, nil)
		var failure *bench.Failure
		if !errors.As(err, &failure) || failure.Stage != bench.StageStart || !strings.Contains(failure.Cause, want) {
			t.Errorf("%v: got %v, want %q", argv, err, want)
		}
		emptyDir(t, s.options.RunDir)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	s := newSupervisor(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	asked := func(context.Context, string) error {
		cancel()
		return errors.New("not yet")
	}
	_, err := s.Start(ctx, faulty("deaf"), asked)
	var failure *bench.Failure
	if !errors.Is(err, context.Canceled) || !errors.As(err, &failure) {
		t.Errorf("got %v", err)
	}
	emptyDir(t, s.options.RunDir)
}

func TestServerThatCrashes(t *testing.T) {
	s := newSupervisor(t, Options{})
	v := start(t, s, faulty("ok"))
	_, _ = get(t.Context(), v.Address(), "/crash")
	<-v.life.Done()
	if err := v.Alive(); err == nil || err.Error() != "exited (status 3): it hurts" {
		t.Errorf("got %v", err)
	}
	if _, err := v.Usage(); err == nil {
		t.Error("a dead server has a usage")
	}
	<-v.gone
	if v.Stderr() != "it hurts" {
		t.Errorf("got %q", v.Stderr())
	}
	emptyDir(t, s.options.RunDir)
}

func TestWorkersEndWithTheirLeader(t *testing.T) {
	s := newSupervisor(t, Options{})
	v := start(t, s, faulty("workers"))
	pids := relatives(t, v.Address()) // worker, leader
	d := holdOn(t, v.pids()...)
	if err := syscall.Kill(pids[1], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	d.await(t, patience)
	<-v.gone
	if err := v.Alive(); err == nil || err.Error() != "exited (signal: killed)" {
		t.Errorf("got %v", err)
	}
}

func TestServerOutlivesNotItsGuard(t *testing.T) {
	for _, mode := range []string{"workers", "escape"} {
		t.Run(mode, func(t *testing.T) {
			s := newSupervisor(t, Options{})
			v := start(t, s, faulty(mode, "marked"))
			d := holdOn(t, v.pids()...)
			if err := syscall.Kill(v.guard.pid(), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			d.await(t, patience)
			<-v.gone
			if err := v.Alive(); err == nil || !strings.HasPrefix(err.Error(), "its guard was killed") {
				t.Errorf("got %v", err)
			}
			noneCarries(t, v.entry.Cookie)
		})
	}
}

func TestStopOfAServerWithAHangingGuard(t *testing.T) {
	s := newSupervisor(t, Options{StopGrace: 10 * time.Millisecond})
	v := start(t, s, faulty("workers"))
	d := holdOn(t, v.pids()...)
	if err := syscall.Kill(v.guard.pid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	at, cancel := context.WithCancel(t.Context())
	cancel() // at once
	if err := v.Stop(at); err != nil {
		t.Error(err)
	}
	d.await(t, 0)
}

func TestGuardMindsOnlyRestbench(t *testing.T) {
	s := newSupervisor(t, Options{})
	v := start(t, s, faulty("ok"))
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(v.guard.pid(), sig); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-v.life.Done():
		t.Error(v.Alive())
	case <-time.After(300 * time.Millisecond): // for what must not come
	}
	if err := answers(t.Context(), v.Address()); err != nil {
		t.Error(err)
	}
}

func TestPortThatWasTakenIsTriedOnceMore(t *testing.T) {
	s := newSupervisor(t, Options{})
	marker := filepath.Join(t.TempDir(), "port")
	v := start(t, s, faulty("unlucky", marker))
	first, err := os.ReadFile(marker)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(v.Address(), ":"+string(first)) {
		t.Errorf("%s was taken already", v.Address())
	}
}

// Another program answers rightly on the server's port: no proof of anything.
func TestPortOfAStranger(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		l, err := net.Listen("tcp4", "127.0.0.1:"+r.URL.Query().Get("port"))
		if err != nil {
			return
		}
		stolen := &http.Server{Handler: http.NotFoundHandler()}
		go func() { _ = stolen.Serve(l) }()
		t.Cleanup(func() { _ = stolen.Close() })
	}))
	defer thief.Close()
	s := newSupervisor(t, Options{})
	always := func(context.Context, string) error { return nil }
	_, err := s.Start(t.Context(), faulty("decoy", thief.Listener.Addr().String()), always)
	want := "is in use by pid " + strconv.Itoa(os.Getpid()) + " ("
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestSupervisorsDoNotDisturbEachOther(t *testing.T) {
	dir := t.TempDir()
	a, b := newSupervisor(t, Options{RunDir: dir}), newSupervisor(t, Options{RunDir: dir})
	one, two := start(t, a, faulty("workers")), start(t, b, faulty("workers"))
	if n, err := a.Sweep(); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if err := one.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := two.Alive(); err != nil {
		t.Error(err)
	}
	if err := answers(t.Context(), two.Address()); err != nil {
		t.Error(err)
	}
}

func TestServersStartAtTheSameTime(t *testing.T) {
	s := newSupervisor(t, Options{})
	type result struct {
		v   *Server
		err error
	}
	results := make(chan result)
	for range 8 {
		go func() {
			v, err := s.Start(t.Context(), faulty("ok"), answers)
			results <- result{v, err}
		}()
	}
	seen := make(map[string]bool)
	for range 8 {
		r := <-results
		if r.err != nil {
			t.Error(r.err)
			continue
		}
		seen[r.v.Address()] = true
		defer func() { _ = r.v.Stop(context.Background()) }()
	}
	if len(seen) != 8 {
		t.Errorf("%d addresses", len(seen))
	}
}

func TestServerEnvironmentIsMinimal(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("SECRET", "secret")
	s := newSupervisor(t, Options{})
	c := faulty("ok")
	c.Env = []string{"GIVEN={port}"}
	v := start(t, s, c)
	env, err := get(t.Context(), v.Address(), "/env")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(env, "PROXY") || strings.Contains(env, "SECRET") || strings.Contains(env, "GOMAXPROCS") {
		t.Errorf("got %s", env)
	}
	if !strings.Contains(env, "PATH="+os.Getenv("PATH")) || !strings.Contains(env, "GIVEN="+strconv.Itoa(v.port)) {
		t.Errorf("got %s", env)
	}
}

// A pipe of the guard's that reached the server would keep restbench from
// noticing that the guard is gone.
func TestServerInheritsNoDescriptor(t *testing.T) {
	s := newSupervisor(t, Options{})
	v := start(t, s, faulty("ok"))
	files, err := get(t.Context(), v.Address(), "/files")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(files, "pipe:") {
		t.Errorf("it holds a pipe:\n%s", files)
	}
	if strings.Count(files, "/dev/null") != 2 || strings.Count(files, ".stderr") != 1 {
		t.Errorf("stdin and stdout are not /dev/null, or stderr is no file:\n%s", files)
	}
}

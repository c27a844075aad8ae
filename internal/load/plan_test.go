package load

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

func TestRequestBytes(t *testing.T) {
	for _, c := range []struct {
		name    string
		request bench.Request
		want    string
	}{
		{"as wrk's", bench.Request{}, "GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"},
		{"path and method", bench.Request{Method: "POST", Path: "/a?b=c"}, "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"},
		{"headers", bench.Request{Headers: map[string]string{"X-B": "2", "Accept": "a/b"}}, "GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\nAccept: a/b\r\nX-B: 2\r\n\r\n"},
		{"a host of its own", bench.Request{Headers: map[string]string{"host": "x"}}, "GET / HTTP/1.1\r\nhost: x\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := requestBytes("127.0.0.1:80", c.request)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBadPlans(t *testing.T) {
	for text, change := range map[string]func(*bench.Plan){
		"loopback only":                func(p *bench.Plan) { p.Address = "192.0.2.1:80" },
		"loopback only, as":            func(p *bench.Plan) { p.Address = "localhost:80" },
		"loopback":                     func(p *bench.Plan) { p.Address = "127.0.0.1:0" },
		"duration is 0s":               func(p *bench.Plan) { p.Duration = 0 },
		"8 connections over 9 threads": func(p *bench.Plan) { p.Threads = 9 },
		"8 connections over 0 threads": func(p *bench.Plan) { p.Threads = 0 },
		"ramp_up is -1ns":              func(p *bench.Plan) { p.RampUp = -1 },
		"timeout is -1ns":              func(p *bench.Plan) { p.Timeout = -1 },
		`method "HEAD"`:                func(p *bench.Plan) { p.Workload.Request.Method = "HEAD" },
		`method "GET /\r\n"`:           func(p *bench.Plan) { p.Workload.Request.Method = "GET /\r\n" },
		`path "x"`:                     func(p *bench.Plan) { p.Workload.Request.Path = "x" },
		`path "/ HTTP/1.1"`:            func(p *bench.Plan) { p.Workload.Request.Path = "/ HTTP/1.1" },
		`header "A b"`:                 func(p *bench.Plan) { p.Workload.Request.Headers = map[string]string{"A b": ""} },
		`header "A"`:                   func(p *bench.Plan) { p.Workload.Request.Headers = map[string]string{"A": "x\r\nB: y"} },
	} {
		plan := planFor("127.0.0.1:80", hello)
		change(&plan)
		for name, run := range map[string]func(context.Context, bench.Plan) (bench.Load, error){
			"native": Native{}.Run, "wrk": Wrk{}.Run,
		} {
			if _, err := run(t.Context(), plan); err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: got %v, want …%s…", name, err, text)
			}
		}
	}
}

func TestParseURL(t *testing.T) {
	for raw, want := range map[string][3]string{
		"http://127.0.0.1:8000":           {"127.0.0.1:8000", "127.0.0.1:8000", "/"},
		"http://localhost:8000/a/b?c=d#e": {"127.0.0.1:8000", "localhost:8000", "/a/b?c=d"},
		"http://127.0.0.1":                {"127.0.0.1:80", "127.0.0.1", "/"},
		"http://[::1]:8000/":              {"[::1]:8000", "[::1]:8000", "/"},
	} {
		address, request, err := ParseURL(raw)
		if got := [3]string{address, request.Headers["Host"], request.Path}; err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", raw, got, err, want)
		}
	}
	for _, raw := range []string{"", "127.0.0.1:80", "https://127.0.0.1/", "http://example.com/", "http://192.0.2.1/", "http://u@127.0.0.1/", "http://127.0.0.1:x/"} {
		if address, _, err := ParseURL(raw); err == nil {
			t.Errorf("%s: got %s, want an error", raw, address)
		}
	}
}

// fakeRunner answers for a child process.
type fakeRunner func(context.Context, bench.Command) (bench.Output, error)

func (f fakeRunner) Run(ctx context.Context, c bench.Command) (bench.Output, error) { return f(ctx, c) }

func TestNativeChildThatGoesWrong(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for name, c := range map[string]struct {
		out  bench.Output
		err  error
		want string
	}{
		"nothing":    {bench.Output{}, nil, "no output"},
		"garbage":    {bench.Output{Stdout: []byte(long)}, nil, `"` + long[:shownOutput] + `"`},
		"truncated":  {bench.Output{Stdout: []byte(`{"engine":"native 1","requests":12`)}, nil, "unexpected end of JSON input"},
		"two":        {bench.Output{Stdout: []byte(`{"engine":"x"}{"engine":"x"}`)}, nil, "after top-level value"},
		"incomplete": {bench.Output{Stdout: []byte(`{}`)}, nil, "it is incomplete"},
		"failed":     {bench.Output{}, errors.New("exit status 3: last words"), "run the native engine: exit status 3: last words"},
	} {
		t.Run(name, func(t *testing.T) {
			n := Native{Runner: fakeRunner(func(context.Context, bench.Command) (bench.Output, error) { return c.out, c.err })}
			_, err := n.Run(t.Context(), planFor("127.0.0.1:80", hello))
			if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 400 {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
		})
	}
}

func TestNativeBoundsItsChild(t *testing.T) {
	plan := planFor("127.0.0.1:80", hello)
	plan.CPUs = []int{1}
	_, _ = Native{Executable: "/x/restbench", Runner: fakeRunner(func(ctx context.Context, c bench.Command) (bench.Output, error) {
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left > plan.Duration+grace || left < plan.Duration {
			t.Errorf("deadline in %s", left)
		}
		if diff := cmp.Diff([]string{"/x/restbench", "__engine"}, c.Argv); diff != "" || !cmp.Equal(c.CPUs, plan.CPUs) {
			t.Errorf("got %+v", c)
		}
		return bench.Output{}, nil
	})}.Run(t.Context(), plan)
}

func TestEngineRefusesWhatIsNoPlan(t *testing.T) {
	for _, text := range []string{"", "no plan", `{"address":"192.0.2.1:80"}`} {
		if status := Engine(strings.NewReader(text), io.Discard); status != 1 {
			t.Errorf("%q: exit status %d", text, status)
		}
	}
}

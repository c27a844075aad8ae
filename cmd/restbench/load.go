//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"restbench/internal/bench"
	"restbench/internal/load"
)

type loadCommand struct {
	*session
	url                  string
	duration             time.Duration
	threads, connections int
	headers              map[string]string
	format               string
}

func registerLoad(app *kingpin.Application, s *session) (string, action) {
	c := &loadCommand{session: s, headers: map[string]string{}}
	cmd := app.Command("load", "Load one URL on loopback with the native engine, with wrk's flags.")
	cmd.Arg("url", "What to load: http://127.0.0.1:PORT/PATH.").Required().StringVar(&c.url)
	cmd.Flag("duration", "Length of the measurement.").Short('d').Default("10s").SetValue((*wrkDuration)(&c.duration))
	cmd.Flag("threads", "Threads.").Short('t').Default("2").IntVar(&c.threads)
	cmd.Flag("connections", "Connections kept busy; divided by the threads, the remainder is dropped.").Short('c').Default("10").IntVar(&c.connections)
	cmd.Flag("header", "Header to send, as 'Name: value'; repeatable.").Short('H').PlaceHolder("HEADER").SetValue(headerValue(c.headers))
	cmd.Flag("format", "What to print: table or json.").Default("table").EnumVar(&c.format, "table", "json")
	return cmd.FullCommand(), c.run
}

// wrkDuration reads "10s" or, as wrk does, "10" for seconds.
type wrkDuration time.Duration

func (d *wrkDuration) Set(text string) error {
	if seconds, err := strconv.Atoi(text); err == nil {
		text = strconv.Itoa(seconds) + "s"
	}
	parsed, err := time.ParseDuration(text)
	*d = wrkDuration(parsed)
	return err
}

func (d *wrkDuration) String() string { return time.Duration(*d).String() }

// headerValue reads "Name: value".
type headerValue map[string]string

func (h headerValue) Set(text string) error {
	name, value, found := strings.Cut(text, ":")
	if !found || strings.TrimSpace(name) == "" {
		return fmt.Errorf("header %q must be 'Name: value'", text)
	}
	h[strings.TrimSpace(name)] = strings.TrimSpace(value)
	return nil
}

func (h headerValue) String() string     { return "" }
func (h headerValue) IsCumulative() bool { return true }

func (c *loadCommand) run(ctx context.Context) error {
	plan, err := c.plan()
	if err != nil {
		return &usageError{err}
	}
	k, err := c.newKit()
	if err != nil {
		return err
	}
	result, err := load.Native{Runner: k.supervisor, Executable: itself}.Run(ctx, plan)
	if err != nil {
		return err
	}
	if c.format == "json" {
		return c.json(result)
	}
	_, err = io.WriteString(c.out, loadText(result))
	return err
}

func (c *loadCommand) plan() (bench.Plan, error) {
	address, request, err := load.ParseURL(c.url)
	if err != nil {
		return bench.Plan{}, err
	}
	p := bench.Protocol{Name: bench.ProtocolCustom, Rounds: 1, Duration: c.duration, Threads: c.threads,
		Connections: c.connections, Order: bench.OrderFixed, Engine: bench.EngineNative}
	if err := p.Validate(); err != nil {
		return bench.Plan{}, err
	}
	for name := range c.headers {
		maps.DeleteFunc(request.Headers, func(own, _ string) bool { return strings.EqualFold(own, name) })
	}
	maps.Copy(request.Headers, c.headers)
	return bench.Plan{
		Engine: p.Engine, Address: address, Duration: p.Duration, Threads: p.Threads, Connections: p.Connections,
		Timeout: bench.DefaultTimeout, Workload: bench.Workload{Request: request},
	}, nil
}

func (c *loadCommand) json(l bench.Load) error {
	errors := map[bench.ErrorKind]int64{}
	for _, kind := range bench.ErrorKinds() {
		errors[kind] = l.Errors[kind]
	}
	return json.NewEncoder(c.out).Encode(map[string]any{
		"requests": l.Requests, "duration_seconds": l.Duration.Seconds(), "requests_per_second": l.RequestsPerSecond(),
		"latency_seconds": l.Quantiles, "errors": errors, "bytes": l.Bytes,
		"client_cpu_seconds": l.ClientCPU.Seconds(), "reconnects": l.Reconnects,
	})
}

func loadText(l bench.Load) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d right answers in %s: %.0f requests/s\n", l.Requests, l.Duration.Round(time.Millisecond), l.RequestsPerSecond())
	for _, name := range []string{"p50", "p90", "p99", "p99.9"} {
		fmt.Fprintf(&out, "latency %-6s %s\n", name, time.Duration(l.Quantiles[name]*float64(time.Second)).Round(time.Microsecond))
	}
	for _, kind := range bench.ErrorKinds() {
		if n := l.Errors[kind]; n > 0 {
			fmt.Fprintf(&out, "errors  %-6s %d\n", kind, n)
		}
	}
	if l.FirstWrong != "" {
		fmt.Fprintf(&out, "first wrong answer: %s\n", l.FirstWrong)
	}
	fmt.Fprintf(&out, "client: %.1f microseconds of CPU a request, %d reconnects\n", perRequest(l)*1e6, l.Reconnects)
	return out.String()
}

func perRequest(l bench.Load) float64 {
	if l.Requests == 0 {
		return 0
	}
	return l.ClientCPU.Seconds() / float64(l.Requests)
}

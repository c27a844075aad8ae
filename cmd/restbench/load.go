package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	cmd.Flag("duration", "Length of the measurement.").Short('d').Default("10s").DurationVar(&c.duration)
	cmd.Flag("threads", "Threads.").Short('t').Default("2").IntVar(&c.threads)
	cmd.Flag("connections", "Connections kept busy; divided by the threads, the remainder is dropped.").Short('c').Default("10").IntVar(&c.connections)
	cmd.Flag("header", "Header to send, as 'Name: value'; repeatable.").Short('H').PlaceHolder("HEADER").SetValue(headerValue(c.headers))
	cmd.Flag("format", "What to print: table or json.").Default("table").EnumVar(&c.format, "table", "json")
	return cmd.FullCommand(), c.run
}

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
	k, err := c.newKit(nil, func(string, string) {})
	if err != nil {
		return err
	}
	result, err := load.Native{Runner: k.supervisor, Executable: k.executable}.Run(ctx, plan)
	if err != nil {
		return err
	}
	if c.format == "json" {
		return c.json(result)
	}
	c.table(result)
	return nil
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

func (c *loadCommand) table(l bench.Load) {
	fmt.Fprintf(c.out, "%d right answers in %s: %.0f requests/s\n", l.Requests, l.Duration.Round(time.Millisecond), l.RequestsPerSecond())
	for _, name := range []string{"p50", "p90", "p99", "p99.9"} {
		fmt.Fprintf(c.out, "latency %-6s %s\n", name, time.Duration(l.Quantiles[name]*float64(time.Second)).Round(time.Microsecond))
	}
	for _, kind := range bench.ErrorKinds() {
		if n := l.Errors[kind]; n > 0 {
			fmt.Fprintf(c.out, "errors  %-6s %d\n", kind, n)
		}
	}
	if l.FirstWrong != "" {
		fmt.Fprintf(c.out, "first wrong answer: %s\n", l.FirstWrong)
	}
	fmt.Fprintf(c.out, "client: %.1f microseconds of CPU a request, %d reconnects\n", perRequest(l)*1e6, l.Reconnects)
}

func perRequest(l bench.Load) float64 {
	if l.Requests == 0 {
		return 0
	}
	return l.ClientCPU.Seconds() / float64(l.Requests)
}

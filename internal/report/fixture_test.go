package report_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"restbench/internal/bench"
)

// published is the means of the publication: made-up campaigns look like it.
func published() []publication {
	return []publication{
		{"sanic", "20.6.3", "sanic", 10377},
		{"aiohttp", "3.6.2", "aiohttp.web", 7947},
		{"fastapi", "0.60.1", "uvicorn", 7501},
		{"falcon", "2.0.0", "wsgiref", 4904},
		{"bottle", "0.12.18", "wsgiref", 3900},
		{"tornado", "6.0.4", "tornado", 3819},
		{"hug", "2.6.1", "wsgiref", 3512},
		{"pyramid", "1.10.4", "wsgiref", 3346},
		{"flask", "1.1.2", "Werkzeug development server", 2272},
		{"eve", "1.1.2", "Werkzeug development server", 1401},
		{"djangorestframework", "3.11.0", "Django development server", 584},
	}
}

type publication struct {
	name, version, server string
	rate                  float64
}

const rounds = 10

func target(name, edition string) bench.Target {
	return bench.Target{Framework: name, Edition: edition, Serving: bench.ServingDocumented, Workload: bench.WorkloadHello}
}

func machine() bench.Machine {
	return bench.Machine{
		Host: "host", CPU: "Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", Cores: 8, Memory: 16_000_000_000,
		Kernel: "5.4.0-40-generic", System: "Ubuntu 20.04", Arch: "amd64", Restbench: "0.1.0",
	}
}

// campaign is a finished classic one without participants.
func campaign() bench.Campaign {
	started := time.Date(2020, 8, 10, 12, 0, 0, 0, time.UTC)
	return bench.Campaign{
		ID: 7, Kind: bench.KindScheduled, State: bench.StateFinished, Protocol: bench.Classic(), Machine: machine(),
		Rounds: rounds, Started: started, Finished: started.Add(20 * time.Minute),
	}
}

// measured is one valid measurement of a server that works all the time.
func measured(t bench.Target, round int, rate float64) bench.Measurement {
	c := campaign()
	window := 10 * time.Second
	return bench.Measurement{
		Campaign: c.ID, Round: round, Target: t, Started: c.Started.Add(time.Duration(round) * time.Minute),
		Load: bench.Load{
			Engine: "native 1", Requests: int64(rate * 10), Duration: window, Bytes: int64(rate * 1500),
			ClientCPU: time.Duration(rate * 70_000), Latency: histogram(20 / rate),
		},
		Server:     bench.Usage{CPU: 9800 * time.Millisecond, Memory: 41_300_000, Processes: 1},
		Conditions: bench.Conditions{Pinning: "none"},
	}
}

// histogram holds 1,000 latencies between half and twice the mean, in seconds.
func histogram(mean float64) []byte {
	h := hdrhistogram.New(1, 60_000_000, 3)
	for i := range 1000 {
		if err := h.RecordValue(int64(mean * 1e6 * math.Pow(4, float64(i)/999-0.5))); err != nil {
			panic(err)
		}
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err)
	}
	return text
}

// synthetic is a campaign of the publication's frameworks in editions: the
// machine moves by 3 % from round to round, each framework by 1 % of its own.
func synthetic(editions ...string) (bench.Campaign, []bench.Measurement) {
	random := rand.New(rand.NewPCG(20200810, 10))
	c := campaign()
	var ms []bench.Measurement
	for e, edition := range editions {
		for _, p := range published() {
			t := target(p.name, edition)
			c.Participants = append(c.Participants, bench.Participant{Target: t, Versions: bench.Versions{
				Framework: p.version, Server: p.server, Python: []string{"3.13.0", "3.8.18"}[e%2],
			}})
		}
	}
	for round := 1; round <= rounds; round++ {
		speed := math.Exp(0.03 * random.NormFloat64())
		for e, edition := range editions {
			for _, p := range published() {
				rate := p.rate * speed * math.Exp(0.01*random.NormFloat64()) * (1 + 0.3*float64(e))
				ms = append(ms, measured(target(p.name, edition), round, rate))
			}
		}
	}
	return c, ms
}

// troubled is the same with everything that can go wrong in a campaign.
func troubled() (bench.Campaign, []bench.Measurement) {
	c, ms := synthetic("current", "2020")
	c.Finished = c.Finished.Add(20 * time.Minute) // two editions take twice as long
	c.Participants[6].Marks = []bench.Mark{{Kind: bench.MarkNote, Reason: bench.ReasonOtherPython, Detail: "3.11.7 instead of 3.13"}}
	kept := ms[:0]
	for _, m := range ms {
		switch {
		case m.Target == target("eve", "2020"):
			continue // could not be installed
		case m.Target.Framework == "djangorestframework":
			m.Server.CPU, m.Load.Latency = 2500*time.Millisecond, histogram(0.049)
		case m.Target == target("bottle", "current") && m.Round == 3:
			m.Load.Errors = map[bench.ErrorKind]int64{bench.ErrorBody: 12_345}
			m.Load.FirstWrong = `body "Hello" instead of "Hello World!"`
			m.Marks = []bench.Mark{{Kind: bench.MarkInvalid, Reason: bench.ReasonErrors, Detail: "24 % wrong"}}
		case m.Target == target("flask", "2020") && m.Round == 9:
			m.Load = bench.Load{}
			m.Failure = &bench.Failure{Stage: bench.StageLoad, Cause: "server ended: exit status 1"}
		case m.Round == 4 && m.Target == target("sanic", "current"):
			m.Marks = []bench.Mark{{Kind: bench.MarkNoisy, Reason: bench.ReasonSteal}}
			again := m
			again.Attempt, again.Marks = 1, nil
			kept = append(kept, again)
		case m.Round < 3 && m.Target == target("aiohttp", "current"):
			m.Marks = []bench.Mark{{Kind: bench.MarkNoisy, Reason: bench.ReasonSteal}}
		}
		kept = append(kept, m)
	}
	return c, append(kept, bench.Measurement{
		Campaign: c.ID, Target: target("eve", "2020"), Started: c.Started,
		Failure: &bench.Failure{Stage: bench.StageInstall, Cause: "no matching release for cerberus==1.3.2; connect the machine to the package index once"},
	})
}

// byWrk is a campaign by the publication's tool: no bodies checked, latencies
// corrected.
func byWrk() (bench.Campaign, []bench.Measurement) {
	c, ms := synthetic("2020")
	c.Protocol.Engine = bench.EngineWrk
	for i := range ms {
		l := &ms[i].Load
		l.Engine, l.Latency, l.LatencyCorrected, l.BodyUnchecked = "wrk 4.1.0", nil, true, true
		mean := 20 / l.RequestsPerSecond()
		l.Quantiles = map[string]float64{"p50": mean, "p90": 1.5 * mean, "p99": 2 * mean, "p99.9": 3 * mean, "mean": mean}
	}
	return c, ms
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// many is a campaign of n made-up frameworks with long names.
func many(n int, editions ...string) (bench.Campaign, []bench.Measurement) {
	c := campaign()
	var ms []bench.Measurement
	for _, edition := range editions {
		for i := range n {
			t := target(fmt.Sprintf("a-framework-with-a-very-long-name-%02d", i), edition)
			c.Participants = append(c.Participants, bench.Participant{Target: t})
			for round := 1; round <= rounds; round++ {
				ms = append(ms, measured(t, round, 500*float64(i+1)+float64(round*7%5)*9))
			}
		}
	}
	return c, ms
}

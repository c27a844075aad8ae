//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/host"
	"restbench/internal/load"
	"restbench/internal/need"
	"restbench/internal/store"
	"restbench/scheduler"
)

// checkFigure runs one figure on servers of the test's own and expects one line.
func checkFigure(t *testing.T, config, name, want string, flags ...string) {
	t.Helper()
	args := append([]string{"check", "--figure=" + name, "--storage.path=" + isolated(t), "--config.file=" + config}, flags...)
	got := restbench(t.Context(), t, args...)
	t.Log(got.out)
	if got.code != exitDone || !regexp.MustCompile("^"+want+"\n$").MatchString(got.out) {
		t.Errorf("exit code %d, stdout\n%swant\n%s\nstderr\n%s", got.code, got.out, want, got.err)
	}
}

const estimatePattern = `× \d+\.\d{3} \(\d+\.\d{3} – \d+\.\d{3}\), from \d+\.\d{3} \(\S+\) to \d+\.\d{3} \(\S+\)`

func TestFigureOfTheClientTax(t *testing.T) {
	need.That(t, len(host.AllowedCPUs()) >= 2, "two processors")
	checkFigure(t, ownTargets(t, "alpha"), "client-tax",
		`pinned apart \(server \S+ client \S+\) ÷ not pinned: requests/s `+estimatePattern+`; server CPU per request `+estimatePattern+`; 2 servers in \d+ rounds`, "--time=2s")
}

func TestFigureOfIdleStates(t *testing.T) {
	limit, err := host.LimitIdle()
	if err != nil { // not every machine allows it, or has any
		got := restbench(t.Context(), t, "check", "--figure=idle-states", "--time=1s", "--storage.path="+isolated(t), "--config.file="+ownTargets(t, "alpha"))
		if got.code != exitFailed || !strings.Contains(got.err, "limit idle states: "+err.Error()) {
			t.Errorf("%+v", got)
		}
		return
	}
	if err := limit.Close(); err != nil {
		t.Fatal(err)
	}
	checkFigure(t, ownTargets(t, "alpha"), "idle-states",
		`idle states no deeper than \S+ ÷ all: requests/s `+estimatePattern+`; server CPU per request `+estimatePattern+`; 2 servers in \d+ rounds`, "--time=2s")
}

func TestFigureOfNeighbours(t *testing.T) {
	checkFigure(t, ownTargets(t, "alpha", "beta"), "neighbours",
		`neighbours \(2\) idle ÷ stopped: requests/s `+estimatePattern+`; server CPU per request `+estimatePattern+`; 3 servers in \d+ rounds`, "--time=2s")
}

// A server that is alone has none.
func TestFigureWithoutNeighbours(t *testing.T) {
	config := writeFile(t, "restbench.yml", strings.Replace(read(t, ownTargets(t, "alpha")), "controls: [go]", "controls: []", 1))
	got := restbench(t.Context(), t, "check", "--figure=neighbours", "--time=1s", "--storage.path="+isolated(t), "--config.file="+config)
	if got.code != exitFailed || got.out != "" || !strings.Contains(got.err, "no neighbours") {
		t.Errorf("%+v", got)
	}
}

// One server sends head and body apart and waits for the acknowledgement of the
// head; the control does not.
func TestFigureOfAStall(t *testing.T) {
	config := writeFile(t, "restbench.yml", strings.Replace(read(t, ownTargets(t, "alpha")), "'{port}'", "'{port}', stall=1", 1))
	checkFigure(t, config, "stall",
		`alpha@own: median answer \d+\.\d\d ms under load while it used \d+ % of a processor, \d+\.\d\d ms to a single client, `+
			`\d+\.\d\d ms to one that acknowledges at once \(([3-9]|\d\d+)\.\d times\); the next of 2 servers: go@control, \d+\.\d times`, "--time=3s")
}

// brokenAfter is an engine that fails after so many runs.
type brokenAfter struct {
	scheduler.Engine
	runs int
}

func (e *brokenAfter) Run(ctx context.Context, p bench.Plan) (bench.Load, error) {
	if e.runs--; e.runs < 0 {
		return bench.Load{}, errors.New("out of memory")
	}
	return e.Engine.Run(ctx, p)
}

// What ends a figure early leaves the rounds before it; a cause alone is no figure.
func TestFigureOfTheRoundsThatThereAre(t *testing.T) {
	const round = 4 * 2 // of one server: each with its warm-up
	alone := writeFile(t, "restbench.yml", strings.Replace(read(t, ownTargets(t, "alpha")), "controls: [go]", "controls: []", 1))
	g, log := figureOf(t, alone, 10*time.Second)
	_, err := g.withServers(t.Context(), func(a *among) (string, error) {
		engine := a.engine
		for runs, want := range map[int]string{2*round + 3: "both: requests/s × .* 1 server in 2 rounds", round - 1: ""} {
			a.engine = &brokenAfter{engine, runs}
			effect, err := a.effect(t.Context(), func(int, bool) ([]int, error) { return nil, nil })
			got, err := line("both", effect, err)
			if !regexp.MustCompile("^"+want+"$").MatchString(got) || err == nil || !strings.Contains(err.Error(), "alpha@own: out of memory") {
				t.Errorf("%d runs: %q, %v", runs, got, err)
			}
		}
		return "", nil
	})
	if err != nil {
		t.Errorf("%v\n%s", err, log)
	}
}

func TestFigureOfAStallWithoutOneServer(t *testing.T) {
	g, log := figureOf(t, ownTargets(t, "alpha", "beta"), time.Second)
	_, err := g.withServers(t.Context(), func(a *among) (string, error) {
		if err := a.all[0].server.Stop(t.Context()); err != nil {
			return "", err
		}
		got, err := a.stalls(t.Context())
		if !strings.Contains(got, "the next of 2 servers") || err == nil || !strings.HasPrefix(err.Error(), "1 of 3 are left out: "+a.all[0].target.String()+": ") {
			t.Errorf("%q, %v", got, err)
		}
		return "", nil
	})
	if err != nil {
		t.Errorf("%v\n%s", err, log)
	}
}

// plansOf remembers what an engine is asked for.
type plansOf struct {
	scheduler.Engine
	plans []bench.Plan
}

func (e *plansOf) Run(ctx context.Context, p bench.Plan) (bench.Load, error) {
	e.plans = append(e.plans, p)
	return e.Engine.Run(ctx, p)
}

// Its windows are short: what a listen queue drops would come in after them.
func TestFiguresOpenConnectionsOneAfterAnother(t *testing.T) {
	g, log := figureOf(t, ownTargets(t, "alpha"), time.Second)
	_, err := g.withServers(t.Context(), func(a *among) (string, error) {
		engine := plansOf{Engine: a.engine}
		a.engine = &engine
		if _, err := a.measure(t.Context(), a.all[0], leastEffect, nil); err != nil {
			return "", err
		}
		if got := engine.plans; len(got) != 1 || got[0].RampUp != bench.RampUp {
			t.Errorf("measured with %+v", got)
		}
		return "", nil
	})
	if err != nil {
		t.Error(err, log)
	}
}

// figureOf is what --figure works with.
func figureOf(t *testing.T, config string, length time.Duration) (figureCheck, *syncBuffer) {
	t.Helper()
	log := &syncBuffer{}
	state := isolated(t)
	s := &session{
		streams: streams{strings.NewReader(""), io.Discard, log}, configFile: config, storagePath: state,
		campaignLock: os.Getenv("RESTBENCH_CAMPAIGN_LOCK"), logLevel: "info",
	}
	c := &checkCommand{session: s}
	p, err := c.plan()
	if err != nil {
		t.Fatal(err)
	}
	return figureCheck{c, p, length}, log
}

func TestOnlyNeighboursArePaused(t *testing.T) {
	g, log := figureOf(t, ownTargets(t, "alpha", "beta"), time.Second)
	_, err := g.withServers(t.Context(), func(a *among) (string, error) {
		paused := make([]bool, len(a.all))
		for _, but := range []int{0, 2} {
			if err := a.pauseOthers(paused, but, true); err != nil {
				return "", err
			}
			for i, s := range a.all {
				if answers := answersSoon(t, s, i == but); answers != (i == but) {
					t.Errorf("all but %s are paused, and %s answers: %t", a.all[but].target, s.target, answers)
				}
			}
		}
		err := a.pauseOthers(paused, 0, false)
		for _, s := range a.all {
			if !answersSoon(t, s, true) {
				t.Errorf("%s does not answer any more", s.target)
			}
		}
		return "", err
	})
	if err != nil {
		t.Errorf("%v\n%s", err, log)
	}
}

// answersSoon waits long for an answer that must come.
func answersSoon(t *testing.T, s served, expected bool) bool {
	limit := 200 * time.Millisecond
	if expected {
		limit = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return load.Verify(ctx, s.server.Address(), s.workload) == nil
}

// What cannot be started is told, and the others are measured.
func TestFigureWithoutAServer(t *testing.T) {
	g, log := figureOf(t, ownTargets(t, "alpha"), time.Second)
	broken := scheduler.Entrant{Target: bench.Target{Framework: "broken", Edition: "own"}, Prepare: func(context.Context) (scheduler.Prepared, error) {
		return scheduler.Prepared{}, &bench.Failure{Stage: bench.StageInstall, Cause: "no interpreter"}
	}}
	err := g.exclusively(t.Context(), runnerOptions{command: "restbench check --figure"}, func(k *kit) error {
		a := among{figureCheck: g, kit: k}
		a.start(t.Context(), []scheduler.Entrant{broken, constantEntrant()})
		if len(a.all) != 1 || a.all[0].target != bench.ControlTarget(bench.ControlGo) {
			t.Errorf("%+v take part", a.all)
		}
		return a.stop(t.Context())
	})
	if err != nil || !strings.Contains(log.String(), "broken@own takes no part: install: no interpreter") {
		t.Errorf("%v: %s", err, log)
	}
}

func TestFigureOfATargetAndItself(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	g, log := figureOf(t, ownTargets(t, "alpha", "beta"), 16*time.Second)
	line, err := g.selfTimes(t.Context(), 2)
	if !regexp.MustCompile(`^[012] of 2 intervals of a server and itself exclude 1: .*, compared live for 8s each$`).MatchString(line) {
		t.Errorf("%q, %v\n%s", line, err, log)
	}
	for _, want := range []string{"1 of 2: alpha@own beside itself: ", "2 of 2: beta@own beside itself: "} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in\n%s", want, log)
		}
	}
	list := restbench(t.Context(), t, "report", "--storage.path="+g.storagePath, "--list")
	if strings.Count(list.out, "compare  ") != 2 {
		t.Errorf("the history holds\n%s", list.out)
	}
}

func TestFigureOfTargetsThatCannotAllBeCompared(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	text := read(t, ownTargets(t, "alpha")) + "  - {name: beta, command: [/bin/false, '{port}']}\n"
	g, log := figureOf(t, writeFile(t, "restbench.yml", text), 16*time.Second)
	line, err := g.selfTimes(t.Context(), 2)
	if !strings.Contains(line, " of 1 intervals ") || err == nil || !strings.Contains(err.Error(), "1 of 2 are left out: compare beta@own with itself: ") {
		t.Errorf("%q, %v\n%s", line, err, log)
	}
	if want := "2 of 2: compare beta@own with itself: "; !strings.Contains(log.String(), want) {
		t.Errorf("%q is not in\n%s", want, log)
	}
}

// stored writes a finished campaign of two targets into a history, measured every
// two seconds.
func stored(t *testing.T, state string, p bench.Protocol, rounds int) {
	t.Helper()
	if err := os.MkdirAll(state, 0o750); err != nil {
		t.Fatal(err)
	}
	history, err := store.Open(t.Context(), filepath.Join(state, historyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer history.Close()
	random := rand.New(rand.NewPCG(uint64(rounds), 1))
	c := bench.Campaign{Kind: bench.KindManual, State: bench.StateFinished, Protocol: p, Rounds: rounds, Started: time.Now().UTC()}
	for _, name := range []string{"a", "b"} {
		c.Participants = append(c.Participants, bench.Participant{Target: bench.Target{Framework: name, Edition: "current", Serving: "documented", Workload: "hello"}})
	}
	if c.ID, err = history.Begin(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	at := c.Started
	for round := 1; round <= rounds; round++ {
		for i, participant := range c.Participants {
			at = at.Add(2 * time.Second)
			err := history.Record(t.Context(), bench.Measurement{
				Campaign: c.ID, Round: round, Position: i, Target: participant.Target, Started: at,
				Load:   bench.Load{Engine: "native 1", Requests: int64(1000 * float64(i+1) * math.Exp(0.05*random.NormFloat64())), Duration: p.Duration},
				Server: bench.Usage{CPU: time.Second, Processes: 1},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFiguresFromTheHistory(t *testing.T) {
	state := isolated(t)
	stored(t, state, bench.Adaptive(), 40) // 20 starts of each of two: two comparisons
	stored(t, state, bench.Classic(), 10)  // ten rounds of one start: one
	stored(t, state, bench.Classic(), 4)   // too few
	got := restbench(t.Context(), t, "check", "--figure=self-replayed", "--storage.path="+state)
	if want := regexp.MustCompile(`^\d of 6 intervals of .*, 5 pairs each, replayed from 2 campaigns; fewer than the 400 that the rule asks for\n$`); !want.MatchString(got.out) {
		t.Errorf("%+v", got)
	}
	// 25 s for each of two targets have room for twelve rounds of 4 s: six starts.
	// Of classic the newest campaign counts.
	got = restbench(t.Context(), t, "check", "--figure=precision", "--storage.path="+state, "--format=json")
	var figure struct{ Figure, Line string }
	if err := json.Unmarshal([]byte(got.out), &figure); err != nil || figure.Figure != "precision" || got.code != exitDone {
		t.Fatalf("%v: %+v", err, got)
	}
	const width = `± \d+\.\d % \(± \d+\.\d %\)`
	want := `^adaptive: server CPU per request ` + width + ` after 47 s, ` + width + ` after 159 s; requests/s ` + width + `, ` + width + `; widest of 1 ratios, median in brackets. ` +
		`classic \(of one start\): server CPU per request ` + width + ` after 24 s, .*$`
	if !regexp.MustCompile(want).MatchString(figure.Line) {
		t.Errorf("got  %s\nwant %s", figure.Line, want)
	}
}

func TestFiguresWithoutAHistory(t *testing.T) {
	state := isolated(t)
	for _, name := range []string{"self-replayed", "precision"} {
		got := restbench(t.Context(), t, "check", "--figure="+name, "--storage.path="+state)
		checkOneLine(t, got, exitFailed, []string{"there is no history"})
	}
	stored(t, state, bench.Classic(), 1)
	for name, want := range map[string]string{"self-replayed": "10 starts", "precision": "no campaign in the history has a ratio"} {
		checkOneLine(t, restbench(t.Context(), t, "check", "--figure="+name, "--storage.path="+state), exitFailed, []string{want})
	}
	checkOneLine(t, restbench(t.Context(), t, "check", "--figure=stall", "--time=0s", "--storage.path="+state), exitUsage, []string{"--time=0s"})
	checkOneLine(t, restbench(t.Context(), t, "check", "--figure=price", "--storage.path="+state), exitUsage, []string{"price", "client-tax"})
}

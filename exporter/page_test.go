package exporter

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"restbench/internal/bench"
)

func pageOf(e *Exporter) string { return ask(e.Handler(), "GET", "/").Body.String() }

// text is a page as it is read: without tags, one space between words.
func text(page string) string {
	page = regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(page, "")
	page = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(html.UnescapeString(page)), " ")
}

func wantText(t *testing.T, e *Exporter, wants ...string) {
	t.Helper()
	got := text(pageOf(e))
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestPageTellsTheState(t *testing.T) {
	now := noon()
	o := options()
	o.Now = func() time.Time { return now }
	e := newExporter(t, o)
	wantText(t, e, "Waiting for the next campaign", "It starts at 13:00 UTC, in 60 min.", "There is no result yet", "restbench 1.2.3")

	waiting := campaign(0, short(), sanic(), flask())
	e.Observe(bench.Event{Time: now, Campaign: waiting, Phase: bench.PhaseWaiting, Detail: "waiting for pid 42 (restbench run)"})
	wantText(t, e, "Waiting for another campaign on this machine", "waiting for pid 42 (restbench run)")
	wantValue(t, e, 0, "restbench_campaign_running")
	wantNone(t, e, "restbench_campaign_last_start_timestamp_seconds")
	waiting.State = bench.StateStopped // it gave up
	e.Observe(bench.Event{Time: now, Campaign: waiting, Phase: bench.PhaseDone})
	wantText(t, e, "Waiting for the next campaign")
	wantNone(t, e, "restbench_campaign_last_start_timestamp_seconds")

	p := begin(e, campaign(12, short(), sanic(), flask()))
	p.event(bench.PhasePreparing, 0, nil)
	wantText(t, e, "Preparing environments", "Campaign 12 (scheduled), protocol short, started at 11:00 UTC.")

	p.Observe(bench.Event{Time: now, Campaign: p.Campaign, Phase: bench.PhaseMeasuring, Round: 1, Target: &bench.Target{Framework: "sanic", Edition: "current"}})
	// three rounds of two targets of 10 s each
	wantText(t, e, "Measuring sanic@current", "Round 1 of 3, 0 of 2 targets done about 60 s left")
	now = now.Add(12 * time.Second)
	m := measured(sanic(), 1, 10_000)
	p.Observe(bench.Event{Time: now, Campaign: p.Campaign, Phase: bench.PhaseMeasuring, Round: 1, Target: &m.Target, Measurement: &m})
	// one turn took 12 s, five are left
	wantText(t, e, "Round 1 of 3, 1 of 2 targets done about 60 s left", "16 %")
	now = now.Add(5 * time.Second) // of the next turn
	wantText(t, e, "about 55 s left")
	p.measure(failed(flask(), 1, bench.StageLoad, "server ended: signal: killed"))
	p.round()
	wantText(t, e, "these are the first 1 of 3 rounds", "flask@current load round 1 server ended: signal: killed",
		"Round 1 of 3, 2 of 2 targets done", "33 %")
	p.Rounds = 3
	p.finish(bench.StateFinished)
	wantText(t, e, "The last complete one finished at 11:30 UTC, 30 min ago, and took 30 min.")
}

// The first number is shown when it is there, and not a round later.
func TestPageShowsFirstMeasurements(t *testing.T) {
	e := newExporter(t, options())
	p := begin(e, campaign(1, short(), sanic(), flask()))
	p.measure(measured(flask(), 1, 1000), measured(sanic(), 1, 10_000))
	wantText(t, e, "The first measurement of each target.", "Edition current sanic 10,000", "flask 1,000")
	p.round()
	wantText(t, e, "Mean over the rounds")
}

// A campaign that leaves no result leaves its failures.
func TestPageTellsWhyThereIsNoResult(t *testing.T) {
	e := newExporter(t, options())
	p := begin(e, campaign(7, short(), sanic(), flask()))
	p.measure(failed(sanic(), 0, bench.StageInstall, "no network"), failed(flask(), 0, bench.StageInstall, "no network"))
	p.finish(bench.StateStopped)
	wantText(t, e, "Campaign 7 was stopped at 11:30 UTC, after 0 of 3 rounds.", "Failed in the last campaign",
		"sanic@current and 1 more install no network", "There is no result yet")
}

// A campaign that was stopped does not change when the last success began.
func TestPageTellsHowLongTheLastSuccessTook(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	p := begin(e, campaign(2, short(), sanic(), flask()))
	p.Started = p.Started.Add(20 * time.Minute)
	p.event(bench.PhaseMeasuring, 1, nil)
	p.finish(bench.StateStopped)
	wantText(t, e, "The last complete one finished at 11:30 UTC, 30 min ago, and took 30 min.")
}

func TestPageShowsTheTables(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	wantText(t, e, "Edition current sanic 11,000", "flask 1,100 1×", "limited by", "Example CPU")
	page := pageOf(e)
	for _, bar := range []string{`width="81.58%"`, `x1="63.15%" x2="100.00%"`} { // of 13484
		if !strings.Contains(page, bar) {
			t.Errorf("no %s", bar)
		}
	}
}

// Everything that others can name or write is escaped.
func TestPageEscapes(t *testing.T) {
	const evil = `"><script>alert(1)</script>`
	target := targetOf("x"+evil, "e"+evil)
	o := options()
	o.Targets, o.Version = []bench.Target{target}, evil
	o.StoreStatus = func() StoreStatus { return StoreStatus{Err: evil} }
	o.Reload = func() error { return fmt.Errorf("line 3: %s", evil) }
	o.Machine.CPU = evil
	e := newExporter(t, o)
	if e.Reload() == nil {
		t.Fatal("reload must fail")
	}
	c := campaign(1, short(), target)
	c.Participants[0].Versions = bench.Versions{Framework: evil, Server: evil, Python: evil}
	c.Machine.CPU = evil
	p := begin(e, c)
	p.round(measured(target, 1, 100))
	p.measure(failed(target, 2, bench.StageLoad, "\x1b[31m"+evil))
	p.Observe(bench.Event{Time: noon(), Campaign: c, Phase: bench.PhaseMeasuring, Round: 2, Target: &target, Detail: evil})
	page := pageOf(e)
	if strings.Contains(page, "<script") || strings.Contains(page, evil) {
		t.Error("something is not escaped")
	}
	if n := strings.Count(text(page), "alert(1)"); n < 8 {
		t.Errorf("only %d of the texts are shown", n)
	}
	if got := ask(e.Handler(), "GET", "/?"+`q=%22%3E%3Cscript%3E`).Body.String(); strings.Contains(got, "<script") {
		t.Error("the query is shown")
	}
	if _, err := e.options.Registry.Gather(); err != nil {
		t.Error(err)
	}
}

// Bytes that are not text do not break a scrape.
func TestLabelsAreText(t *testing.T) {
	o := options()
	o.Targets = []bench.Target{targetOf("a\xffb", "current")}
	e := newExporter(t, o)
	wantValue(t, e, 0, "restbench_responses_total", "framework", "a�b")
}

// Browsers apply the style only if its hash is in the policy.
func TestStyleMatchesPolicy(t *testing.T) {
	e := newExporter(t, options())
	got := ask(e.Handler(), "GET", "/")
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(got.Body.String())
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if policy := got.Header().Get("Content-Security-Policy"); !strings.Contains(policy, want) {
		t.Errorf("%s is not in %s", want, policy)
	}
	if strings.Contains(got.Body.String(), "style=") {
		t.Error("style attributes are not allowed by the policy")
	}
}

// Links are relative, so that a proxy may put the page anywhere.
func TestPageWorksBehindAPrefix(t *testing.T) {
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(pageOf(newExporter(t, options())), -1) {
		if strings.HasPrefix(m[1], "/") || strings.Contains(m[1], "://") {
			t.Errorf("link %s", m[1])
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 89 * time.Second: "89 s", 90 * time.Second: "2 min", 42 * time.Minute: "42 min",
		90 * time.Minute: "1 h 30 min", 3*time.Hour - time.Second: "2 h 59 min", 72 * time.Hour: "3 days",
	} {
		if got := span(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

package exporter

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"restbench/internal/bench"
)

// exposition is everything of restbench's own as text.
func exposition(t testing.TB, e *Exporter) []byte {
	t.Helper()
	families, err := e.options.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "restbench_") && f.GetName() != "restbench_build_info" {
			if _, err := expfmt.MetricFamilyToText(&out, f); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out.Bytes()
}

// rounded writes values with ten digits: the last bits are the processor's.
func rounded(text []byte) []byte {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		space := strings.LastIndexByte(line, ' ')
		if v, err := strconv.ParseFloat(line[space+1:], 64); err == nil && !strings.HasPrefix(line, "#") {
			lines[i] = line[:space+1] + strconv.FormatFloat(v, 'g', 10, 64)
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// The whole page of values. By hand: sanic answers 10000, 11000, 12000 a second,
// so its mean is 11000, its standard deviation 1000, and the interval is
// 4.3027 (t, 2 degrees of freedom) × 1000/√3 = 2484.1 to both sides. flask has a
// tenth of it in each round: the ratio is 10 with no spread.
func TestExposition(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	golden(t, "testdata/finished.prom", rounded(exposition(t, e)))
	want := `
# HELP restbench_requests_per_second Right answers per second, mean over the rounds. Complete rounds of the last finished campaign; while none of this protocol has finished, of the running one.
# TYPE restbench_requests_per_second gauge
restbench_requests_per_second{edition="current",framework="flask",protocol="short",serving="documented",workload="hello"} 1100
restbench_requests_per_second{edition="current",framework="sanic",protocol="short",serving="documented",workload="hello"} 11000
`
	if err := testutil.CollectAndCompare(e, strings.NewReader(want), "restbench_requests_per_second"); err != nil {
		t.Error(err)
	}
	wantValue(t, e, 11000, "restbench_requests_per_second", "framework", "sanic")
	wantValue(t, e, 1000, "restbench_requests_per_second_stddev", "framework", "sanic")
	wantValue(t, e, 10, "restbench_relative_performance", "framework", "sanic")
	wantValue(t, e, 330_000, "restbench_responses_total", "framework", "sanic")
}

func TestExpositionAtStart(t *testing.T) {
	golden(t, "testdata/start.prom", rounded(exposition(t, newExporter(t, options()))))
}

func TestLint(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	problems, err := testutil.GatherAndLint(e.options.Registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// While no campaign has ever finished, complete rounds of the running one are
// shown; later the last finished one, whatever the running one does.
func TestWhichCampaignIsShown(t *testing.T) {
	e := newExporter(t, options())
	p := begin(e, campaign(1, short(), sanic(), flask()))
	p.measure(measured(sanic(), 1, 10_000))
	wantNone(t, e, "restbench_requests_per_second", "framework", "sanic") // no complete round
	wantValue(t, e, 10_000, "restbench_measurement_requests_per_second", "framework", "sanic")
	p.round(measured(flask(), 1, 1000))
	wantValue(t, e, 10_000, "restbench_requests_per_second", "framework", "sanic")
	wantValue(t, e, 1, "restbench_rounds", "framework", "sanic")
	wantNone(t, e, "restbench_requests_per_second_stddev", "framework", "sanic") // n = 1
	p.measure(measured(sanic(), 2, 20_000))
	wantValue(t, e, 10_000, "restbench_requests_per_second", "framework", "sanic")
	p.round(measured(flask(), 2, 1000))
	wantValue(t, e, 15_000, "restbench_requests_per_second", "framework", "sanic")
	p.round(measured(sanic(), 3, 30_000), measured(flask(), 3, 1000))
	p.finish(bench.StateFinished)
	wantValue(t, e, 20_000, "restbench_requests_per_second", "framework", "sanic")

	second := begin(e, campaign(2, short(), sanic(), flask()))
	for round := 1; round <= 3; round++ {
		second.round(measured(sanic(), round, 40_000), measured(flask(), round, 1000))
		wantValue(t, e, 20_000, "restbench_requests_per_second", "framework", "sanic")
	}
	second.finish(bench.StateFinished)
	wantValue(t, e, 40_000, "restbench_requests_per_second", "framework", "sanic")
}

// A campaign that was ended early never replaces a finished one, and one
// without a single number leaves nothing to show and is no success.
func TestStoppedAndEmptyCampaigns(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	p := begin(e, campaign(2, short(), sanic(), flask()))
	p.round(measured(sanic(), 1, 1), measured(flask(), 1, 1))
	p.finish(bench.StateStopped)
	wantValue(t, e, 11_000, "restbench_requests_per_second", "framework", "sanic")

	o := options()
	e = newExporter(t, o)
	p = begin(e, campaign(3, short(), sanic()))
	p.measure(failed(sanic(), 0, bench.StageInstall, "no network"))
	p.Rounds = 3
	p.finish(bench.StateFinished)
	wantNone(t, e, "restbench_requests_per_second", "framework", "sanic")
	wantNone(t, e, "restbench_campaign_last_success_timestamp_seconds")
	wantValue(t, e, 0, "restbench_target_up", "framework", "sanic")
	wantValue(t, e, 1, "restbench_failures_total", "framework", "sanic", "stage", "install")
}

// The base of the last campaign failed: nobody becomes 1 in its place.
func TestFailedBase(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	p := begin(e, campaign(2, short(), sanic(), flask()))
	p.measure(failed(flask(), 0, bench.StageStart, "no module"))
	for round := 1; round <= 3; round++ {
		p.round(measured(sanic(), round, 10_000))
	}
	p.finish(bench.StateFinished)
	wantValue(t, e, 10_000, "restbench_requests_per_second", "framework", "sanic")
	wantNone(t, e, "restbench_relative_performance", "framework", "sanic")
	wantNone(t, e, "restbench_requests_per_second", "framework", "flask")
	wantNone(t, e, "restbench_base_info", "edition", "current")
}

func TestOtherCampaignsAreNotShown(t *testing.T) {
	other := short()
	other.Duration *= 2
	cases := map[string]func(*bench.Campaign){
		"manual":         func(c *bench.Campaign) { c.Kind = bench.KindManual },
		"other protocol": func(c *bench.Campaign) { c.Protocol = other },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			e := newExporter(t, options())
			c := campaign(1, short(), sanic())
			change(&c)
			p := begin(e, c)
			wantValue(t, e, 1, "restbench_campaign_running")
			for round := 1; round <= 3; round++ {
				p.round(measured(sanic(), round, 10_000))
				wantValue(t, e, float64(round), "restbench_campaign_round")
			}
			p.finish(bench.StateFinished)
			wantValue(t, e, 0, "restbench_campaign_running")
			wantNone(t, e, "restbench_requests_per_second", "framework", "sanic")
			wantValue(t, e, 0, "restbench_responses_total", "framework", "sanic")
		})
	}
}

func TestRestart(t *testing.T) {
	c := campaign(7, short(), sanic(), flask())
	c.Rounds, c.State, c.Finished = 3, bench.StateFinished, noon()
	var ms []bench.Measurement
	for round := 1; round <= 3; round++ {
		ms = append(ms, measured(sanic(), round, 10_000), measured(flask(), round, 1000))
	}
	o := options()
	o.History = func() (bench.Campaign, []bench.Measurement, error) { return c, ms, nil }
	e := newExporter(t, o)
	wantValue(t, e, 10_000, "restbench_requests_per_second", "framework", "sanic")
	wantValue(t, e, 1, "restbench_target_up", "framework", "sanic")
	wantValue(t, e, 0, "restbench_responses_total", "framework", "sanic") // counters live with the process
	wantValue(t, e, float64(noon().Unix()), "restbench_campaign_last_success_timestamp_seconds")

	o.Protocol.Connections = 40
	e = newExporter(t, o)
	wantNone(t, e, "restbench_requests_per_second", "framework", "sanic")
	wantNone(t, e, "restbench_target_up", "framework", "sanic")
	wantValue(t, e, float64(noon().Unix()), "restbench_campaign_last_success_timestamp_seconds")
}

func TestReloadOfTargets(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	aiohttp := targetOf("aiohttp", "current")
	e.SetTargets(short(), []bench.Target{sanic(), aiohttp, aiohttp})
	if bytes.Contains(exposition(t, e), []byte(`framework="flask"`)) {
		t.Error("a removed target is still there")
	}
	wantValue(t, e, 330_000, "restbench_responses_total", "framework", "sanic")
	wantValue(t, e, 0, "restbench_responses_total", "framework", "aiohttp")

	if strings.Contains(text(pageOf(e)), "flask 1,100") {
		t.Error("a removed target is still on the page")
	}

	p := begin(e, campaign(2, short(), sanic(), flask())) // a reload in its midst
	p.round(measured(sanic(), 1, 10_000), measured(flask(), 1, 1000))
	e.SetTargets(short(), []bench.Target{sanic()})
	p.round(measured(sanic(), 2, 10_000), measured(flask(), 2, 1000))
	p.round(measured(sanic(), 3, 10_000), measured(flask(), 3, 1000))
	p.finish(bench.StateFinished)
	if got := text(pageOf(e)); strings.Contains(got, "flask 1,000") || !strings.Contains(got, "sanic 10,000") {
		t.Error("a target that was removed during a campaign is shown after it, or the others are not")
	}

	other := short()
	other.Threads = 4
	e.SetTargets(other, []bench.Target{sanic()})
	wantNone(t, e, "restbench_requests_per_second", "framework", "sanic")
	wantValue(t, e, 0, "restbench_responses_total", "framework", "sanic")
}

func TestCounters(t *testing.T) {
	e := newExporter(t, options())
	p := begin(e, campaign(1, short(), sanic(), flask()))
	bad := measured(sanic(), 1, 100)
	bad.Load.Errors = map[bench.ErrorKind]int64{bench.ErrorTimeout: 3, bench.ErrorBody: 4, "unheard": 1, bench.ErrorRead: -1}
	bad.Marks = []bench.Mark{
		{Kind: bench.MarkInvalid, Reason: bench.ReasonErrors}, {Kind: bench.MarkNoisy, Reason: bench.ReasonSteal},
	}
	p.measure(bad, failed(flask(), 1, bench.StageLoad, "died"))
	wantValue(t, e, 1000, "restbench_responses_total", "framework", "sanic")
	wantValue(t, e, 3, "restbench_errors_total", "framework", "sanic", "kind", "timeout")
	wantValue(t, e, 4, "restbench_errors_total", "framework", "sanic", "kind", "body")
	wantValue(t, e, 0, "restbench_errors_total", "framework", "sanic", "kind", "read")
	wantValue(t, e, 1, "restbench_invalid_measurements_total", "framework", "sanic", "reason", "errors")
	wantValue(t, e, 1, "restbench_failures_total", "framework", "flask", "stage", "load")
	wantValue(t, e, 1, "restbench_target_up", "framework", "sanic")
	wantNone(t, e, "restbench_measurement_requests_per_second", "framework", "sanic") // not a valid one
	e.Skipped("running")
	e.Skipped("running")
	e.Skipped("never heard of")
	wantValue(t, e, 2, "restbench_campaign_skipped_total", "reason", "running")
	wantValue(t, e, 0, "restbench_campaign_skipped_total", "reason", "failed")
	wantValue(t, e, 1, "restbench_campaign_skipped_total", "reason", "other")
}

// A server that does not stop was up all the same.
func TestStopFailure(t *testing.T) {
	e := newExporter(t, options())
	p := begin(e, campaign(1, short(), sanic()))
	p.measure(measured(sanic(), 1, 100), failed(sanic(), 0, bench.StageStop, "ignored SIGTERM"))
	wantValue(t, e, 1, "restbench_target_up", "framework", "sanic")
	wantValue(t, e, 1, "restbench_failures_total", "framework", "sanic", "stage", "stop")
}

func series(t testing.TB, e *Exporter) (own, foreign int) {
	t.Helper()
	families, err := e.options.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		n := 0
		for _, m := range f.GetMetric() {
			n++
			if h := m.GetHistogram(); h != nil {
				n += len(h.GetBucket()) + 3 // +Inf, sum, count; the native one is the metric itself
			}
			if s := m.GetSummary(); s != nil {
				n += len(s.GetQuantile()) + 1
			}
		}
		if strings.HasPrefix(f.GetName(), "restbench_") {
			own += n
		} else {
			foreign += n
		}
	}
	return own, foreign
}

func TestSeries(t *testing.T) {
	for _, frameworks := range []int{1, 11} {
		var targets []bench.Target
		for i := range frameworks { // each its own edition: the worst case of base_info
			targets = append(targets, targetOf("f", "e"+string(rune('a'+i))))
		}
		o := options()
		o.Targets = targets
		e := newExporter(t, o)
		e.Handler() // registers the handler's own
		all := slices.Clone(targets)
		for _, name := range bench.Controls() {
			all = append(all, bench.ControlTarget(name))
		}
		for id := range int64(4) { // the host index needs a history
			playAll(e, id+1, all)
		}
		e.SetChanges(allChanges(targets))
		e.SetUpgrades(allUpgrades(targets))
		begin(e, campaign(5, short(), all...)) // one that runs is due
		own, others := series(t, e)
		if want := Series(frameworks) - foreign - slots + len(o.SkipReasons) + 1; own != want {
			t.Errorf("%d targets: %d series of restbench, want %d", frameworks, own, want)
		}
		if others > foreign {
			t.Errorf("%d foreign series, at most %d are announced", others, foreign)
		}
	}
}

func TestSeriesStayConstant(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	want, _ := series(t, e)
	kinds, reasons := bench.ErrorKinds(), bench.InvalidReasons()
	for id := int64(2); id < 169; id++ { // 167 campaigns of 6: 1,002 measurements
		p := begin(e, campaign(id, short(), sanic(), flask()))
		for round := 1; round <= 3; round++ {
			a, b := measured(sanic(), round, 10_000), measured(flask(), round, 1000)
			a.Load.Errors = map[bench.ErrorKind]int64{kinds[int(id)%len(kinds)]: 1}
			if round == 2 {
				b.Marks = []bench.Mark{{Kind: bench.MarkInvalid, Reason: reasons[int(id)%len(reasons)]}}
			}
			p.round(a, b)
		}
		p.finish(bench.StateFinished)
	}
	if got, _ := series(t, e); got != want {
		t.Errorf("%d series after 1,000 measurements, %d before", got, want)
	}
}

// A scrape under way reads the snapshot it began with.
func TestSnapshotsDoNotChange(t *testing.T) {
	e := newExporter(t, options())
	playWhole(e, 1)
	old := *e.now.Load()
	timeouts, running, responses := old.targets[0].errors[bench.ErrorTimeout], old.skipped["running"], old.targets[0].responses
	count, native := old.targets[0].latency.count, len(old.targets[0].latency.native)
	m := measured(sanic(), 1, 10_000)
	m.Load.Errors = map[bench.ErrorKind]int64{bench.ErrorTimeout: 1}
	m.Load.Latency = latencies(7, 77, 777, 7777)
	begin(e, campaign(2, short(), sanic())).measure(m)
	e.Skipped("running")
	if o := old.targets[0]; o.errors[bench.ErrorTimeout] != timeouts || o.responses != responses || old.skipped["running"] != running ||
		o.latency.count != count || len(o.latency.native) != native {
		t.Error("a published snapshot has changed")
	}
	wantValue(t, e, 1, "restbench_errors_total", "framework", "sanic", "kind", "timeout")
}

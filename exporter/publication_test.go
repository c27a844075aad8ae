package exporter

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"restbench/internal/bench"
)

// publication is the targets of both editions, for the page as people see it.
func publication() []bench.Target {
	var targets []bench.Target
	for _, edition := range []string{"2020", "current"} {
		for _, f := range []string{
			"sanic", "aiohttp", "fastapi", "falcon", "bottle", "tornado", "hug", "pyramid", "flask", "eve", "djangorestframework",
		} {
			targets = append(targets, targetOf(f, edition))
		}
	}
	return targets
}

func publicationExporter(t testing.TB) *Exporter {
	o := options()
	o.Targets, o.Protocol = publication(), bench.Classic()
	return newExporter(t, o)
}

// seeded plays a campaign of both editions in which eve fails today.
func seeded(e *Exporter, rounds int, running bool) {
	rates := []float64{13694, 8683, 8701, 3334, 3827, 4775, 3133, 3154, 1261, 1107, 412}
	r := rand.New(rand.NewPCG(1, 2))
	c := campaign(42, bench.Classic(), publication()...)
	for i := range c.Participants {
		c.Participants[i].Versions = bench.Versions{Framework: fmt.Sprintf("%d.%d.1", i%11, i), Server: "Werkzeug development server", Python: "3.13.0"}
		if i < 11 {
			c.Participants[i].Versions.Python = "3.8.18"
		}
	}
	p := begin(e, c)
	p.measure(failed(publication()[20], 0, bench.StageReady, "no right answer within 30 s; last lines of stderr:\nModuleNotFoundError: No module named 'cgi'"))
	for round := 1; round <= rounds; round++ {
		for i, target := range publication() {
			if i == 20 {
				continue
			}
			factor := 1 + float64(i/11)*0.7
			m := measured(target, round, rates[i%11]*factor*(1+0.03*r.NormFloat64()))
			m.Load.Latency = latencies(900, 1400, 1500, 3000, 9000)
			m.Load.Quantiles = map[string]float64{"mean": 20 / m.RequestsPerSecond()}
			if i%11 == 8 {
				m.Server.CPU /= 4
			}
			if i == 3 && round == 2 {
				m.Load.Errors = map[bench.ErrorKind]int64{bench.ErrorTimeout: 12}
				m.Marks = []bench.Mark{{Kind: bench.MarkNoisy, Reason: bench.ReasonSteal}}
			}
			p.measure(m)
		}
		p.round()
	}
	if running {
		m := publication()[0]
		p.measure(measured(m, rounds+1, 13000))
		p.Observe(bench.Event{Time: noon(), Campaign: p.Campaign, Phase: bench.PhaseMeasuring, Round: rounds + 1, Target: &publication()[1]})
		return
	}
	p.finish(bench.StateFinished)
}

func TestPageOfBothEditions(t *testing.T) {
	e := publicationExporter(t)
	seeded(e, 4, true)
	wantText(t, e, "Measuring aiohttp@2020", "Round 5 of 10, 1 of 21 targets done about 21 min left",
		"these are the first 4 of 10 rounds", "Failed in this campaign eve@current ready no right answer", "Edition 2020 sanic")
	if strings.Contains(pageOf(e), `id="failures"`) {
		t.Error("failures are listed twice")
	}
	e = publicationExporter(t)
	seeded(e, 10, false)
	wantText(t, e, "1 failure", "Failures target round stage cause eve@current", "noisy: steal in 1 of 10 rounds", "flask stalled")
	page := pageOf(e)
	if !strings.Contains(page, `id="failures"`) || !strings.Contains(page, `href="#failures"`) {
		t.Error("the failure is not linked")
	}
	if len(page) > 100_000 {
		t.Errorf("%d bytes", len(page))
	}
}

// A scrape of both editions while a campaign runs.
func BenchmarkScrape(b *testing.B) {
	e := publicationExporter(b)
	seeded(e, 3, true)
	for b.Loop() {
		if got := ask(e.Handler(), "GET", "/metrics"); got.Code != http.StatusOK {
			b.Fatal(got.Code)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	e := publicationExporter(b)
	seeded(e, 10, false)
	for b.Loop() {
		if got := ask(e.Handler(), "GET", "/"); got.Code != http.StatusOK {
			b.Fatal(got.Code)
		}
	}
}

// What a campaign's last event costs, beside its 110 s of measuring: the result
// of ten rounds of 22 targets.
func BenchmarkFinish(b *testing.B) {
	for b.Loop() {
		seeded(publicationExporter(b), 10, false)
	}
}

package exporter

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"restbench/internal/bench"
)

// TestScreenshot serves pages to look at until the file named by
// RESTBENCH_PAGES is removed.
func TestScreenshot(t *testing.T) {
	file := os.Getenv("RESTBENCH_PAGES")
	if file == "" {
		t.Skip("for looking at the page: set RESTBENCH_PAGES to a file")
	}
	pages := map[string]func(*Exporter){
		"10331": func(*Exporter) {},
		"10332": func(e *Exporter) { seeded(e, 4, true) },
		"10333": func(e *Exporter) { seeded(e, 10, false) },
	}
	for port, prepare := range pages {
		o := options()
		o.Targets, o.Protocol = publication(), bench.Classic()
		if port == "10332" {
			o.StoreStatus = func() StoreStatus { return StoreStatus{Err: "no space left on device", Pending: 3} }
		}
		e := newExporter(t, o)
		prepare(e)
		serve(t, e, flags("", "127.0.0.1:"+port))
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(file); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

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

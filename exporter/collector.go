package exporter

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"

	"restbench/internal/bench"
	"restbench/internal/report"
)

// foreign is more than the Go runtime, the process and the metrics handler
// expose, with room for newer Go releases; slots is more than there are reasons
// for a skipped campaign.
const (
	foreign = 80
	slots   = 10
)

// Series is how many series a scrape of a daemon with so many targets gives at
// most, native histograms included: what sample_limit must allow.
func Series(targets int) int {
	const (
		rows      = 11                 // gauges that a result has at most once
		state     = 4                  // up, success, newest measurement and its time
		histogram = classicBuckets + 4 // buckets, +Inf, sum, count, native
		infos     = 2                  // target_info, base_info
		responses = 1
		changes   = 2*7 + 4   // of the target, slower and faster: six gauges and an info; learning, three detectable
		fields    = 3 * 7     // slower, faster and same of its field; there are no more fields than targets
		upgrade   = 3 + 4 + 2 // ratio and its interval, verdicts, active and info
		hosts     = 3 * 7     // the same of the machine
		campaign  = 8
		rest      = 1 + 3 + 2 + 2 + 1 // host_info, host_*, config_*, store_*, build_info
	)
	labelled := len(report.Limits()) + len(bench.ErrorKinds()) + len(bench.Stages()) + len(bench.InvalidReasons())
	return targets*(rows+state+histogram+infos+responses+changes+fields+upgrade+labelled) + hosts + campaign + slots + rest + len(bench.Controls()) + foreign
}

func (e *Exporter) register() error {
	for _, c := range []prometheus.Collector{
		e,
		version.NewCollector("restbench", version.WithExtraConstLabels(prometheus.Labels{"version": e.options.Version})),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := e.options.Registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// Describe implements prometheus.Collector.
func (e *Exporter) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range e.metrics.all {
		ch <- desc
	}
}

// Collect implements prometheus.Collector. It reads one snapshot and asks
// nothing that could make it wait.
func (e *Exporter) Collect(ch chan<- prometheus.Metric) {
	now := e.now.Load()
	for _, m := range now.collected {
		ch <- m
	}
	c := &collection{metrics: e.metrics, now: *now}
	c.upgradesActive(e.options.Now())
	c.timestamp(c.next, e.options.Next())
	c.due(e.options)
	c.store(e.options.StoreStatus())
	for _, m := range c.collected {
		ch <- m
	}
}

// collect makes the metrics of a snapshot. That is a good part of a scrape's
// work, and snapshots change between measurements, where scrapes fall into them.
func collect(m *metrics, now snapshot, at time.Time) []prometheus.Metric {
	c := &collection{metrics: m, now: now}
	c.results()
	for _, t := range c.now.targets {
		c.target(t)
	}
	c.infos()
	c.campaigns()
	c.daemon()
	c.changes(at)
	c.upgraded()
	return c.collected
}

// collection is metrics in the making.
type collection struct {
	*metrics
	now       snapshot
	collected []prometheus.Metric
}

func (c *collection) add(m prometheus.Metric) { c.collected = append(c.collected, m) }

func (c *collection) gauge(desc *prometheus.Desc, v float64, labels ...string) {
	c.add(prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...))
}

func (c *collection) counter(desc *prometheus.Desc, v uint64, labels ...string) {
	c.add(prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(v), labels...))
}

// timestamp leaves out what never happened.
func (c *collection) timestamp(desc *prometheus.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		c.gauge(desc, float64(at.UnixMilli())/1000, labels...)
	}
}

func (c *collection) results() {
	if c.now.shown == nil {
		return
	}
	for _, row := range c.now.shown.result.Results {
		if i := find(c.now.targets, row.Target); i >= 0 {
			c.row(row, c.now.targets[i].labels)
		}
	}
	for _, row := range c.now.shown.result.Controls {
		c.gauge(c.controls, row.RequestsPerSecond.Mean, clean(row.Framework)...)
	}
	if index := c.now.shown.index; index != nil {
		c.gauge(c.index, *index)
	}
	if c.now.shown.conditions.known {
		c.gauge(c.steal, c.now.shown.conditions.steal)
		c.gauge(c.pressure, c.now.shown.conditions.pressure)
	}
}

func (c *collection) row(row report.Row, labels []string) {
	for _, m := range c.rows {
		if v := m.of(row); v != nil {
			c.gauge(m.desc, *v, labels...)
		}
	}
	if row.LimitedBy == nil {
		return
	}
	for _, limit := range report.Limits() {
		c.gauge(c.limitedBy, truth(limit == *row.LimitedBy), also(labels, limit)...)
	}
}

func (c *collection) target(t target) {
	if t.tried {
		c.gauge(c.up, truth(t.up), t.labels...)
	}
	if !t.success.IsZero() {
		c.gauge(c.newest, t.newest, t.labels...)
		c.timestamp(c.newestTimestamp, t.started, t.labels...)
		c.timestamp(c.success, t.success, t.labels...)
	}
	c.counter(c.responses, t.responses, t.labels...)
	count(c, c.errors, t.errors, t.labels)
	count(c, c.failures, t.failures, t.labels)
	count(c, c.invalid, t.invalid, t.labels)
	if m, err := t.latency.metric(c.latency, t.labels); err != nil {
		c.add(prometheus.NewInvalidMetric(c.latency, err))
	} else {
		c.add(m)
	}
}

func count[K ~string](c *collection, desc *prometheus.Desc, counts tally[K], labels []string) {
	for _, value := range counts.values() {
		c.counter(desc, counts[value], also(labels, string(value))...)
	}
}

func (c *collection) infos() {
	m := c.now.machine
	c.gauge(c.hostInfo, 1, clean(m.Host, m.CPU, strconv.Itoa(m.Cores), strconv.FormatInt(m.Memory, 10),
		m.Kernel, m.System, m.Arch, m.Virtual, strconv.FormatBool(m.Container))...)
	participants, engine := c.participants()
	for _, t := range c.now.targets {
		i := slices.IndexFunc(participants, func(p bench.Participant) bool { return p.Target == t.name })
		if i >= 0 {
			v := participants[i].Versions
			c.gauge(c.targetInfo, 1, also(t.labels, clean(v.Framework, v.Server, v.Python, engine)...)...)
		}
	}
	c.bases()
}

// participants are those of the shown campaign. Until there is one, they are of
// the running one as soon as its environments are there.
func (c *collection) participants() (participants []bench.Participant, engine string) {
	switch {
	case c.now.shown != nil:
		return c.now.shown.participants, strings.Join(c.now.shown.result.Campaign.Engines, ", ")
	case c.now.live != nil && c.now.feeds(c.now.live.campaign) && c.now.live.round > 0:
		return c.now.live.campaign.Participants, c.now.live.campaign.Protocol.Engine
	}
	return nil, ""
}

// bases names the base of each field of targets once.
func (c *collection) bases() {
	if c.now.shown == nil {
		return
	}
	named := map[bench.Target]bool{}
	for _, row := range c.now.shown.result.Results {
		t := row.Target
		t.Framework = ""
		if row.Base == nil || named[t] || find(c.now.targets, row.Target) < 0 {
			continue
		}
		named[t] = true
		c.gauge(c.baseInfo, 1, clean(t.Edition, t.Serving, t.Workload, c.now.protocol.Label(), *row.Base)...)
	}
}

func (c *collection) campaigns() {
	running, round, planned := false, 0, c.now.protocol.Rounds
	if l := c.now.live; l != nil && l.phase != bench.PhaseWaiting {
		running, planned = true, l.campaign.Protocol.Rounds
		if l.phase == bench.PhaseMeasuring {
			round = l.round
		}
	}
	c.gauge(c.running, truth(running))
	c.gauge(c.round, float64(round))
	c.gauge(c.rounds, float64(planned))
	c.timestamp(c.lastStart, c.now.lastStart)
	c.timestamp(c.lastSuccess, c.now.lastSuccess)
	count(c, c.skipped, c.now.skipped, nil)
}

func (c *collection) daemon() {
	c.gauge(c.reloadOK, truth(c.now.reloadErr == nil))
	c.timestamp(c.reloaded, c.now.reloaded)
}

func (c *collection) store(store StoreStatus) {
	c.counter(c.storeErrors, store.WriteErrors)
	c.gauge(c.storeBytes, float64(store.Bytes))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// also appends to a copy: labels are shared between scrapes.
func also(labels []string, more ...string) []string {
	return slices.Concat(labels, more)
}

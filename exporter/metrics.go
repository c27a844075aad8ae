package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"restbench/internal/report"
)

// Ends of HELP texts: which campaign a value comes from.
const (
	ofCampaign = " Complete rounds of the last finished campaign; while none of this protocol has finished, of the running one."
	ofProcess  = " Since the process started."
)

// metrics describes everything that restbench itself exposes.
type metrics struct {
	all []*prometheus.Desc

	rows            []rowMetric
	limitedBy       *prometheus.Desc
	newest          *prometheus.Desc
	newestTimestamp *prometheus.Desc
	up              *prometheus.Desc
	success         *prometheus.Desc

	latency   *prometheus.Desc
	responses *prometheus.Desc
	errors    *prometheus.Desc
	failures  *prometheus.Desc
	invalid   *prometheus.Desc

	targetInfo, baseInfo, hostInfo *prometheus.Desc

	running, round, rounds       *prometheus.Desc
	lastStart, lastSuccess, next *prometheus.Desc
	successDue, endDue           *prometheus.Desc
	skipped                      *prometheus.Desc
	steal, pressure              *prometheus.Desc
	index, controls              *prometheus.Desc
	reloadOK, reloaded           *prometheus.Desc
	storeErrors, storeBytes      *prometheus.Desc

	changeActive, changeEffect, changeLow, changeHigh *prometheus.Desc
	changeOnset, changeAccepted, changeInfo           *prometheus.Desc
	learning, detectable                              *prometheus.Desc

	upgradeRatio, upgradeLow, upgradeHigh, upgradeVerdict *prometheus.Desc
	upgradeActive, upgradeInfo                            *prometheus.Desc
}

// rowMetric is a gauge that a result has at most once; of is nil where the
// value is undefined.
type rowMetric struct {
	desc *prometheus.Desc
	of   func(report.Row) *float64
}

func newMetrics() *metrics {
	m := &metrics{}
	m.describeResults()
	m.describeTargets()
	m.describeInfos()
	m.describeCampaigns()
	m.describeDaemon()
	m.describeChanges()
	m.describeUpgrades()
	return m
}

func (m *metrics) add(name, help string, labels ...string) *prometheus.Desc {
	desc := prometheus.NewDesc("restbench_"+name, help, labels, nil)
	m.all = append(m.all, desc)
	return desc
}

func (m *metrics) describeResults() {
	for _, metric := range report.Metrics() {
		m.rows = append(m.rows, rowMetric{m.add(metric.Name, metric.Help+ofCampaign, targetLabels()...), metric.Value})
	}
	m.limitedBy = m.add("limited_by", "1 for what limited the target in most rounds, 0 for the others; absent where that cannot be said."+ofCampaign,
		append(targetLabels(), "limit")...)
}

func (m *metrics) describeTargets() {
	labels := func(more ...string) []string { return append(targetLabels(), more...) }
	m.newest = m.add("measurement_requests_per_second", "Right answers per second of the newest single valid measurement.", labels()...)
	m.newestTimestamp = m.add("measurement_timestamp_seconds", "When the newest single valid measurement started, in seconds since 1970.", labels()...)
	m.up = m.add("target_up", "1 when the newest attempt to start, check or measure the target went well, 0 when it failed.", labels()...)
	m.success = m.add("target_last_success_timestamp_seconds", "When the newest valid measurement ended, in seconds since 1970.", labels()...)
	m.latency = m.add("request_duration_seconds",
		"Seconds from sending a request to the end of its answer, under closed-loop load; fed after each valid measurement."+ofProcess, labels()...)
	m.responses = m.add("responses_total", "Right answers in all measurements."+ofProcess, labels()...)
	m.errors = m.add("errors_total", "Requests without a right answer in all measurements, by what was wrong."+ofProcess, labels("kind")...)
	m.failures = m.add("failures_total", "Measurements without a number, by the stage at which the target failed."+ofProcess, labels("stage")...)
	m.invalid = m.add("invalid_measurements_total", "Measurements that were left out of the results, by reason."+ofProcess, labels("reason")...)
}

func (m *metrics) describeInfos() {
	m.targetInfo = m.add("target_info", "Always 1; the versions that the results belong to, by label.",
		append(targetLabels(), "version", "server", "python", "engine")...)
	m.baseInfo = m.add("base_info", "Always 1; the framework that relative performance is relative to, by label.",
		"edition", "serving", "workload", "protocol", "base")
	m.hostInfo = m.add("host_info", "Always 1; the machine, by label.",
		"host", "cpu", "cores", "memory", "kernel", "system", "arch", "virtual", "container")
}

func (m *metrics) describeCampaigns() {
	m.running = m.add("campaign_running", "1 while a campaign runs, 0 otherwise.")
	m.round = m.add("campaign_round", "The round under way, from 1; 0 outside the rounds of a campaign.")
	m.rounds = m.add("campaign_rounds_planned", "Number of rounds of the running campaign, or of the next one while none runs.")
	m.lastStart = m.add("campaign_last_start_timestamp_seconds", "When the newest campaign that is scheduled or confirms one started, in seconds since 1970; absent before the first.")
	m.lastSuccess = m.add("campaign_last_success_timestamp_seconds",
		"When the newest campaign that is scheduled or confirms one finished with at least one valid measurement, in seconds since 1970; absent before the first.")
	m.next = m.add("campaign_next_start_timestamp_seconds", "When the next campaign is planned to start, in seconds since 1970; absent when none is.")
	m.successDue = m.add("campaign_success_due_timestamp_seconds",
		"When there is to be another success at the latest, in seconds since 1970: the second slot of the schedule after the newest one, and as long again as that one took; absent before the first.")
	m.endDue = m.add("campaign_end_due_timestamp_seconds",
		"When the running campaign, of any kind, is to have ended, in seconds since 1970: the second slot of the schedule after its start, and as long again as its rounds take; absent while none runs.")
	m.skipped = m.add("campaign_skipped_total", "Slots of the schedule that brought no campaign, by reason."+ofProcess, "reason")
	m.index = m.add("host_index_ratio", "How fast the machine was, 1 for as fast as in the campaigns before: the median change of all controls and targets."+ofCampaign)
	m.controls = m.add(report.ControlMetric().Name, report.ControlMetric().Help+ofCampaign, "control")
	m.steal = m.add("host_steal_ratio", "Share of processor time that the hypervisor took away during measurements, mean, 0 to 1."+ofCampaign)
	m.pressure = m.add("host_pressure_ratio", "Share of time in which some task waited for a processor during measurements, mean, 0 to 1."+ofCampaign)
}

func (m *metrics) describeDaemon() {
	m.reloadOK = m.add("config_last_reload_successful", "1 when the newest reading of the configuration went well, 0 otherwise.")
	m.reloaded = m.add("config_last_reload_success_timestamp_seconds", "When the configuration was last read successfully, in seconds since 1970.")
	m.storeErrors = m.add("store_write_errors_total", "Writes to the history that failed."+ofProcess)
	m.storeBytes = m.add("store_bytes", "Size of the history on disk in bytes.")
}

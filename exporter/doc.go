// Package exporter is everything of restbench that speaks HTTP: the Prometheus
// collector, the page for people, health, readiness and reload. It is told what
// happens through Observe and shows the newest state; it measures nothing,
// stores nothing and computes no statistic of its own (those come from packages
// report and change).
//
// State is one immutable snapshot that is swapped as a whole. A scrape only
// reads it, so it takes milliseconds while a campaign runs, never waits for one,
// and never sees half of a result.
package exporter

// Package bench is the vocabulary of restbench: the values that flow from the
// catalogue to the reports, with their YAML and JSON names. It holds types and
// the few rules that belong to a single value; it reads, runs and stores
// nothing, and imports nothing of restbench.
package bench

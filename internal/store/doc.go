// Package store keeps the history: campaigns with their participants and raw
// measurements, in one SQLite file. It is the only place with SQL. It derives
// nothing: statistics are computed from what it returns, so that a corrected
// formula corrects all history.
//
// A Store survives what happens to files. Every measurement is a transaction of
// its own with a full sync; a full disk is an error that Writer keeps the value
// through; a damaged file is set aside, never deleted, and what can be read of
// it goes into a new one; a file of a newer restbench is refused.
package store

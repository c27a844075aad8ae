// Package stats is the mathematics of restbench: summaries, ratios and their
// intervals, as pure functions of numbers. It knows no rounds, targets or
// campaigns and does no formatting; what is undefined is absent (nil), never a
// zero or a NaN, so that it cannot be shown by mistake.
//
// Every function says what it assumes. None removes outliers: a disturbed value
// is for its measurer to mark, not for the mathematics to hide.
package stats

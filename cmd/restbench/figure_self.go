//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"restbench/internal/bench"
	"restbench/internal/report"
	"restbench/internal/stats"
)

// selfLive is how many live comparisons the rule asks for.
const selfLive = 40

// self is how often a target seems to differ from itself in comparisons that are
// made now, in the way of restbench compare, of one target after the other.
func (g figureCheck) self(ctx context.Context) (string, error) {
	return g.selfTimes(ctx, selfLive)
}

// selfTimes tells of each comparison that fails, and goes on with the next target.
func (g figureCheck) selfTimes(ctx context.Context, times int) (string, error) {
	targets := g.plan.choice.targets()
	each := g.time / time.Duration(times)
	var ratios []stats.Ratio
	var failed failures
	for i := 0; i < times && ctx.Err() == nil; i++ {
		target := targets[i%len(targets)]
		ratio, err := g.selfOnce(ctx, target.String(), each)
		text := fmt.Sprintf("%s beside itself: %.3f", target, ratio.Estimate)
		switch {
		case err != nil:
			text = failed.add(fmt.Errorf("compare %s with itself: %w", target, err))
		case ratio.CI95 == nil:
			text = fmt.Sprintf("%s: no interval, %s is too short for two starts", target, each)
		default:
			text += fmt.Sprintf(" (%.3f – %.3f)", ratio.CI95.Low, ratio.CI95.High)
			ratios = append(ratios, ratio)
		}
		fmt.Fprintf(g.err, "%d of %d: %s\n", i+1, times, text)
	}
	return selfOf(ratios, failed.of(times, ctx.Err()), times, each)
}

// selfOf is the line about the comparisons that have an interval, whatever the others met.
func selfOf(ratios []stats.Ratio, failed error, times int, each time.Duration) (string, error) {
	if len(ratios) == 0 {
		return "", cmp.Or(failed, fmt.Errorf("no comparison had an interval: %s is too short for one of %d", each, times))
	}
	line, err := selfLine(ratios, fmt.Sprintf("compared live for %s each", each))
	return line, errors.Join(failed, err)
}

// selfParts is how many measurements a live comparison has room for: of either
// side in two rounds of as many starts as may end one.
const selfParts = 2 * 2 * stats.MinStarts

func (g figureCheck) selfOnce(ctx context.Context, name string, length time.Duration) (stats.Ratio, error) {
	var out bytes.Buffer
	quiet := *g.session
	quiet.out, quiet.err = &out, io.Discard
	c := compareCommand{
		session: &quiet, texts: [2]string{name, name}, edition: bench.EditionCurrent, path: "/", length: length,
		threshold: report.CompareThreshold, format: "json",
	}
	// A third goes into warm-ups and starts. Where there is no time for measurements
	// as long as compare's, they are shorter.
	if part := length * 2 / (3 * selfParts); part < bench.Adaptive().Duration {
		c.protocol.duration = given[time.Duration]{max(100*time.Millisecond, part), true}
		c.protocol.warmup = given[time.Duration]{c.protocol.duration.value / 4, true}
	}
	err := c.run(ctx)
	if status, ok := errors.AsType[exit](err); ok && status == exitUnknown {
		err = nil // not known to be the same is no failure
	}
	if err != nil {
		return stats.Ratio{}, err
	}
	var r struct {
		Pairs int
		Speed struct { // what the verdict is about
			Estimate float64
			CI95     *report.Interval
		}
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return stats.Ratio{}, fmt.Errorf("read the comparison: %w", err)
	}
	ratio := stats.Ratio{N: r.Pairs, Estimate: r.Speed.Estimate}
	if ci := r.Speed.CI95; ci != nil {
		ratio.CI95 = &stats.Interval{Low: ci.Low(), High: ci.High()}
	}
	return ratio, nil
}

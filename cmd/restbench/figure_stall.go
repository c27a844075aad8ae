//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"
	"time"

	"restbench/internal/load"
	"restbench/internal/report"
	"restbench/internal/stats"
)

// leastStall is how long a server is asked at the least, by each who asks.
const leastStall = 100 * time.Millisecond

// stall is how long servers wait for acknowledgements: the median answer to a
// client like any other, beside one that acknowledges at once.
func (g figureCheck) stall(ctx context.Context) (string, error) {
	return g.withServers(ctx, func(a *among) (string, error) { return a.stalls(ctx) })
}

// stalls tells of a server that fails, and goes on with the next one.
func (a *among) stalls(ctx context.Context) (string, error) {
	each := max(leastStall, a.time/time.Duration(3*len(a.all)))
	var all []report.Stall
	var failed failures
	for i := 0; i < len(a.all) && ctx.Err() == nil; i++ {
		one, err := a.stallOf(ctx, a.all[i], each)
		if err != nil {
			fmt.Fprintln(a.err, failed.add(fmt.Errorf("%s: %w", a.all[i].target, err)))
			continue
		}
		fmt.Fprintln(a.err, one)
		all = append(all, one)
	}
	err := failed.of(len(a.all), ctx.Err())
	if len(all) == 0 {
		return "", err
	}
	return report.StallLine(all), err
}

func (a *among) stallOf(ctx context.Context, s served, each time.Duration) (report.Stall, error) {
	one := report.Stall{Target: s.target.String()}
	m, err := a.measure(ctx, s, each, a.plan.pinning.Client)
	if err != nil {
		return one, err
	}
	one.Loaded = time.Duration(m.Load.Quantiles["p50"] * float64(time.Second))
	one.CPU = m.Server.CPU.Seconds() / m.Load.Duration.Seconds()
	if one.Single, err = a.single(ctx, s, false, each); err != nil {
		return one, err
	}
	one.Swift, err = a.single(ctx, s, true, each)
	return one, err
}

// firstAnswers of a connection are left out: the kernel acknowledges its first 16
// segments at once by itself.
const firstAnswers = 20

// single is the median answer to a single client.
func (a *among) single(ctx context.Context, s served, atOnce bool, each time.Duration) (time.Duration, error) {
	times, err := load.AnswerTimes(ctx, s.server.Address(), s.workload, atOnce, each)
	if err != nil {
		return 0, err
	}
	times = times[min(firstAnswers, len(times)-1):]
	seconds := make([]float64, len(times))
	for i, t := range times {
		seconds[i] = t.Seconds()
	}
	return time.Duration(stats.Median(seconds) * float64(time.Second)), nil
}

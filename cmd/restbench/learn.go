//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"

	"restbench/internal/bench"
	"restbench/internal/config"
	"restbench/internal/load"
	"restbench/scheduler"
)

// ownWorkload is what the configuration says of an own target; where that leaves the
// body out and learner has nothing to ask, the body is empty.
func ownWorkload(t config.Target) bench.Workload {
	w := bench.Workload{Request: t.Request, Expect: bench.Expect{Status: t.Expect.Status, ContentType: t.Expect.ContentType}}
	if t.Expect.Body != nil {
		w.Expect.Body = *t.Expect.Body
	}
	return w
}

// learner finds out what an own target answers; nil where the configuration says it.
// Answers from 400 on are not learned: nobody wants to know how fast a server fails.
func learner(t config.Target) scheduler.Learner {
	if t.Expect.Body != nil || t.Expect.Status >= 400 {
		return nil
	}
	return func(ctx context.Context, address string) (scheduler.Learned, error) {
		got, err := load.Learn(ctx, address, t.Request)
		if err != nil {
			return scheduler.Learned{}, err
		}
		learned := learnedOf(t, got)
		return learned, load.Verify(ctx, address, learned.Workload)
	}
}

// learnedOf joins what the server answered with what the configuration says of that.
func learnedOf(t config.Target, got bench.Expect) scheduler.Learned {
	l := scheduler.Learned{
		Workload: bench.Workload{Request: t.Request, Expect: got},
		Detail:   fmt.Sprintf("%s answers, and must from now on: %s", ownTarget(t), answerText(got)),
	}
	if t.Expect.ContentType != "" {
		l.Workload.Expect.ContentType = t.Expect.ContentType
	}
	if got.Status != 0 {
		l.Workload.Expect.Status = t.Expect.Status
		return l
	}
	l.Detail = fmt.Sprintf("%s does not answer the same twice, or more than can be compared: only a status below 400 is asked for", ownTarget(t))
	l.Marks = []bench.Mark{{Kind: bench.MarkNote, Reason: bench.ReasonAnswerVaries, Detail: "only a status below 400 was asked for"}}
	return l
}

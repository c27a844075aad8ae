package load

import (
	"context"
	"fmt"
	"time"

	"restbench/internal/bench"
)

// learnMost is the longest body that is learned.
const learnMost = 1 << 20

// learnPause is between the two questions: an answer that tells the time in whole
// seconds differs then.
const learnPause = 1100 * time.Millisecond

// Learn asks a server twice, a second apart, and returns its answer as the one to expect, for a
// server of which nothing else is known. One whose answers differ, or are too
// long, can only be expected to answer with a status below 400. An answer from
// 400 on is an error: nobody wants to know how fast a server fails.
func Learn(ctx context.Context, address string, request bench.Request) (bench.Expect, error) {
	at, err := loopback(address)
	if err != nil {
		return bench.Expect{}, err
	}
	text, err := requestBytes(address, request)
	if err != nil {
		return bench.Expect{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout+learnPause)
	defer cancel()
	var answers [2]bench.Expect
	for i := range answers {
		if i > 0 && !pause(ctx, learnPause) {
			return bench.Expect{}, ctx.Err()
		}
		if answers[i], err = learnOne(ctx, at.String(), text); err != nil {
			return bench.Expect{}, fmt.Errorf("%s http://%s%s: %w", methodOf(request), address, pathOf(request), err)
		}
	}
	if answers[0] != answers[1] {
		return bench.Expect{}, nil
	}
	return answers[0], nil
}

// pause reports whether it was a whole one.
func pause(ctx context.Context, length time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(length):
		return true
	}
}

// learnOne gives the zero answer where the body is too long.
func learnOne(ctx context.Context, address string, request []byte) (bench.Expect, error) {
	p, err := askFor(ctx, address, request, &parser{sample: learnMost})
	switch {
	case err != nil:
		return bench.Expect{}, err
	case p.status >= 400:
		return bench.Expect{}, fmt.Errorf("status %d; body %s", p.status, quote(p.body))
	case p.length > learnMost:
		return bench.Expect{}, nil
	}
	return bench.Expect{Status: p.status, ContentType: p.contentType, Body: string(p.body)}, nil
}

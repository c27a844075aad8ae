package scheduler

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
)

// learning makes b a target of which nobody knows the answer, and returns what was
// asked of it: "learn" or the body that it must answer.
func learning(w *world, answers ...string) *[]string {
	asked := &[]string{}
	w.request.Entrants[1].Learn = func(context.Context, string) (Learned, error) {
		*asked = append(*asked, "learn")
		body := answers[0]
		answers = answers[1:]
		if body == "" {
			return Learned{}, errors.New("not yet")
		}
		return Learned{
			Workload: bench.Workload{Expect: bench.Expect{Status: 200, Body: body}}, Detail: "b answers " + body,
			Marks: []bench.Mark{{Kind: bench.MarkNote, Reason: bench.ReasonAnswerVaries}},
		}, nil
	}
	w.Verify = func(_ context.Context, address string, w bench.Workload) error {
		if address == "b" {
			*asked = append(*asked, w.Expect.Body)
		}
		return nil
	}
	return asked
}

// An answer is learned once a campaign: a server that is started anew must give the
// same one.
func TestAnAnswerIsLearnedOnceACampaign(t *testing.T) {
	w := newWorld("a", "b")
	asked := learning(w, "x", "y")
	w.request.Protocol.Restart = 1
	var loaded []string
	load := w.engine
	w.engine = func(ctx context.Context, p bench.Plan) (bench.Load, error) {
		if p.Address == "b" {
			loaded = append(loaded, p.Workload.Expect.Body)
		}
		return load(ctx, p)
	}
	done, err := w.run(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"learn", "x", "x"}, *asked); diff != "" {
		t.Errorf("asked of b (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"x", "x"}, loaded); diff != "" {
		t.Errorf("expected by the engine (-want +got):\n%s", diff)
	}
	if marks := done.Participants[1].Marks; len(marks) != 1 || marks[0].Reason != bench.ReasonAnswerVaries {
		t.Errorf("b is marked with %v", marks)
	}
	if !slices.ContainsFunc(w.events, func(e bench.Event) bool { return e.Detail == "b answers x" }) {
		t.Error("nobody was told what was learned")
	}
	if _, err := w.run(t); err != nil || (*asked)[3] != "learn" {
		t.Errorf("the next campaign asked %v of b, error %v", (*asked)[3:], err)
	}
}

func TestATargetWhoseAnswerIsNotLearnedIsNotReady(t *testing.T) {
	w := newWorld("a", "b")
	learning(w, "")
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b0 ready: not yet", "a1", "a2"}, w.numbers()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

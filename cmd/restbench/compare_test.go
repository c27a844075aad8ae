//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// quickly are short measurements. Flags that are given go before them.
func quickly(state string, flags ...string) []string {
	all := flags
	for _, flag := range []string{"--time=30s", "--threshold=20%", "--restart=0", "--format=json"} {
		name, _, _ := strings.Cut(flag, "=")
		if !slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, name+"=") }) {
			all = append(all, flag)
		}
	}
	return append(all, "--storage.path="+state, "-d", "200ms", "--warmup=0s", "-t", "1", "-c", "4")
}

// serverCommand is a server of the test's own as a command line.
func serverCommand(t *testing.T, words ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append([]string{"'" + self + "'", "__server", "{port}"}, words...), " ")
}

// compared is what compare prints as JSON.
type compared struct {
	Campaign struct {
		ID       int64
		Kind     string
		State    string
		Rounds   int
		Seed     uint64
		Protocol struct{ Name, Order string }
	}
	Ratio struct {
		Estimate *float64
		CI95     *[2]float64
	}
	Verdict   string
	Threshold float64
	Pairs     int
	Starts    int
	A, B      *struct {
		Target  string
		Version *string
		Latency map[string]float64 `json:"latency_seconds"`
		CPU     *float64           `json:"server_cpu_seconds_per_request"`
		Memory  *float64           `json:"server_memory_bytes"`
	}
	Packages []struct {
		Package string
		A, B    *string
	}
	Failures []struct{ Target, Stage, Cause string }
}

func compare(t *testing.T, args ...string) (compared, outcome) {
	t.Helper()
	got := restbench(t.Context(), t, append([]string{"compare"}, args...)...)
	var c compared
	if err := json.Unmarshal([]byte(got.out), &c); err != nil {
		t.Fatalf("compare: %v: %+v", err, got)
	}
	return c, got
}

// A server that takes 20 ms for an answer is compared with one that takes 50 ms:
// how many times slower that is, a clock decides and no processor.
func TestCompareCallsTheSlowerOneSlower(t *testing.T) {
	state := isolated(t)
	quick, slow := serverCommand(t, "delay=20ms"), serverCommand(t, "delay=50ms")
	c, got := compare(t, quickly(state, quick, slow, "--seed=7", "--fail-if-slower")...)
	if c.Verdict != "slower" || got.code != exitFailed || !strings.Contains(got.err, "is slower than") {
		t.Fatalf("verdict %q, exit code %d, stderr %s", c.Verdict, got.code, got.err)
	}
	if r := *c.Ratio.Estimate; r < 0.3 || r > 0.7 || c.Ratio.CI95[0] > r || c.Ratio.CI95[1] < r {
		t.Errorf("ratio is %v %v, want about 0.4", r, *c.Ratio.CI95)
	}
	if c.Campaign.Kind != "compare" || c.Campaign.Seed != 7 || c.Campaign.Protocol.Order != "shuffled" || c.Campaign.State != "finished" {
		t.Errorf("campaign is %+v", c.Campaign)
	}
	if c.Pairs < 2 || c.Starts != c.Pairs {
		t.Errorf("%d pairs of %d starts, want as many", c.Pairs, c.Starts)
	}
	if c.B.Latency["p50"] <= c.A.Latency["p50"] || c.A.CPU == nil || c.B.Memory == nil {
		t.Errorf("sides are %+v and %+v", *c.A, *c.B)
	}
	list := restbench(t.Context(), t, "report", "--storage.path="+state, "--list")
	if !strings.Contains(list.out, "compare  finished") {
		t.Errorf("the history holds\n%s", list.out)
	}

	again := restbench(t.Context(), t, "report", "--storage.path="+state, "--format=json")
	if again.out != got.out {
		t.Errorf("from the history it is\n%s\nand was\n%s", again.out, got.out)
	}

	c, got = compare(t, quickly(state, slow, quick, "--fail-if-slower")...)
	if c.Verdict != "faster" || got.code != exitDone {
		t.Errorf("the other way round: verdict %q, exit code %d, stderr %s", c.Verdict, got.code, got.err)
	}
	c, got = compare(t, quickly(state, quick, slow)...)
	if c.Verdict != "slower" || got.code != exitDone {
		t.Errorf("not asked to fail: verdict %q, exit code %d, stderr %s", c.Verdict, got.code, got.err)
	}
}

func TestCompareCallsTheSameSame(t *testing.T) {
	command := serverCommand(t, "delay=20ms")
	c, got := compare(t, quickly(isolated(t), command, command, "--threshold=40%", "--restart=2", "--time=30s")...)
	if c.Verdict != "same" || got.code != exitDone || c.Threshold != 0.4 {
		t.Errorf("verdict %q, exit code %d, ratio %v %v, stderr %s", c.Verdict, got.code, c.Ratio.Estimate, c.Ratio.CI95, got.err)
	}
	if c.A.Target == c.B.Target {
		t.Errorf("both are called %s", c.A.Target)
	}
}

// One round is no interval: nothing is known, and 3 says so.
func TestCompareDoesNotKnowFromOneRound(t *testing.T) {
	quick, slow := serverCommand(t, "delay=20ms"), serverCommand(t, "delay=50ms")
	c, got := compare(t, quickly(isolated(t), quick, slow, "--time=300ms", "--fail-if-slower=5%")...)
	if c.Verdict != "unknown" || got.code != exitUnknown || c.Ratio.CI95 != nil || c.Pairs != 1 {
		t.Errorf("verdict %q, exit code %d, %+v, %d pairs", c.Verdict, got.code, c.Ratio, c.Pairs)
	}
}

// A server whose answers go wrong has no number, however quick they are.
func TestCompareTakesNoWrongAnswers(t *testing.T) {
	right, wrong := serverCommand(t), serverCommand(t, "wrong-after=3")
	c, got := compare(t, quickly(isolated(t), right, wrong)...)
	if got.code != exitFailed || c.Ratio.Estimate != nil || c.B != nil || c.A == nil || c.Verdict != "unknown" {
		t.Errorf("exit code %d, %+v", got.code, c)
	}
	if !strings.Contains(got.err, "no verdict") || !strings.Contains(got.err, `oops`) {
		t.Errorf("stderr is %s", got.err)
	}
}

// A server that takes longer for an answer than a measurement lasts has no number,
// and which flag helps is said.
func TestCompareWithAServerThatIsTooSlow(t *testing.T) {
	c, got := compare(t, quickly(isolated(t), serverCommand(t), serverCommand(t, "delay=400ms"))...)
	if got.code != exitFailed || c.B != nil || !strings.Contains(got.err, "no answer comes within 200ms: a longer --duration") {
		t.Errorf("exit code %d, %+v, stderr %s", got.code, c, got.err)
	}
}

// Help names no default that is another command's.
func TestHelpOfACommandNamesItsOwnDefaults(t *testing.T) {
	for command, flags := range map[string][]string{"run": {"duration", "warmup", "limit"}, "compare": {"duration", "warmup"}} {
		got := restbench(t.Context(), t, command, "--help")
		for _, flag := range flags {
			if all := got.out + got.err; !strings.Contains(all, "--"+flag+"=DURATION") {
				t.Errorf("%s --%s names a default:\n%s", command, flag, all)
			}
		}
	}
}

// A body that is expected is expected of both.
func TestCompareExpects(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, testAnswer) }))
	defer server.Close()
	got := restbench(t.Context(), t, append([]string{"compare"}, quickly(isolated(t), server.URL, server.URL, "--expect=ping")...)...)
	if got.code != exitFailed || !strings.Contains(got.err, `want "ping"`) {
		t.Errorf("got %+v", got)
	}
}

// A server that somebody else has started is measured where it is and left alone.
func TestCompareWithAServerThatRuns(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		asked = r.URL.String()
		fmt.Fprint(w, "another answer")
	}))
	defer server.Close()
	c, got := compare(t, quickly(isolated(t), server.URL+"/x?y=z", serverCommand(t, "delay=50ms"))...)
	if c.Verdict != "slower" || got.code != exitDone || c.A.CPU != nil || asked != "/x?y=z" {
		t.Errorf("verdict %q, exit code %d, a %+v, asked for %s", c.Verdict, got.code, c.A, asked)
	}
	if !strings.Contains(got.err, "answer differently") {
		t.Errorf("stderr does not tell of the other answer: %s", got.err)
	}
	if _, err := http.Get(server.URL); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// The user's own targets take part by their names, each with its expectation.
func TestCompareOwnTargetsInEveryFormat(t *testing.T) {
	state, config := isolated(t), ownTargets(t, "alpha", "beta")
	for format, want := range map[string]string{
		"table": "B ÷ A", "markdown": "| requests/s |", "csv": "verdict,signal\n", "json": `"verdict"`,
	} {
		args := quickly(state, "compare", "alpha", "beta@own", "--config.file="+config, "--time=500ms", "--format="+format)
		got := restbench(t.Context(), t, args...)
		if !strings.Contains(got.out, want) || !strings.Contains(got.out, "alpha") || !strings.Contains(got.out, "beta") ||
			got.code != exitDone && got.code != exitUnknown {
			t.Errorf("--format=%s: %+v", format, got)
		}
	}
	text := read(t, config)
	checkOwnTargetsDiffer(t, state, text)
	at := strings.LastIndex(text, testAnswer)
	rewrite(t, config, text[:at]+"ping"+text[at+len(testAnswer):])
	briefly, cancel := context.WithTimeout(t.Context(), 4*time.Second) // a server that answers wrongly gets a minute to become ready
	defer cancel()
	got := restbench(briefly, t, quickly(state, "compare", "alpha", "beta", "--config.file="+config, "--time=500ms")...)
	if got.code != exitFailed || !strings.Contains(got.err, "interrupted before anything was measured") {
		t.Errorf("beta answers what was not expected: %+v", got)
	}
}

// A comparison that is interrupted shows what it has and leaves nothing behind.
func TestInterruptedCompareShowsWhatThereIs(t *testing.T) {
	state := isolated(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	progress := &syncBuffer{}
	ended := make(chan int)
	args := quickly(state, "compare", serverCommand(t, "delay=20ms"), serverCommand(t, "delay=50ms"), "--time=1h", "--threshold=0.1%")
	go func() {
		ended <- execute(ctx, args, streams{strings.NewReader(""), &out, progress})
	}()
	eventually(t, time.Minute, "two rounds are done", func() bool { return strings.Contains(progress.String(), "round 2 of") })
	cancel()
	code := <-ended
	var c compared
	if err := json.Unmarshal(out.Bytes(), &c); err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, out.String())
	}
	if c.Campaign.State != "stopped" || c.Ratio.Estimate == nil {
		t.Errorf("exit code %d, %+v", code, c)
	}
	left, err := os.ReadDir(filepath.Join(state, "run"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("left behind: %s", entry.Name())
	}
}

func TestCompareIsToldWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		args []string
		code int
		want []string
	}{
		"one target":           {[]string{"sanic"}, 2, []string{"b"}},
		"unknown framework":    {[]string{"flusk==1", "flask"}, 2, []string{"flusk", "did you mean flask"}},
		"unknown edition":      {[]string{"flask@1999", "flask"}, 2, []string{"1999", "2020"}},
		"edition for releases": {[]string{"flask==1", "flask", "--edition=1999"}, 2, []string{"1999"}},
		"no target":            {[]string{"flask", "==1"}, 2, []string{`"==1"`, "must be like"}},
		"path alone":           {[]string{"flask", "./flask"}, 2, []string{"which framework"}},
		"command without port": {[]string{"flask", "python ./app.py"}, 2, []string{"{port}"}},
		"no path":              {[]string{"/bin/serve {port}", "flask", "--path=/a b"}, 2, []string{"--path", `"/a b"`}},
		"another machine":      {[]string{"http://192.0.2.1/", "flask"}, 2, []string{"192.0.2.1", "loopback"}},
		"another protocol":     {[]string{"https://127.0.0.1/", "flask"}, 2, []string{"http://127.0.0.1:PORT/PATH"}},
		"share":                {[]string{"flask", "flask", "--threshold=5"}, 2, []string{`"5"`, "5%"}},
		"negative share":       {[]string{"flask", "flask", "--fail-if-slower=-5%"}, 2, []string{"-5%"}},
		"no day":               {[]string{"flask", "flask", "--exclude-newer=2020"}, 2, []string{`"2020"`, "2006-01-02"}},
		"no time":              {[]string{"flask", "flask", "--time=0s"}, 2, []string{"--time=0s"}},
		"too much time":        {[]string{"flask", "flask", "--time=7h"}, 2, []string{"--time=7h", "--duration", "10000"}},
		"duration":             {[]string{"flask", "flask", "--time=7h", "--duration=1ms"}, 2, []string{"protocol: duration is 1ms"}},
		"engine":               {[]string{"flask", "flask", "--engine=ab"}, 2, []string{`engine is "ab"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"compare", "--storage.path=" + isolated(t)}, test.args...)
			checkOneLine(t, restbench(t.Context(), t, args...), test.code, test.want)
		})
	}
}

// What cannot take part ends the comparison at once, with its cause.
func TestCompareNeedsBoth(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, test := range map[string]struct{ target, want string }{
		"no such program":  {"/nowhere/server {port}", "/nowhere/server"},
		"ends at once":     {"/bin/sh -c 'echo broken >&2; exit 4 # {port}'", "broken"},
		"nobody listens":   {gone.URL, "refused"},
		"answers an error": {gone.URL + "/x", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			c, got := compare(t, quickly(isolated(t), serverCommand(t), test.target, "--time=1h")...)
			if got.code != exitFailed || c.Verdict != "unknown" || len(c.Failures) == 0 || c.Campaign.Rounds > 0 {
				t.Errorf("exit code %d after %s, %+v", got.code, time.Since(begun), c)
			}
			last := lastLine(got.err)
			if !strings.HasPrefix(last, "restbench: ") || !strings.Contains(last, test.want) || strings.Count(got.err, test.want) > strings.Count(last, test.want) {
				t.Errorf("stderr is %s", got.err)
			}
		})
	}
}

// checkOwnTargetsDiffer compares own targets of which the file does not say what they
// answer: with each other, and with a command that answers as the first one does.
func checkOwnTargetsDiffer(t *testing.T, state, text string) {
	t.Helper()
	text = strings.ReplaceAll(text, ", body: "+testAnswer, "")
	at := strings.LastIndex(text, "'{port}'") + len("'{port}'")
	file := writeFile(t, "differ.yml", text[:at]+", vary=1"+text[at:])
	for sides, want := range map[[2]string]bool{
		{"alpha", "beta"}: true, {serverCommand(t), "beta"}: true, {"alpha", serverCommand(t)}: false,
	} {
		got := restbench(t.Context(), t, quickly(state, "compare", sides[0], sides[1], "--config.file="+file, "--time=500ms")...)
		if strings.Contains(got.err, "answer differently") != want {
			t.Errorf("%s, want a note %t: %s", sides, want, got.err)
		}
	}
}

package load

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/bench"
	"restbench/internal/need"
)

// wrkPlan is the shortest that wrk can do.
func wrkPlan(address string, want bench.Expect) bench.Plan {
	plan := planFor(address, want)
	plan.Duration = time.Second
	return plan
}

func runWrk(t *testing.T, plan bench.Plan) bench.Load {
	t.Helper()
	load, err := Wrk{Runner: execRunner{}, Path: need.Program(t, "wrk", "wrk")}.Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", load)
	return load
}

func TestWrk(t *testing.T) {
	s := serve(t, text(goodAnswer, true))
	load := runWrk(t, wrkPlan(s.address, hello))
	checkClean(t, load)
	checkServed(t, s, load)
	if !strings.HasPrefix(load.Engine, "wrk ") || !load.BodyUnchecked || !load.LatencyCorrected || load.Latency != nil {
		t.Errorf("got %+v", load)
	}
	if load.Duration < time.Second || load.ClientCPU <= 0 || load.Bytes < load.Requests*int64(len(goodAnswer)) {
		t.Errorf("got %+v", load)
	}
	if q := load.Quantiles; q["p50"] <= 0 || q["p50"] > q["p99.9"] || q["p99.9"] > 1 || len(q) != 5 {
		t.Errorf("quantiles %v", q)
	}
}

func TestWrkNeverCountsStatusErrors(t *testing.T) {
	s := serve(t, func(c net.Conn, n int64) bool {
		if n%2 == 0 {
			return text("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", true)(c, n)
		}
		return text(goodAnswer, true)(c, n)
	})
	load := runWrk(t, wrkPlan(s.address, hello))
	if d := load.Requests - load.Errors[bench.ErrorStatus]; load.Requests == 0 || d < -8 || d > 8 {
		t.Errorf("%d requests, errors %v, want as many of one as of the other", load.Requests, load.Errors)
	}
	checkServed(t, s, load)
}

// wrk counts a read error for each answer that ends with its connection; they are
// not passed on. See realReadErrors.
func TestWrkAnswersThatEndWithTheirConnection(t *testing.T) {
	s := serve(t, text("HTTP/1.0 200 OK\r\n\r\nhello", false))
	checkClean(t, runWrk(t, wrkPlan(s.address, hello)))
}

// The same with the server that made the rule necessary.
func TestWrkAndWsgiref(t *testing.T) {
	python := need.Program(t, "python3", "python3")
	load := runWrk(t, wrkPlan(wsgiref(t, python), hello))
	if load.Requests < 100 || load.Errors[bench.ErrorRead] > load.Requests/2 {
		t.Errorf("%d requests, errors %v", load.Requests, load.Errors)
	}
}

const wsgirefServer = `
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments): pass
WSGIServer.request_queue_size = 64 # the default of 5 drops connections
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return iter([b"hel", b"lo"]) # without a length
server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
`

// wsgiref starts Python's own server with an answer that ends with its connection.
func wsgiref(t *testing.T, python string) (address string) {
	t.Helper()
	cmd := exec.Command(python, "-c", wsgirefServer)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strings.TrimSpace(port)
}

// Both engines send the same bytes.
func TestEnginesSendTheSameRequest(t *testing.T) {
	request := bench.Request{Method: "POST", Path: "/a?b=c", Headers: map[string]string{"X-One": `it's "1"`, "Host": "example"}}
	if diff := cmp.Diff(sent(t, request, runWrk), sent(t, request, run)); diff != "" {
		t.Errorf("(-wrk +native):\n%s", diff)
	}
}

func TestWrkSendsOneHost(t *testing.T) {
	request := bench.Request{Headers: map[string]string{"host": "example"}}
	if got, want := sent(t, request, runWrk), "GET / HTTP/1.1\nHost: example\n"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// sent is the first request that an engine sends.
func sent(t *testing.T, request bench.Request, engine func(*testing.T, bench.Plan) bench.Load) string {
	t.Helper()
	requests := make(chan string, 1)
	listener := listen(t)
	go func() {
		for c, err := listener.Accept(); err == nil; c, err = listener.Accept() {
			go func() {
				defer c.Close()
				all, from := "", bufio.NewReader(c)
				for !strings.HasSuffix(all, "\r\n\r\n") {
					line, err := from.ReadString('\n')
					if err != nil {
						return
					}
					all += line
				}
				select {
				case requests <- all:
				default:
				}
			}()
		}
	}()
	plan := wrkPlan(listener.Addr().String(), hello)
	plan.Workload.Request = request
	engine(t, plan)
	return sortLines(<-requests)
}

// sortLines makes the order of headers equal: wrk's is random.
func sortLines(request string) string {
	first, headers, _ := strings.Cut(request, "\r\n")
	lines := strings.Split(strings.TrimSuffix(headers, "\r\n\r\n"), "\r\n")
	if len(lines) == 2 && lines[0] > lines[1] {
		lines[0], lines[1] = lines[1], lines[0]
	}
	return first + "\n" + strings.Join(lines, "\n") + "\n"
}

// With any other hook wrk would leave its fast path.
func TestWrkScriptDefinesDoneOnly(t *testing.T) {
	if n := strings.Count(wrkScript, "\nfunction "); n != 1 || !strings.Contains(wrkScript, "\nfunction done(") {
		t.Errorf("the script defines %d functions, want done alone", n)
	}
}

func TestWrkVersion(t *testing.T) {
	for text, want := range map[string]string{
		"wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer\nUsage: wrk 9.9.9": "4.1.0",
		"wrk 4.2.0 [epoll] Copyright":   "4.2.0",
		"wrk a211dd5 [epoll] Copyright": "a211dd5",
		"":                              "of unknown version",
		"no such file":                  "of unknown version",
	} {
		if got := wrkVersion([]byte(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestWrkReport(t *testing.T) {
	const whole = `{"restbench":1,"requests":1000,"duration":1000000,"bytes":5,"connect":0,"read":%,"write":0,"status":10,"timeout":3,"p50":1,"p90":2,"p99":3,"p999":4,"mean":1}`
	for _, c := range []struct {
		name, output, want string
		errors             map[bench.ErrorKind]int64
	}{
		{"whole", "Running 1s test\n\n" + strings.Replace(whole, "%", "7", 1) + "\n", "",
			map[bench.ErrorKind]int64{bench.ErrorRead: 7, bench.ErrorStatus: 10, bench.ErrorTimeout: 3}},
		{"a read error an answer", "\n" + strings.Replace(whole, "%", "996", 1), "",
			map[bench.ErrorKind]int64{bench.ErrorStatus: 10, bench.ErrorTimeout: 3}},
		{"none", "Running 1s test", `there is none: "Running 1s test"`, nil},
		{"empty", "", "there is none: no output", nil},
		{"torn", "\n" + whole[:40], "read wrk's report: ", nil},
		{"of no duration", "\n{\"restbench\":1}", "it is incomplete", nil},
		{"no numbers", "\n" + `{"restbench":1,"requests":nan}`, "invalid character", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			load, err := readWrk([]byte(c.output), wrkPlan("127.0.0.1:80", hello))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want …%s…", err, c.want)
			}
			if diff := cmp.Diff(c.errors, load.Errors); err == nil && (diff != "" || load.Requests != 987) {
				t.Errorf("%d requests, errors %s", load.Requests, diff)
			}
		})
	}
}

func TestWrkRefusals(t *testing.T) {
	plan := wrkPlan("127.0.0.1:80", bench.Expect{Status: 404})
	if _, err := (Wrk{}).Run(t.Context(), plan); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
	plan = planFor("127.0.0.1:80", hello)
	if _, err := (Wrk{}).Run(t.Context(), plan); err == nil || !strings.Contains(err.Error(), "whole seconds") {
		t.Errorf("got %v", err)
	}
}

func TestWrkNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Wrk{}.Run(t.Context(), wrkPlan("127.0.0.1:80", hello))
	if err == nil || !strings.Contains(err.Error(), "wrk is not installed: install the package wrk") {
		t.Errorf("got %v", err)
	}
}

func TestWrkLeavesNoScript(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	script := ""
	w := Wrk{Path: "/x/wrk", Runner: fakeRunner(func(_ context.Context, c bench.Command) (bench.Output, error) {
		for i, argument := range c.Argv {
			if argument == "--script" {
				text, err := os.ReadFile(c.Argv[i+1])
				if err != nil {
					t.Error(err)
				}
				script = string(text)
			}
		}
		return bench.Output{}, nil
	})}
	if _, err := w.Run(t.Context(), wrkPlan("127.0.0.1:80", hello)); err == nil {
		t.Error("no report is no error")
	}
	if !strings.HasPrefix(script, "wrk.method = \"GET\"\n") {
		t.Errorf("script: %s", script)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

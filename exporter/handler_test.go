package exporter

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"restbench/internal/bench"
	"restbench/internal/need"
)

// ask sends one request to a handler.
func ask(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	return recorder
}

func TestMethodsAndStatuses(t *testing.T) {
	reloads := 0
	o := options()
	o.Reload = func() error { reloads++; return nil }
	closed := newExporter(t, o)
	o.EnableLifecycle = true
	open := newExporter(t, o)
	cases := []struct {
		exporter     *Exporter
		method, path string
		status       int
	}{
		{closed, "GET", "/", 200},
		{closed, "HEAD", "/", 200},
		{closed, "POST", "/", 405},
		{closed, "GET", "/metrics", 200},
		{closed, "POST", "/metrics", 405},
		{closed, "GET", "/-/healthy", 200},
		{closed, "HEAD", "/-/healthy", 200},
		{closed, "POST", "/-/healthy", 405},
		{closed, "GET", "/-/ready", 503}, // nothing serves it yet
		{closed, "GET", "/-/reload", 405},
		{closed, "POST", "/-/reload", 403},
		{closed, "PUT", "/-/reload", 403},
		{open, "GET", "/-/reload", 405},
		{open, "DELETE", "/-/reload", 405},
		{open, "POST", "/-/reload", 200},
		{open, "PUT", "/-/reload", 200},
		{closed, "GET", "/nothing", 404},
		{closed, "GET", "/metrics/", 404},
		{closed, "GET", "/-/run?target=http://example.com", 404},
		{closed, "GET", "/debug/pprof/", 404},
	}
	for _, c := range cases {
		if got := ask(c.exporter.Handler(), c.method, c.path).Code; got != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.status)
		}
	}
	if reloads != 2 {
		t.Errorf("%d reloads, want 2", reloads)
	}
}

func TestCrossSiteReload(t *testing.T) {
	reloads := 0
	o := options()
	o.EnableLifecycle, o.Reload = true, func() error { reloads++; return nil }
	e := newExporter(t, o)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		if got := ask(e.Handler(), "POST", "/-/reload", header...); got.Code != http.StatusForbidden || reloads != 0 {
			t.Errorf("%v: %d, %d reloads", header, got.Code, reloads)
		}
	}
	if got := ask(e.Handler(), "POST", "/-/reload", "Sec-Fetch-Site", "same-origin"); got.Code != http.StatusOK {
		t.Errorf("from here: %d", got.Code)
	}
}

func TestReload(t *testing.T) {
	now, fail := noon(), errors.New("restbench.yaml:3: unknown key")
	o := options()
	o.EnableLifecycle, o.Now = true, func() time.Time { return now }
	o.Reload = func() error { return fail }
	e := newExporter(t, o)
	wantValue(t, e, 1, "restbench_config_last_reload_successful")
	now = noon().Add(time.Minute)
	got := ask(e.Handler(), "POST", "/-/reload")
	if got.Code != http.StatusInternalServerError || !strings.Contains(got.Body.String(), fail.Error()) {
		t.Errorf("%d %q", got.Code, got.Body)
	}
	wantValue(t, e, 0, "restbench_config_last_reload_successful")
	wantValue(t, e, float64(noon().Unix()), "restbench_config_last_reload_success_timestamp_seconds")
	if page := ask(e.Handler(), "GET", "/").Body.String(); !strings.Contains(page, fail.Error()) {
		t.Error("the page does not tell of the failed reload")
	}
	fail = nil
	if err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	wantValue(t, e, 1, "restbench_config_last_reload_successful")
	wantValue(t, e, float64(now.Unix()), "restbench_config_last_reload_success_timestamp_seconds")
}

// A reload sets targets from within Options.Reload.
func TestReloadSetsTargets(t *testing.T) {
	var e *Exporter
	o := options()
	o.Reload = func() error { e.SetTargets(short(), []bench.Target{flask()}); return nil }
	e = newExporter(t, o)
	if err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	wantValue(t, e, 0, "restbench_responses_total", "framework", "flask")
	wantNone(t, e, "restbench_responses_total", "framework", "sanic")
}

func TestReady(t *testing.T) {
	status := StoreStatus{}
	o := options()
	o.StoreStatus = func() StoreStatus { return status }
	e := newExporter(t, o)
	e.serving.Store(true)
	if got := ask(e.Handler(), "GET", "/-/ready"); got.Code != http.StatusOK {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	status = StoreStatus{Err: "no space left on device", Pending: 3}
	got := ask(e.Handler(), "GET", "/-/ready")
	if got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), status.Err) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if page := ask(e.Handler(), "GET", "/").Body.String(); !strings.Contains(page, status.Err) {
		t.Error("the page does not tell of the store")
	}
	if got := ask(e.Handler(), "GET", "/-/healthy"); got.Code != http.StatusOK {
		t.Errorf("healthy: %d", got.Code)
	}
}

func TestHeaders(t *testing.T) {
	e := newExporter(t, options())
	for _, path := range []string{"/", "/metrics", "/-/healthy", "/nothing"} {
		h := ask(e.Handler(), "GET", path).Header()
		if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for path, want := range map[string]string{
		"metrics": "must be a plain path", "/": "uses for something else", "/-/healthy": "uses for something else", "/{x}": "must be a plain path",
		"/runbooks": "uses for something else",
	} {
		o := options()
		o.TelemetryPath = path
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	o := options()
	o.History = func() (bench.Campaign, []bench.Measurement, error) { return bench.Campaign{}, nil, errors.New("disk") }
	if _, err := New(o); err == nil || err.Error() != "read history: disk" {
		t.Errorf("history: %v", err)
	}
}

func TestTelemetryPath(t *testing.T) {
	o := options()
	o.TelemetryPath = "/my/metrics"
	e := newExporter(t, o)
	if got := ask(e.Handler(), "GET", "/my/metrics").Code; got != http.StatusOK {
		t.Errorf("%d", got)
	}
	if page := ask(e.Handler(), "GET", "/").Body.String(); !strings.Contains(page, `href="my/metrics"`) {
		t.Error("the page does not link to it")
	}
}

// Scrapes and pages at the same time as a campaign, for the race detector; and
// none may see half of a result: sanic is always ten times flask.
func TestParallelScrapes(t *testing.T) {
	o := options()
	o.MaxRequests = 1000
	e := newExporter(t, o)
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	client := server.Client()
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			accept, path := "text/plain", "/metrics"
			if i%3 == 1 {
				accept = protobuf
			}
			if i%10 == 9 {
				path = "/"
			}
			text, err := read(client, server.URL+path, accept)
			if err != nil {
				t.Error(err)
			}
			checkTenfold(t, text)
		})
	}
	all.Go(func() {
		for id := range int64(5) {
			playWhole(e, id+1)
			e.Skipped("running")
			e.SetTargets(short(), []bench.Target{sanic(), flask()})
		}
	})
	all.Wait()
	client.CloseIdleConnections()
}

func read(client *http.Client, url, accept string) (string, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Accept", accept)
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", url, response.Status, text)
	}
	return string(text), err
}

// checkTenfold holds where a text has the results, as an exposition in text has:
// both are there or none, and they belong together.
func checkTenfold(t *testing.T, text string) {
	t.Helper()
	result := regexp.MustCompile(`(?m)^restbench_requests_per_second\{[^}]*framework="(sanic|flask)"[^}]*\} (\S+)$`)
	values := map[string]float64{}
	for _, m := range result.FindAllStringSubmatch(text, -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Error(err)
		}
		values[m[1]] = v
	}
	if len(values) == 1 || math.Abs(values["sanic"]-10*values["flask"]) > 1e-6*values["sanic"] {
		t.Errorf("half of a result: %v", values)
	}
}

func TestTooManyPages(t *testing.T) {
	inside, done := make(chan struct{}), make(chan struct{})
	h := limit(1, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(inside)
		<-done
	}))
	var all sync.WaitGroup
	all.Go(func() { ask(h, "GET", "/") })
	<-inside
	if got := ask(h, "GET", "/").Code; got != http.StatusServiceUnavailable {
		t.Errorf("%d, want 503", got)
	}
	close(done)
	all.Wait()
}

func TestPromtool(t *testing.T) {
	path := need.Program(t, "promtool", "prometheus")
	for name, prepare := range map[string]func(*Exporter){
		"start":    func(*Exporter) {},
		"finished": func(e *Exporter) { playWhole(e, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			e := newExporter(t, options())
			prepare(e)
			command := exec.CommandContext(t.Context(), path, "check", "metrics")
			command.Stdin = ask(e.Handler(), "GET", "/metrics").Body
			if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("promtool check metrics: %v\n%s", err, out)
			}
		})
	}
}

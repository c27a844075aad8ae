package exporter

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
)

// scrapeTimeout bounds a scrape: Prometheus gives up after its own timeout,
// which is 10 s unless set otherwise.
const scrapeTimeout = 10 * time.Second

// Handler answers all requests. No request can set a target, a command, a path
// or a duration: who can reach the port can read, and nothing else.
func (e *Exporter) Handler() http.Handler { return e.handler }

func newHandler(e *Exporter) (http.Handler, error) {
	page, err := newPage(e)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", limit(e.options.MaxRequests, page))
	mux.Handle("GET "+e.options.TelemetryPath, e.scrapes())
	if e.options.Runbooks != "" {
		runbooks, err := newRunbooks(e.options)
		if err != nil {
			return nil, err
		}
		mux.Handle("GET "+runbooksPath, limit(e.options.MaxRequests, runbooks))
	}
	mux.HandleFunc("GET /-/healthy", healthy)
	mux.HandleFunc("GET /-/ready", e.ready)
	reload := http.NewCrossOriginProtection().Handler(http.HandlerFunc(e.reload))
	mux.Handle("POST /-/reload", reload)
	mux.Handle("PUT /-/reload", reload)
	return secured(page.policy, mux), nil
}

func (e *Exporter) scrapes() http.Handler {
	registry := e.options.Registry
	return promhttp.InstrumentMetricHandler(registry, promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		Registry:            registry,
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: e.options.MaxRequests,
		Timeout:             scrapeTimeout,
		DisableCompression:  true, // processor time here is dearer than bytes on the way
		ErrorLog:            scrapeLog{e.options.Log},
	}))
}

// scrapeLog writes what goes wrong in a scrape.
type scrapeLog struct{ zerolog.Logger }

func (l scrapeLog) Println(v ...any) { l.Error().Msg(fmt.Sprint(v...)) }

func healthy(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, "restbench is healthy.")
}

func (e *Exporter) ready(w http.ResponseWriter, _ *http.Request) {
	if err := e.Ready(); err != nil {
		say(w, http.StatusServiceUnavailable, "restbench is not ready: "+err.Error())
		return
	}
	say(w, http.StatusOK, "restbench is ready.")
}

// Ready says why restbench cannot do its work now; nil when it can.
func (e *Exporter) Ready() error {
	if !e.serving.Load() {
		return errors.New("it is not serving")
	}
	if status := e.options.StoreStatus(); status.Err != "" {
		return errors.New("the history cannot be written: " + status.Err)
	}
	return nil
}

func (e *Exporter) reload(w http.ResponseWriter, _ *http.Request) {
	if !e.options.EnableLifecycle {
		say(w, http.StatusForbidden, "reload over HTTP is not enabled (--web.enable-lifecycle); send SIGHUP instead")
		return
	}
	if err := e.Reload(); err != nil {
		say(w, http.StatusInternalServerError, "reload: "+err.Error())
		return
	}
	say(w, http.StatusOK, "The configuration has been reloaded.")
}

// say answers in plain text.
func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// secured sets what browsers need to know to keep a page harmless, whatever a
// framework called itself and whatever its server wrote.
func secured(policy string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// limit bounds how many requests are answered at once, and so their memory.
func limit(n int, next http.Handler) http.Handler {
	places := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			next.ServeHTTP(w, r)
		default:
			say(w, http.StatusServiceUnavailable, "too many requests at once, try again later")
		}
	})
}

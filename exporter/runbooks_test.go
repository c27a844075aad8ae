package exporter

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// withRunbooks is an exporter that shows the real runbooks.
func withRunbooks(t *testing.T) *Exporter {
	t.Helper()
	text, err := os.ReadFile("../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Runbooks = string(text)
	return newExporter(t, o)
}

// The link of every shipped alert leads to its section.
func TestEveryRunbookLinkHasItsSection(t *testing.T) {
	rules, err := os.ReadFile("../prometheus/rules/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`runbook_url: http://127\.0\.0\.1:10226(/[a-z]+)#([a-z]+)\n`).FindAllStringSubmatch(string(rules), -1)
	if len(links) == 0 || len(links) != strings.Count(string(rules), "runbook_url:") {
		t.Fatalf("%d links", len(links))
	}
	e := withRunbooks(t)
	for _, link := range links {
		got := ask(e.Handler(), "GET", link[1])
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `<h2 id="`+link[2]+`">`) {
			t.Errorf("%s: status %d, or no section", link[0], got.Code)
		}
	}
}

func TestRunbooksAreAPageOfTheSameKind(t *testing.T) {
	e := withRunbooks(t)
	got := ask(e.Handler(), "GET", "/runbooks")
	if h := got.Header(); h.Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("headers: %v", h)
	}
	if body := got.Body.String(); !strings.Contains(body, "<strong>Means</strong>") || !strings.Contains(body, pageCSS) || strings.Contains(body, "raw HTML omitted") {
		t.Error("the page is not what it should be")
	}
	if !strings.Contains(pageOf(e), `<a href="runbooks">`) {
		t.Error("nothing leads to it")
	}
	without := newExporter(t, options())
	if code := ask(without.Handler(), "GET", "/runbooks").Code; code != http.StatusNotFound || strings.Contains(pageOf(without), "runbooks") {
		t.Errorf("without runbooks: %d", code)
	}
}

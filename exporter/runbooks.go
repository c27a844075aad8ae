package exporter

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/parser"
)

// runbooksPath is what the annotation runbook_url of the shipped alerts leads to.
const runbooksPath = "/runbooks"

//go:embed runbooks.html
var runbooksHTML string

// newRunbooks makes the page that says what to do at each alert. Its sections have
// the names of the alerts, in lower case, as identifiers.
func newRunbooks(o Options) (http.Handler, error) {
	var body bytes.Buffer
	markdown := goldmark.New(goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	if err := markdown.Convert([]byte(o.Runbooks), &body); err != nil {
		return nil, fmt.Errorf("read the runbooks: %w", err)
	}
	t, err := template.New("runbooks").Parse(runbooksHTML)
	if err != nil {
		return nil, fmt.Errorf("parse the page of the runbooks: %w", err)
	}
	var page bytes.Buffer
	err = t.Execute(&page, struct {
		Style   template.CSS  // ours, embedded
		Body    template.HTML // ours, embedded
		Version string
	}{template.CSS(pageCSS), template.HTML(body.String()), o.Version}) //nolint:gosec // embedded, not from outside
	if err != nil {
		return nil, fmt.Errorf("make the page of the runbooks: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes()) // an error means that the reader has gone
	}), nil
}

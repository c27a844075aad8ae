package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

// page is parsed once and only read from then on.
var page = template.Must(template.New("page").Parse(pageText)) //nolint:gochecknoglobals // never written again

type pageData struct {
	Title      string
	Tables     []Table
	Conditions []string
	Figures    []pageFigure
}

type pageFigure struct {
	Alt string
	Src template.URL // a data address made here, so it may be trusted
}

// WriteHTML writes one page that needs nothing else: style and figures are
// inside, and there is no script.
func WriteHTML(w io.Writer, r Result) error {
	data := pageData{
		Title:  fmt.Sprintf("restbench: campaign %d", r.Campaign.ID),
		Tables: Tables(r), Conditions: Conditions(r),
	}
	if len(r.Results) > 0 {
		for _, kind := range Figures() {
			figure, err := newPageFigure(kind, r)
			if err != nil {
				return err
			}
			data.Figures = append(data.Figures, figure)
		}
	}
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		return fmt.Errorf("write the result as HTML: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func newPageFigure(kind FigureKind, r Result) (pageFigure, error) {
	var svg bytes.Buffer
	if err := WriteFigure(&svg, r, FigureOptions{Kind: kind, Format: FormatSVG}); err != nil {
		return pageFigure{}, err
	}
	src := "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg.Bytes())
	return pageFigure{Alt: kind.Title(), Src: template.URL(src)}, nil //nolint:gosec // made above, base64 of our own figure
}

package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"strings"
	"testing"

	"restbench/internal/bench"
	"restbench/internal/report"
)

func figure(t *testing.T, r report.Result, kind report.FigureKind, format report.Format) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteFigure(&out, r, report.FigureOptions{Kind: kind, Format: format}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// texts are the words of an SVG, which must be well-formed.
func texts(t *testing.T, svg []byte) []string {
	t.Helper()
	var out []string
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	inside := false
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return out
		case err != nil:
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local == "text"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				out = append(out, strings.TrimSpace(string(token)))
			}
		}
	}
}

func count(words []string, word string) int {
	n := 0
	for _, w := range words {
		if w == word {
			n++
		}
	}
	return n
}

func TestFigureShowsEveryResult(t *testing.T) {
	r := report.New(troubled())
	words := texts(t, figure(t, r, report.FigureRate, report.FormatSVG))
	for _, row := range r.Results {
		if count(words, row.Framework) != 1 || count(words, report.Rate(row.RequestsPerSecond)) < 1 {
			t.Errorf("%s with %s is missing in %q", row.Name, report.Rate(row.RequestsPerSecond), words)
		}
	}
	for word, want := range map[string]int{"edition current": 1, "edition 2020": 1, "requests per second": 1, "no result": 1, "stalled": 2} {
		if n := count(words, word); n != want {
			t.Errorf("%q stands there %d times, want %d", word, n, want)
		}
	}
	if !strings.Contains(strings.Join(words, " "), "10 rounds of 10s, 5 threads, 20 connections") {
		t.Error("the caption lacks the conditions")
	}
}

func TestRelativeFigure(t *testing.T) {
	r := report.New(synthetic("2020"))
	words := texts(t, figure(t, r, report.FigureRelative, report.FormatSVG))
	for _, row := range r.Results {
		if count(words, report.Relative(*row.Relative, row.RelativeCI95)) < 1 {
			t.Errorf("%s is missing in %q", row.Name, words)
		}
	}
	if count(words, "Relative performance, edition 2020") != 1 {
		t.Errorf("title is %q", words[0])
	}
}

// A framework of the user's own has no place in the editions it was never in.
func TestFigureLeavesNoGapForOthers(t *testing.T) {
	c, ms := small()
	for round := 1; round <= 3; round++ {
		ms = append(ms, measured(target("shop", bench.EditionOwn), round, 50))
	}
	words := texts(t, figure(t, report.New(c, ms), report.FigureRate, report.FormatSVG))
	if count(words, "no result") != 0 || count(words, "shop") != 1 {
		t.Errorf("%q", words)
	}
}

func TestFigureOfAnySize(t *testing.T) {
	heights := map[string]int{}
	for name, made := range map[string]func() (bench.Campaign, []bench.Measurement){
		"0":  func() (bench.Campaign, []bench.Measurement) { return campaign(), nil },
		"1":  func() (bench.Campaign, []bench.Measurement) { return many(1, "current") },
		"11": func() (bench.Campaign, []bench.Measurement) { return synthetic("2020") },
		"22": func() (bench.Campaign, []bench.Measurement) { return synthetic("current", "2020") },
		"one round": func() (bench.Campaign, []bench.Measurement) {
			c, ms := many(2, "current")
			return c, ms[:1]
		},
	} {
		r := report.New(made())
		for _, kind := range report.Figures() {
			figure(t, r, kind, report.FormatSVG)
			image, err := png.Decode(bytes.NewReader(figure(t, r, kind, report.FormatPNG)))
			if err != nil {
				t.Fatal(err)
			}
			heights[name] = image.Bounds().Dy()
			if image.Bounds().Dx() != 1632 { // 8.5 inches at 192 dots
				t.Errorf("%s: %d wide", name, image.Bounds().Dx())
			}
		}
	}
	if heights["1"] >= heights["11"] || heights["11"] >= heights["22"] {
		t.Errorf("heights are %v", heights)
	}
}

func TestFigureInUnknownFormat(t *testing.T) {
	err := report.WriteFigure(io.Discard, report.Result{}, report.FigureOptions{Format: "gif"})
	if err == nil || !strings.Contains(err.Error(), `"gif"`) {
		t.Errorf("error is %v", err)
	}
}

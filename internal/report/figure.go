package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"restbench/internal/bench"
)

// FigureKind says what a figure shows.
type FigureKind string

// The figures there are.
const (
	FigureRate     FigureKind = "requests"
	FigureRelative FigureKind = "relative"
)

// Figures lists all kinds.
func Figures() []FigureKind { return []FigureKind{FigureRate, FigureRelative} }

// Title is the figure's headline.
func (k FigureKind) Title() string {
	if k == FigureRelative {
		return "Relative performance"
	}
	return "Requests per second"
}

// Format is a file format of figures.
type Format string

// The formats of figures.
const (
	FormatSVG Format = "svg"
	FormatPNG Format = "png"
)

// FigureOptions say which figure to draw, and how.
type FigureOptions struct {
	Kind   FigureKind
	Format Format
}

// Measures of the figure, in points.
const (
	figureWidth  = 8.5 * vg.Inch
	figureMargin = vg.Length(18)
	barThickness = vg.Length(15)
	groupGap     = vg.Length(9)
	titleHeight  = vg.Length(30)
	axisHeight   = vg.Length(40)
	captionGap   = vg.Length(12)
	pngDPI       = 192
)

// WriteFigure draws bars with error bars, the fastest at the top, one colour an
// edition.
func WriteFigure(w io.Writer, r Result, o FigureOptions) error {
	c := newChart(r, o.Kind)
	caption := wrapped(c.caption, styleOf(captionSize, soft), figureWidth-2*figureMargin)
	height := titleHeight + c.legendHeight() + c.barsHeight() + axisHeight +
		captionGap + vg.Length(len(caption))*captionLine + 2*figureMargin
	switch o.Format {
	case FormatSVG:
		canvas := vgsvg.New(figureWidth, height)
		c.draw(draw.New(canvas), caption)
		return writeSVG(w, canvas)
	case FormatPNG:
		canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(figureWidth, height), vgimg.UseDPI(pngDPI))}
		c.draw(draw.New(canvas), caption)
		if _, err := canvas.WriteTo(w); err != nil {
			return fmt.Errorf("write the figure as PNG: %w", err)
		}
		return nil
	}
	return fmt.Errorf("draw a figure: unknown format %q, must be svg or png", o.Format)
}

// writeSVG names fonts of the same widths beside the one that was measured
// with, for readers who do not have it.
func writeSVG(w io.Writer, canvas *vgsvg.Canvas) error {
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return fmt.Errorf("write the figure as SVG: %w", err)
	}
	svg := bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	if _, err := w.Write(svg); err != nil {
		return fmt.Errorf("write the figure as SVG: %w", err)
	}
	return nil
}

// chart is what a figure shows.
type chart struct {
	title, axis, caption string
	editions             []string
	groups               []barGroup // the fastest first
}

// barGroup is the bars of one framework, one an edition that it took part in.
type barGroup struct {
	name string
	bars []bar
}

type bar struct {
	edition          int // index in chart.editions
	absent           bool
	value, low, high float64 // low and high are the ends of the error bar
	spread           bool
	label, remark    string
}

func newChart(r Result, kind FigureKind) chart {
	c := chart{title: kind.Title(), axis: "requests per second", caption: captionOf(r, kind)}
	if kind == FigureRelative {
		c.axis = "relative to the slowest framework of the edition (= 1)"
	}
	for _, part := range byEdition(r.Results) {
		c.editions = append(c.editions, part[0].Edition)
	}
	for _, name := range bySpeed(r.Results) {
		g := barGroup{name: name}
		for i, edition := range c.editions {
			switch row := find(r.Results, name, edition); {
			case row != nil:
				b := newBar(*row, kind)
				b.edition = i
				g.bars = append(g.bars, b)
			case r.misses(name, edition):
				g.bars = append(g.bars, bar{edition: i, absent: true})
			}
		}
		c.groups = append(c.groups, g)
	}
	return c
}

func (r Result) misses(framework, edition string) bool {
	return slices.ContainsFunc(r.Missing, func(m Missing) bool {
		return m.Key.Framework == framework && m.Key.Edition == edition
	})
}

func newBar(r Row, kind FigureKind) bar {
	b := bar{}
	if r.LimitedBy != nil && *r.LimitedBy != LimitServer {
		b.remark = *r.LimitedBy
	}
	if kind == FigureRelative {
		if r.Relative == nil {
			return bar{absent: true}
		}
		b.value, b.label = *r.Relative, relativeCell(r)
		if b.spread = margin(r.RelativeCI95) > 0; b.spread {
			b.low, b.high = r.RelativeCI95.Low(), r.RelativeCI95.High()
		}
		return b
	}
	e := r.RequestsPerSecond
	b.value, b.label = e.Mean, Rate(e)
	if b.spread = e.Stddev != nil; b.spread {
		b.low, b.high = max(0, e.Mean-*e.Stddev), e.Mean+*e.Stddev
	}
	return b
}

// bySpeed names the frameworks, the fastest first: by the edition of today if
// it is there, else by the first one; those that are not in it, by their best.
func bySpeed(rows []Row) []string {
	speed := map[string]float64{}
	var names []string
	for _, r := range rows {
		if _, ok := speed[r.Framework]; !ok {
			names = append(names, r.Framework)
		}
		speed[r.Framework] = max(speed[r.Framework], r.RequestsPerSecond.Mean)
	}
	if len(rows) > 0 {
		leading := rows[0].Edition
		if slices.ContainsFunc(rows, func(r Row) bool { return r.Edition == bench.EditionCurrent }) {
			leading = bench.EditionCurrent
		}
		for _, name := range names {
			if row := find(rows, name, leading); row != nil {
				speed[name] = row.RequestsPerSecond.Mean
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return compareDown(speed[a], speed[b]) })
	return names
}

func compareDown(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// find is the row of a framework in an edition, the first if it is served in
// several ways.
func find(rows []Row, framework, edition string) *Row {
	for i := range rows {
		if rows[i].Framework == framework && rows[i].Edition == edition {
			return &rows[i]
		}
	}
	return nil
}

func captionOf(r Result, kind FigureKind) string {
	bars := "Bars: mean of the rounds. Error bars: ± standard deviation."
	if kind == FigureRelative {
		bars = "Bars: mean divided by the mean of the slowest. Error bars: 95 % interval, from the ratios inside the rounds."
	}
	lines := append([]string{bars}, Conditions(r)...)
	for _, limit := range Limits() {
		if limit != LimitServer && slices.ContainsFunc(r.Results, func(r Row) bool {
			return r.LimitedBy != nil && *r.LimitedBy == limit
		}) {
			lines = append(lines, limit+": "+Explain(limit))
		}
	}
	return strings.Join(lines, "\n")
}

func (c chart) legendHeight() vg.Length {
	if len(c.editions) < 2 {
		return 0
	}
	return 22
}

func (c chart) barsHeight() vg.Length {
	height := vg.Length(0)
	for _, g := range c.groups {
		height += g.height()
	}
	return max(height, barThickness+groupGap)
}

func (g barGroup) height() vg.Length { return vg.Length(len(g.bars))*barThickness + groupGap }

func (c chart) draw(canvas draw.Canvas, caption []string) {
	canvas.SetColor(paper)
	canvas.Fill(canvas.Path())
	inner := draw.Crop(canvas, figureMargin, -figureMargin, figureMargin, -figureMargin)
	top := inner.Max.Y
	title := styleOf(titleSize, ink)
	title.Font.Weight = bold
	inner.FillText(title, vg.Point{X: inner.Min.X, Y: top - titleSize}, c.headline())
	c.drawLegend(inner, top-titleHeight)
	bottom := vg.Length(len(caption)) * captionLine
	for i, line := range caption {
		at := vg.Point{X: inner.Min.X, Y: inner.Min.Y + bottom - vg.Length(i+1)*captionLine}
		inner.FillText(styleOf(captionSize, soft), at, line)
	}
	area := draw.Crop(inner, 0, 0, bottom+captionGap, -titleHeight-c.legendHeight())
	c.plot(area.Max.X - area.Min.X).Draw(area)
}

// headline names the edition where there is only one.
func (c chart) headline() string {
	if len(c.editions) == 1 {
		return c.title + ", edition " + c.editions[0]
	}
	return c.title
}

func (c chart) drawLegend(canvas draw.Canvas, y vg.Length) {
	if c.legendHeight() == 0 {
		return
	}
	x := canvas.Min.X
	style := styleOf(labelSize, ink)
	for i, edition := range c.editions {
		box := vg.Rectangle{Min: vg.Point{X: x, Y: y - 10}, Max: vg.Point{X: x + 10, Y: y}}
		canvas.FillPolygon(editionColor(edition, i), corners(box))
		canvas.FillText(style, vg.Point{X: x + 15, Y: y - 9}, "edition "+edition)
		x += 15 + style.Width("edition "+edition) + 18
	}
}

// plot is the axes with the bars in them; width is that of the whole area, to
// leave room for the labels right of the longest bar.
func (c chart) plot(width vg.Length) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.X.Label.TextStyle = c.axis, axisTitle(styleOf(tickSize, soft))
	p.X.Label.Padding = 5
	p.X.Width, p.Y.Width = 0, 0
	p.X.Tick.Length, p.Y.Tick.Length = 0, 0
	p.X.Tick.Label = centered(styleOf(tickSize, soft))
	p.Y.Tick.Label = rightOf(styleOf(labelSize, ink))
	p.X.Padding, p.Y.Padding = 4, 6
	p.Y.Min, p.Y.Max = 0, float64(c.barsHeight()) // so that a unit is about a point
	p.Y.Tick.Marker = c.names()
	b := newBars(c, width)
	p.X.Min, p.X.Max = 0, b.limit
	p.X.Tick.Marker = plot.ConstantTicks(ticks(b.limit))
	p.Add(b)
	return p
}

// names are the ticks of the vertical axis; the first group is at the top.
func (c chart) names() plot.ConstantTicks {
	var out plot.ConstantTicks
	for i, g := range c.groups {
		out = append(out, plot.Tick{Value: c.place(i), Label: shorten(g.name)})
	}
	return out
}

// place is the middle of a group on the vertical axis.
func (c chart) place(group int) float64 {
	top := c.barsHeight()
	for _, g := range c.groups[:group] {
		top -= g.height()
	}
	return float64(top - c.groups[group].height()/2)
}

package report

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of type and of bars, in points.
const (
	titleSize   = vg.Length(16)
	labelSize   = vg.Length(11)
	tickSize    = vg.Length(9.5)
	captionSize = vg.Length(8.5)
	captionLine = vg.Length(11.5)
	labelGap    = vg.Length(5)
	labelRise   = vg.Length(1.7) // digits have no descenders: their middle is above that of the line
	capHalf     = vg.Length(3)
	bold        = font.WeightBold
)

// shade is an opaque colour, 0xRRGGBB.
type shade uint32

// RGBA makes a shade a color.Color.
func (s shade) RGBA() (r, g, b, a uint32) {
	return uint32(s>>16&0xff) * 0x101, uint32(s>>8&0xff) * 0x101, uint32(s&0xff) * 0x101, 0xffff
}

const (
	paper shade = 0xffffff
	ink   shade = 0x1c2430
	soft  shade = 0x5d6875
	rule  shade = 0xe2e6eb
)

// editionColor is fixed for the editions that everybody knows, so that figures
// can be compared; all can be told apart by the colour-blind too.
func editionColor(edition string, place int) shade {
	switch edition {
	case "current":
		return 0x2670b8
	case "2020":
		return 0xe8a33d
	case "own":
		return 0x2f9470
	case "latest":
		return 0x8060ac
	}
	others := []shade{0xbe545c, 0x56b4d4, 0x787878, 0xa8983c}
	return others[place%len(others)]
}

func styleOf(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    plotfont.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: text.Plain{Fonts: plotfont.DefaultCache},
	}
}

func centered(s text.Style) text.Style { s.XAlign, s.YAlign = text.XCenter, text.YTop; return s }

func axisTitle(s text.Style) text.Style { s.XAlign, s.YAlign = text.XCenter, text.YBottom; return s }

func rightOf(s text.Style) text.Style { s.XAlign, s.YAlign = text.XRight, text.YCenter; return s }

// bars draws the groups of a chart into the axes of a plot.
type bars struct {
	chart
	limit float64 // of the horizontal axis
}

// newBars finds the limit of the axis that leaves room for every label right of
// its bar, in an area of the given width with the names at its left.
func newBars(c chart, width vg.Length) bars {
	names := styleOf(labelSize, ink)
	var left vg.Length
	for _, g := range c.groups {
		left = max(left, names.Width(shorten(g.name)))
	}
	room := float64(width - left - 24)
	limit := 0.0
	for _, g := range c.groups {
		for _, b := range g.bars {
			if b.absent {
				continue
			}
			taken := float64(labelWidth(b)+2*labelGap) / room
			limit = max(limit, b.end()/(1-min(taken, 0.6)))
		}
	}
	if limit <= 0 {
		limit = 1
	}
	return bars{c, limit}
}

// end is how far the bar with its error bar reaches.
func (b bar) end() float64 {
	if b.spread {
		return max(b.value, b.high)
	}
	return b.value
}

func labelWidth(b bar) vg.Length {
	width := styleOf(labelSize, ink).Width(b.label)
	if b.remark != "" {
		width += labelGap + styleOf(tickSize, soft).Width(b.remark)
	}
	return width
}

// Plot draws the grid, then the bars over it.
func (b bars) Plot(canvas draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&canvas)
	grid := draw.LineStyle{Color: rule, Width: 0.75}
	for _, t := range ticks(b.limit) {
		at := x(t.Value)
		canvas.StrokeLine2(grid, at, canvas.Min.Y, at, canvas.Max.Y)
	}
	for i, g := range b.groups {
		top := y(b.place(i)) + barThickness*vg.Length(len(g.bars))/2
		for j, one := range g.bars {
			middle := top - barThickness*(vg.Length(j)+0.5)
			if one.absent {
				missing(canvas, x(0), middle)
				continue
			}
			one.draw(canvas, x, middle, editionColor(b.editions[one.edition], one.edition))
		}
	}
	canvas.StrokeLine2(draw.LineStyle{Color: soft, Width: 1}, x(0), canvas.Min.Y, x(0), canvas.Max.Y)
}

func (b bar) draw(canvas draw.Canvas, x func(float64) vg.Length, middle vg.Length, fill color.Color) {
	half := barThickness/2 - 1
	canvas.FillPolygon(fill, corners(vg.Rectangle{
		Min: vg.Point{X: x(0), Y: middle - half}, Max: vg.Point{X: x(b.value), Y: middle + half},
	}))
	if b.spread {
		line := draw.LineStyle{Color: ink, Width: 1.1}
		low, high := x(b.low), x(b.high)
		canvas.StrokeLine2(line, low, middle, high, middle)
		canvas.StrokeLine2(line, low, middle-capHalf, low, middle+capHalf)
		canvas.StrokeLine2(line, high, middle-capHalf, high, middle+capHalf)
	}
	label := styleOf(labelSize, ink)
	label.YAlign = text.YCenter
	at := vg.Point{X: x(b.end()) + labelGap, Y: middle + labelRise}
	canvas.FillText(label, at, b.label)
	if b.remark != "" {
		remark := styleOf(tickSize, soft)
		remark.YAlign = text.YCenter
		canvas.FillText(remark, vg.Point{X: at.X + label.Width(b.label) + labelGap, Y: at.Y}, b.remark)
	}
}

func missing(canvas draw.Canvas, x, middle vg.Length) {
	style := styleOf(tickSize, soft)
	style.YAlign = text.YCenter
	canvas.FillText(style, vg.Point{X: x + labelGap, Y: middle + labelRise}, "no result")
}

func corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
}

// ticks are at round numbers, four to eight of them.
func ticks(limit float64) []plot.Tick {
	step := math.Pow10(magnitude(limit))
	for _, divisor := range []float64{5, 4, 2, 1} { // steps of 0.2, 0.25, 0.5 of a power of ten, or a whole one
		if limit/(step/divisor) <= 7.5 {
			step /= divisor
			break
		}
	}
	var out []plot.Tick
	for i := 0; float64(i)*step <= limit; i++ {
		value := float64(i) * step
		out = append(out, plot.Tick{Value: value, Label: tickLabel(value, step)})
	}
	return out
}

// tickLabel writes value with the decimals that steps need.
func tickLabel(value, step float64) string {
	decimals := max(0, -magnitude(step))
	if step/math.Pow10(magnitude(step)) == 2.5 {
		decimals = max(0, 1-magnitude(step))
	}
	return thousands(strconv.FormatFloat(value, 'f', decimals, 64))
}

// shorten keeps a name from taking more than a third of the figure. The middle
// goes: names of a family differ at their ends.
func shorten(name string) string {
	const longest, tail = 30, 12
	if runes := []rune(name); len(runes) > longest {
		return string(runes[:longest-tail-1]) + "…" + string(runes[len(runes)-tail:])
	}
	return name
}

// wrapped breaks text into lines no wider than width; its own breaks stay.
func wrapped(s string, style text.Style, width vg.Length) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			longer := strings.TrimSpace(line + " " + word)
			if line != "" && style.Width(longer) > width {
				lines = append(lines, line)
				longer = word
			}
			line = longer
		}
		lines = append(lines, line)
	}
	return lines
}

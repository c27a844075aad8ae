package stats

import (
	"math"
	"slices"
)

// window holds up to longestBaseline values in order of size. A baseline that is
// one campaign older differs in two values, so the window is sorted once a series
// and then slid: sorting was most of the time that the detector took.
type window struct {
	sorted [longestBaseline]float64
	n      int
	end    int // of the stretch in the values that it was taken from
}

func (w *window) fill(values []float64) {
	w.n = copy(w.sorted[:], values)
	slices.Sort(w.sorted[:w.n])
}

// slide takes the values before end, one step after another downwards.
func (w *window) slide(values []float64, end int) {
	if w.n == 0 || w.end != end+1 {
		w.fill(values[max(0, end-longestBaseline):end])
		w.end = end
		return
	}
	w.end = end
	w.remove(values[end])
	if oldest := end - longestBaseline; oldest >= 0 {
		w.insert(values[oldest])
	}
}

func (w *window) remove(v float64) {
	i, _ := slices.BinarySearch(w.sorted[:w.n], v)
	copy(w.sorted[i:w.n], w.sorted[i+1:w.n])
	w.n--
}

func (w *window) insert(v float64) {
	i, _ := slices.BinarySearch(w.sorted[:w.n], v)
	copy(w.sorted[i+1:w.n+1], w.sorted[i:w.n])
	w.sorted[i] = v
	w.n++
}

func (w *window) median() float64 {
	return (w.sorted[(w.n-1)/2] + w.sorted[w.n/2]) / 2
}

// deviation is the median absolute deviation from the median: the distances grow
// outwards from the middle, so they need not be sorted again.
func (w *window) deviation() float64 {
	center := w.median()
	right := w.n / 2
	left := right - 1
	before, last := 0.0, 0.0
	for range w.n/2 + 1 {
		before = last
		if left < 0 || right < w.n && w.sorted[right]-center < center-w.sorted[left] {
			last = math.Abs(w.sorted[right] - center)
			right++
		} else {
			last = math.Abs(w.sorted[left] - center)
			left--
		}
	}
	if w.n%2 == 1 {
		return last
	}
	return (before + last) / 2
}

// smallMedian is Median of 1 to longestBaseline values without an allocation: it
// is asked some ten times a campaign.
func smallMedian(values []float64) float64 {
	var w window
	w.fill(values)
	return w.median()
}

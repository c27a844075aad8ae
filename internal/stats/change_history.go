package stats

import "math"

const (
	fewestToChoose  = 12  // campaigns before a series may be found not to follow the host
	stillness       = 0.4 // of the variance is left when the host is not taken out
	strongestSerial = 0.8 // beyond that a mean of 30 says next to nothing
)

// point is one value of a series, in ln, and the host effect of its campaign.
type point struct {
	campaign    int
	value, host float64
}

// history is what is kept of a series since its baseline started.
type history struct {
	points  []point // oldest first
	carried spread  // from before the start: a level ends with a change, its noise does not
	still   bool    // the series does not follow the host
	resumed bool    // the baseline started with a change, and the noise is known from before
}

func (h *history) add(p point) {
	h.points = append(h.points, p)
	if extra := len(h.points) - longestBaseline - longestTail; extra > 0 {
		h.points = append(h.points[:0], h.points[extra:]...)
	}
}

// restart forgets all but the newest keep points and carries the scatter over.
func (h *history) restart(before spread, keep int) {
	h.carried = h.carried.plus(before).atMost(carriedWeight)
	h.points = append(h.points[:0], h.points[len(h.points)-keep:]...)
	h.resumed = keep > 0
}

// fewest is how many campaigns a baseline must have. After a change of its own a
// few do, so that the way back to the old level is seen soon.
func (h *history) fewest() int {
	if h.resumed {
		return fewestResumed
	}
	return fewestBaseline
}

// newest returns up to n of the newest values, the host taken out if the series
// follows it.
func (h *history) newest(n int) []float64 {
	return h.values(n, !h.still)
}

func (h *history) values(n int, withoutHost bool) []float64 {
	points := h.points[max(0, len(h.points)-n):]
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = p.value
		if withoutHost {
			values[i] -= p.host
		}
	}
	return values
}

// plainLevel is the level of the values as they were measured.
func (h *history) plainLevel() (float64, bool) {
	if len(h.points) == 0 {
		return 0, false
	}
	return smallMedian(h.values(longestBaseline, false)), true
}

// chooseFollowing decides whether the host is to be taken out of a series. A
// target that waits for something else than the processor does not follow the
// host, and taking it out would put the host's noise in. The question is only
// decided by a host that did move: on a quiet one both variances are alike, and
// the series stays with the field.
func (h *history) chooseFollowing() {
	if len(h.points) < fewestToChoose {
		return
	}
	plain := newLevel(h.values(longestBaseline, false), spread{}).spread.squares
	without := newLevel(h.values(longestBaseline, true), spread{}).spread.squares
	if h.still {
		h.still = plain <= without
	} else {
		h.still = plain < stillness*without
	}
}

// serialCorrelation is the correlation of values with the ones before them, as
// far as it makes a mean less certain.
func serialCorrelation(values []float64, center float64) float64 {
	var products, squares float64
	for i, v := range values {
		squares += (v - center) * (v - center)
		if i > 0 {
			products += (v - center) * (values[i-1] - center)
		}
	}
	if squares == 0 {
		return 0
	}
	return clamp(products/squares, 0, strongestSerial)
}

// varianceOfMean is that of n values of variance 1 whose correlation falls off
// as powers of serial.
func varianceOfMean(n int, serial float64) float64 {
	sum, power := 1.0, 1.0
	for lag := 1; lag < n && serial > 0; lag++ {
		power *= serial
		sum += 2 * (1 - float64(lag)/float64(n)) * power
	}
	return sum / float64(n)
}

// refine moves the onset of a change so large that one campaign tells on which
// level it is: the strongest evidence may leave out a campaign at the edge.
func (h *history) refine(t tail) tail {
	if math.Abs(t.difference) < clear*t.noise {
		return t
	}
	values := h.newest(longestTail + 1)
	edge := smallMedian(values[len(values)-t.length:]) - t.difference/2
	isNew := func(length int) bool {
		return (values[len(values)-length]-edge)*t.difference > 0
	}
	for t.length < min(longestTail, len(values)-1) && isNew(t.length+1) {
		t.length++
	}
	for t.length > shortestTail && !isNew(t.length) {
		t.length--
	}
	t.onset = h.points[len(h.points)-t.length].campaign
	return t
}

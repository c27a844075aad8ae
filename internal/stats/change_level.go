package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// The numbers of the method. They belong together: whoever changes one repeats
// the figures (BenchmarkFalseAlerts, BenchmarkDelay).
const (
	longestBaseline = 30 // campaigns: what is older says less about now
	fewestBaseline  = 6
	fewestResumed   = 4 // after a change of the series itself
	shortestTail    = 2 // one bad campaign must never be a change
	longestTail     = 12
	fewestField     = 5     // series from which a host effect can be told
	winsor          = 3.0   // standard deviations up to which a value moves its baseline
	priorWeight     = 4.0   // degrees of freedom that the other series lend a new one
	carriedWeight   = 20.0  // degrees of freedom at most that outlive a restart
	smallestSigma   = 0.004 // in ln; noise below that was never seen to last
	madToSigma      = 1.4826
)

// spread is a sum of squares and its degrees of freedom, the two parts of a
// variance that can be pooled.
type spread struct{ squares, freedom float64 }

func (s spread) plus(o spread) spread {
	return spread{s.squares + o.squares, s.freedom + o.freedom}
}

// atMost keeps the variance but lets it weigh no more than freedom.
func (s spread) atMost(freedom float64) spread {
	if s.freedom <= freedom {
		return s
	}
	return spread{s.squares * freedom / s.freedom, freedom}
}

// sigma is the standard deviation, with a floor; only for freedom ≥ 1.
func (s spread) sigma() float64 {
	return max(math.Sqrt(s.squares/s.freedom), smallestSigma)
}

// level is where a stretch of a series lies, in ln, and how it scatters there.
type level struct {
	n      int
	center float64
	spread spread // of this stretch alone
}

// newLevel takes the winsorised mean of at most longestBaseline values: a value
// beyond three standard deviations of the median counts as if it were there. The
// standard deviation for that comes from the median absolute deviation and, as
// that of few values is worth little, from the prior.
func newLevel(values []float64, prior spread) level {
	var w window
	w.fill(values)
	return w.level(prior)
}

// level of the values in the window.
func (w *window) level(prior spread) level {
	n := float64(w.n)
	if n == 0 {
		return level{}
	}
	center, mad := w.median(), madToSigma*w.deviation()
	limit := winsor * math.Sqrt((prior.squares+n*mad*mad)/(prior.freedom+n))
	mean := 0.0
	for _, v := range w.sorted[:w.n] {
		mean += clamp(v, center-limit, center+limit) / n
	}
	squares := 0.0
	for _, v := range w.sorted[:w.n] {
		residual := clamp(v, center-limit, center+limit) - mean
		squares += residual * residual
	}
	return level{w.n, mean, spread{squares, n - 1}}
}

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

// thresholds of a Detector.
type thresholds struct{ change, hasty, wandering, surprise critical }

func newThresholds(z float64) thresholds {
	return thresholds{newCritical(z), newCritical(z + hasty), newCritical(z + wandering), newCritical(surprising)}
}

// critical answers how large a Student t must be to be as rare as a given
// standard normal value, for each number of degrees of freedom.
type critical struct {
	tail  float64
	known map[int]float64
}

func newCritical(z float64) critical {
	return critical{distuv.UnitNormal.Survival(z), map[int]float64{}}
}

func (c critical) at(freedom float64) float64 {
	key := max(1, int(freedom))
	t, ok := c.known[key]
	if !ok {
		t = -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(key)}.Quantile(c.tail)
		c.known[key] = t
	}
	return t
}

package stats

import (
	"math"
	"math/rand/v2"
)

// SimulatedSeries is the size of a simulated field.
const SimulatedSeries = 11

// Scenario says what a simulated field suffers from. Its zero value is Gaussian
// noise on a quiet host, which steps now and then.
type Scenario struct {
	HeavyTails bool    // Student's t with 5 degrees of freedom instead
	Dips       bool    // single values of about 15 % less, 4 in 1,000
	VM         bool    // a host that moves from campaign to campaign, correlated, instead of the quiet one
	Missing    float64 // share of values that are not there
	Noisy      bool    // the first series scatters by 4.5 %
	Drift      float64 // of the first series, in ln per campaign
}

// Simulation makes up campaigns of a field that shares a host: it is the
// generator behind the published figures of the Detector.
type Simulation struct {
	scenario Scenario
	random   *rand.Rand
	levels   []float64 // ln
	sigmas   []float64
	host     float64 // ln
	wave     float64 // ln, what a VM adds at the moment
}

// NewSimulation draws a field: levels, and how much each series scatters.
func NewSimulation(s Scenario, random *rand.Rand) *Simulation {
	f := &Simulation{scenario: s, random: random}
	for range SimulatedSeries {
		f.levels = append(f.levels, math.Log(1000)+3*random.Float64())
		f.sigmas = append(f.sigmas, clamp(0.013*math.Exp(0.45*random.NormFloat64()), 0.006, 0.045))
	}
	if s.Noisy {
		f.sigmas[0] = 0.045
	}
	return f
}

// Change multiplies the level of a series from now on.
func (f *Simulation) Change(series int, factor float64) { f.levels[series] += math.Log(factor) }

// Sigma is how much a series scatters, in ln.
func (f *Simulation) Sigma(series int) float64 { return f.sigmas[series] }

// Next is one campaign: requests per second of each series.
func (f *Simulation) Next() []float64 {
	host := f.nextHost()
	f.levels[0] += f.scenario.Drift
	values := make([]float64, SimulatedSeries)
	for i := range values {
		values[i] = math.Exp(f.levels[i] + host + f.residual(i))
		if f.scenario.Missing > 0 && f.random.Float64() < f.scenario.Missing {
			values[i] = math.NaN()
		}
	}
	return values
}

func (f *Simulation) nextHost() float64 {
	if f.scenario.VM {
		f.wave = 0.5*f.wave + 0.03*f.student(3)
		return f.wave
	}
	if f.random.Float64() < 0.02 {
		f.host += 0.2 * f.random.NormFloat64()
	}
	return f.host + 0.004*f.random.NormFloat64()
}

func (f *Simulation) residual(series int) float64 {
	r := f.random.NormFloat64()
	if f.scenario.HeavyTails {
		r = f.student(5) * math.Sqrt(3.0/5) // of variance 1
	}
	r *= f.sigmas[series]
	if f.scenario.Dips && f.random.Float64() < 0.004 {
		r += -0.15 + 0.05*f.random.NormFloat64()
	}
	return r
}

// student draws from Student's t.
func (f *Simulation) student(freedom int) float64 {
	squares := 0.0
	for range freedom {
		z := f.random.NormFloat64()
		squares += z * z
	}
	return f.random.NormFloat64() / math.Sqrt(squares/float64(freedom))
}

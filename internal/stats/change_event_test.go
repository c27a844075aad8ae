package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

// hosted is a field of n that scatters by 1 % on a host that does so by as much as is
// said; from campaign 30 on the first of it are slower by these factors. It returns what
// is reported from then on.
func hosted(n int, host float64, seed uint64, factors []float64) (changes []stats.Change) {
	random := rand.New(rand.NewPCG(seed, 20200810))
	detector := stats.NewDetector(n, groupConfig())
	for campaign := range 45 {
		values := make([]float64, n)
		common := math.Exp(host * random.NormFloat64())
		for i := range values {
			values[i] = 1000 * float64(i+1) * common * math.Exp(0.01*random.NormFloat64())
			if campaign >= 30 && i < len(factors) {
				values[i] *= factors[i]
			}
		}
		for _, c := range detector.Observe(stats.Campaign{Values: values}) {
			if c.Onset >= 29 {
				changes = append(changes, c)
			}
		}
	}
	return changes
}

// One campaign, however bad, is no change of a part of the field either. Who stays as it
// was then has changed since then; what happens to another one afterwards is seen as if
// nothing had been.
func TestAPartOfTheFieldMayHaveOneBadCampaign(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 20200810))
		detector := stats.NewDetector(11, groupConfig())
		since := map[int]int{}
		for campaign := range 60 {
			values := make([]float64, 11)
			for i := range values {
				values[i] = 1000 * math.Exp(0.01*random.NormFloat64())
				if i < 4 && campaign == 30 || i == 0 && campaign > 30 {
					values[i] *= 0.8
				}
				if i == 1 && campaign >= 40 {
					values[i] *= 0.9
				}
			}
			for _, c := range detector.Observe(stats.Campaign{Values: values}) {
				if c.Series == stats.WholeField {
					t.Errorf("seed %d: %+v", seed, c)
				}
				if c.Onset >= 30 {
					since[c.Series] = c.Onset
				}
			}
			if campaign == 30 && len(detector.Suspicious()) < 4 {
				t.Errorf("seed %d: suspicious %v", seed, detector.Suspicious())
			}
		}
		if since[0] != 30 || since[1] < 39 || since[1] > 41 {
			t.Errorf("seed %d: changed since %v", seed, since)
		}
	}
}

func repeated(factor float64, n int) (all []float64) {
	for range n {
		all = append(all, factor)
	}
	return all
}

// What becomes slower together is said to be slower, by as much as it is: on a quiet host
// and on one that wanders, of the same size or not.
func TestAPartOfTheFieldIsSizedByItself(t *testing.T) {
	for name, test := range map[string]struct {
		n        int
		host     float64
		factors  []float64
		relative bool
	}{
		"3 of 9":                 {9, 0.004, repeated(0.5, 3), true},
		"3 of 9, wandering":      {9, 0.06, repeated(0.5, 3), true},
		"3 of 9, unequal":        {9, 0.004, []float64{0.5, 0.8, 0.9}, true},
		"3 of 7":                 {7, 0.004, repeated(0.8, 3), true},
		"4 of 11":                {11, 0.004, repeated(0.9, 4), true},
		"4 of 11, wandering":     {11, 0.06, repeated(0.9, 4), true},
		"4 of 11, half as fast":  {11, 0.06, repeated(0.5, 4), true},
		"4 of 11, faster":        {11, 0.06, repeated(1.2, 4), true},
		"3 of 6":                 {6, 0.004, repeated(0.5, 3), false},
		"6 of 11":                {11, 0.004, repeated(0.5, 6), false},
		"6 of 11, wandering":     {11, 0.06, repeated(0.4, 6), false},
		"all of 11, but unequal": {11, 0.004, []float64{0.5, 0.6, 0.7, 0.75, 0.8, 0.5, 0.6, 0.7, 0.8, 0.9, 0.55}, false},
	} {
		const fields = 40
		truth, covered := 0.0, 0
		for _, factor := range test.factors {
			truth += math.Log(factor) / float64(len(test.factors))
		}
		for seed := range uint64(fields) {
			changes := hosted(test.n, test.host, seed, test.factors)
			if len(changes) == 0 || changes[0].Series != stats.WholeField {
				t.Errorf("%s, seed %d: %+v", name, seed, changes)
				continue
			}
			c := changes[0]
			if c.Relative != test.relative || c.CI95 == nil || c.CI95.Contains(0) || (*c.Effect < 0) != (truth < 0) {
				t.Errorf("%s, seed %d: effect %.3f, interval %+v, relative %t", name, seed, *c.Effect, c.CI95, c.Relative)
			}
			if c.CI95 != nil && c.CI95.Contains(math.Expm1(truth)) {
				covered++
			}
		}
		if covered < fields-6 { // of 40 two may be missing, and more than six with a probability of 0.003
			t.Errorf("%s: the interval holds it in %d of %d", name, covered, fields)
		}
	}
}

// Of the many names that a field once had, those that are measured count: three of nine
// with one campaign are an event, and not three alarms.
func TestWhoLeftTheFieldHasNoSayInItsEvents(t *testing.T) {
	const formerly, left, slow = 24, 9, 4
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 20200810))
		detector := stats.NewDetector(formerly, groupConfig())
		for campaign := range 70 {
			values := make([]float64, formerly)
			for i := range values {
				values[i] = 1000 * math.Exp(0.01*random.NormFloat64())
				if i >= left && campaign >= 20 {
					values[i] = math.NaN()
				}
				if i < slow && campaign >= 50 {
					values[i] *= 0.965
				}
			}
			changes := detector.Observe(stats.Campaign{Values: values})
			if len(changes) >= 3 {
				t.Errorf("seed %d, campaign %d: %d changes at once", seed, campaign, len(changes))
			}
		}
	}
}

// One series on another machine has no others to compare with; what it did before says
// how much of it may be chance.
func TestAnotherEnvironmentOfOneSeries(t *testing.T) {
	for factor, clear := range map[float64]bool{0.8: true, 1.25: true, 0.99: false} {
		detector := stats.NewDetector(1, stats.Config{})
		random := rand.New(rand.NewPCG(2, 20200810))
		var changes []stats.Change
		for campaign := range 20 {
			environment, value := "a", 1000*math.Exp(0.02*random.NormFloat64())
			if campaign >= 15 {
				environment, value = "b", value*factor
			}
			changes = append(changes, detector.Observe(stats.Campaign{Values: []float64{value}, Environment: environment})...)
		}
		c := wantOne(t, changes, stats.WholeField, stats.NewEnvironment)
		if c.CI95 == nil || c.CI95.Contains(0) == clear || !c.CI95.Contains(factor-1) {
			t.Errorf("times %g: effect %.3f, interval %+v", factor, *c.Effect, c.CI95)
		}
	}
}

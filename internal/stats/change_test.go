package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"restbench/internal/stats"
)

// watch feeds campaigns 0 to n-1 of a Gaussian field to a detector; disturb may
// alter each before.
func watch(t *testing.T, n int, disturb func(campaign int, values []float64)) []stats.Change {
	t.Helper()
	detector := stats.NewDetector(stats.SimulatedSeries, groupConfig())
	return watchWith(detector, n, disturb)
}

func watchWith(detector *stats.Detector, n int, disturb func(campaign int, values []float64)) []stats.Change {
	random := rand.New(rand.NewPCG(5, 20200810))
	field := quietField(random)
	var changes []stats.Change
	for campaign := range n {
		values := field()
		disturb(campaign, values)
		changes = append(changes, detector.Observe(stats.Campaign{Values: values})...)
	}
	return changes
}

// quietField is a field of 1,000 to 11,000 requests per second that scatters by
// 1 %, on a host that moves by 3 %.
func quietField(random *rand.Rand) func() []float64 {
	return func() []float64 {
		host := math.Exp(0.03 * random.NormFloat64())
		values := make([]float64, stats.SimulatedSeries)
		for i := range values {
			values[i] = float64(1000*(i+1)) * host * math.Exp(0.01*random.NormFloat64())
		}
		return values
	}
}

func wantNone(t *testing.T, changes []stats.Change) {
	t.Helper()
	for _, c := range changes {
		t.Errorf("unexpected change: %+v", c)
	}
}

func wantOne(t *testing.T, changes []stats.Change, series int, kind stats.ChangeKind) stats.Change {
	t.Helper()
	if len(changes) != 1 || changes[0].Series != series || changes[0].Kind != kind {
		t.Fatalf("changes are %+v, want one of series %d: %s", changes, series, kind)
	}
	return changes[0]
}

func TestASlowDownIsFoundOnceWithOnsetAndSize(t *testing.T) {
	c := wantOne(t, watch(t, 60, func(campaign int, values []float64) {
		if campaign >= 30 {
			values[4] *= 0.92
		}
	}), 4, stats.BecameSlower)
	near(t, "onset", float64(c.Onset), 30, 0)
	// 8 standard deviations: two campaigns suffice.
	near(t, "reported", float64(c.Reported), 31, 0)
	near(t, "effect", *c.Effect, -0.08, 0.02)
	if !c.CI95.Contains(-0.08) || c.CI95.High-c.CI95.Low > 0.06 {
		t.Errorf("interval %+v", c.CI95)
	}
}

func TestAnImprovementIsFoundToo(t *testing.T) {
	c := wantOne(t, watch(t, 45, func(campaign int, values []float64) {
		if campaign >= 30 {
			values[0] *= 1.10
		}
	}), 0, stats.BecameFaster)
	near(t, "effect", *c.Effect, 0.10, 0.02)
}

// The same history as seconds must tell the same story.
func TestLowerIsBetterMirrors(t *testing.T) {
	slowDown := func(campaign int, values []float64) {
		if campaign >= 30 {
			values[4] *= 0.92
		}
	}
	seconds := stats.NewDetector(stats.SimulatedSeries, stats.Config{Group: true, LowerIsBetter: true})
	mirrored := wantOne(t, watchWith(seconds, 60, func(campaign int, values []float64) {
		slowDown(campaign, values)
		for i := range values {
			values[i] = 1 / values[i]
		}
	}), 4, stats.BecameSlower)
	plain := wantOne(t, watch(t, 60, slowDown), 4, stats.BecameSlower)
	if plain.Onset != mirrored.Onset || plain.Reported != mirrored.Reported {
		t.Errorf("%+v and %+v", plain, mirrored)
	}
	near(t, "effect of seconds", 1+*mirrored.Effect, 1/(1+*plain.Effect), 1e-9)
	near(t, "low end of seconds", 1+mirrored.CI95.Low, 1/(1+plain.CI95.High), 1e-9)
}

func TestOneBadCampaignIsNeverAChange(t *testing.T) {
	for _, factor := range []float64{0.01, 0.5, 0.9, 2, 100} {
		wantNone(t, watch(t, 50, func(campaign int, values []float64) {
			if campaign == 30 {
				values[3] *= factor
			}
		}))
	}
}

// Two of three bad campaigns are not a level.
func TestTwoBadCampaignsWithAGoodOneBetweenAreNotAChange(t *testing.T) {
	wantNone(t, watch(t, 50, func(campaign int, values []float64) {
		if campaign == 30 || campaign == 32 {
			values[3] *= 0.85
		}
	}))
}

func TestASlowHostIsOneEvent(t *testing.T) {
	c := wantOne(t, watch(t, 60, func(campaign int, values []float64) {
		for i := range values {
			if campaign >= 30 {
				values[i] *= 0.7
			}
		}
	}), stats.WholeField, stats.NewEnvironment)
	near(t, "onset", float64(c.Onset), 30, 0)
	near(t, "effect", *c.Effect, -0.3, 0.05)
}

func TestAHostThatIsSlowOnceIsNoEvent(t *testing.T) {
	wantNone(t, watch(t, 60, func(campaign int, values []float64) {
		for i := range values {
			if campaign == 30 {
				values[i] *= 0.7
			}
		}
	}))
}

func TestFourOfElevenTogetherAreOneEvent(t *testing.T) {
	for _, factor := range []float64{0.8, 0.92} {
		c := wantOne(t, watch(t, 60, func(campaign int, values []float64) {
			for i := range 4 {
				if campaign >= 30 {
					values[i] *= factor
				}
			}
		}), stats.WholeField, stats.NewEnvironment)
		if c.Onset < 29 || c.Onset > 31 {
			t.Errorf("onset %d, want 30", c.Onset)
		}
	}
}

func TestAChangedFingerprintIsAnEventWithASize(t *testing.T) {
	detector := stats.NewDetector(3, stats.Config{})
	var changes []stats.Change
	for campaign := range 20 {
		environment, speed := "3.12", 1.0
		switch {
		case campaign == 5:
			environment = "" // not known is not different
		case campaign >= 10:
			environment, speed = "3.13", 1.25
		}
		values := []float64{1000 * speed, 200 * speed, math.NaN()}
		changes = append(changes, detector.Observe(stats.Campaign{Values: values, Environment: environment})...)
	}
	c := wantOne(t, changes, stats.WholeField, stats.NewEnvironment)
	near(t, "onset", float64(c.Onset), 10, 0)
	near(t, "reported", float64(c.Reported), 10, 0)
	near(t, "effect", *c.Effect, 0.25, 1e-9)
	if !detector.Learning(0) {
		t.Error("ten campaigns after the change the series is not learning")
	}
}

// A target that waits instead of working does not follow the host; what the host
// does must not be put into it.
func TestAStalledTargetIsNotJudgedByTheHost(t *testing.T) {
	detector := stats.NewDetector(stats.SimulatedSeries, groupConfig())
	random := rand.New(rand.NewPCG(6, 20200810))
	var changes []stats.Change
	for campaign := range 80 {
		host := math.Exp(0.08 * random.NormFloat64())
		if campaign >= 60 {
			host *= 0.8
		}
		values := make([]float64, stats.SimulatedSeries)
		for i := range values {
			values[i] = 1000 * host * math.Exp(0.01*random.NormFloat64())
		}
		values[7] = 40 * math.Exp(0.01*random.NormFloat64())
		if campaign >= 40 {
			values[7] *= 0.92 // by 8 % of its own noise of 1 %, while the host moves by 8 %
		}
		for _, c := range detector.Observe(stats.Campaign{Values: values}) {
			if c.Series != stats.WholeField {
				changes = append(changes, c)
			}
		}
	}
	c := wantOne(t, changes, 7, stats.BecameSlower)
	near(t, "onset", float64(c.Onset), 40, 0)
	if c.Reported > 43 {
		t.Errorf("reported with campaign %d, want at most 43", c.Reported)
	}
}

func TestAMissingFrameworkIsNotAChange(t *testing.T) {
	wantNone(t, watch(t, 90, func(campaign int, values []float64) {
		if campaign >= 20 && campaign < 40 {
			values[1] = math.NaN()
		}
		if campaign%7 == 3 {
			values[campaign%stats.SimulatedSeries] = 0 // a failed measurement
		}
	}))
}

// With four of eleven measured, the host cannot be told from the frameworks.
func TestACampaignOfFewFrameworksIsNotJudged(t *testing.T) {
	wantNone(t, watch(t, 60, func(campaign int, values []float64) {
		if campaign >= 30 && campaign < 40 {
			for i := range values {
				values[i] *= 0.6
				if i >= 4 {
					values[i] = math.NaN()
				}
			}
		}
	}))
}

func TestSuspiciousNamesTheBadOne(t *testing.T) {
	detector := stats.NewDetector(stats.SimulatedSeries, groupConfig())
	for campaign := range 31 {
		watchOne(detector, campaign, func(values []float64) {
			if campaign == 30 {
				values[2] *= 0.85
			}
		})
		want := 0
		if campaign == 30 {
			want = 1
		}
		if got := detector.Suspicious(); len(got) != want || want == 1 && got[0] != 2 {
			t.Fatalf("campaign %d: suspicious are %v", campaign, got)
		}
	}
}

// watchOne feeds one campaign, each with a seed of its own.
func watchOne(detector *stats.Detector, campaign int, disturb func(values []float64)) {
	values := quietField(rand.New(rand.NewPCG(uint64(campaign), 9)))()
	disturb(values)
	detector.Observe(stats.Campaign{Values: values})
}

func TestLearningEndsAndDetectableShrinks(t *testing.T) {
	detector := stats.NewDetector(stats.SimulatedSeries, groupConfig())
	if _, ok := detector.Detectable(0, 10); ok || !detector.Learning(0) {
		t.Error("a detector without history is not learning")
	}
	for campaign := range 30 {
		watchOne(detector, campaign, func([]float64) {})
	}
	if detector.Learning(0) {
		t.Error("still learning after 30 campaigns")
	}
	before := 1.0
	for _, campaigns := range []int{2, 3, 10} {
		share, ok := detector.Detectable(0, campaigns)
		if !ok || share >= before {
			t.Errorf("detectable in %d campaigns: %v, %v", campaigns, share, ok)
		}
		before = share
	}
	if _, ok := detector.Detectable(0, 1); ok {
		t.Error("one campaign is said to suffice")
	}
}

// What Detectable promises is found in about four of five cases.
func TestDetectableIsTrue(t *testing.T) {
	const fields = 120
	random := rand.New(rand.NewPCG(8, 20200810))
	hits := 0
	for range fields {
		detector := stats.NewDetector(stats.SimulatedSeries, groupConfig())
		field := quietField(random)
		for range 25 {
			detector.Observe(stats.Campaign{Values: field()})
		}
		share, ok := detector.Detectable(3, 3)
		if !ok {
			t.Fatal("nothing is detectable")
		}
		if foundWithin(detector, field, share, 3) {
			hits++
		}
	}
	// 0.8 ± four standard errors: 4 · √(0.8 · 0.2 / 120) = 0.146.
	near(t, "share found", float64(hits)/fields, 0.8, 0.146)
}

func foundWithin(detector *stats.Detector, field func() []float64, share float64, campaigns int) bool {
	for range campaigns {
		values := field()
		values[3] *= 1 - share
		for _, c := range detector.Observe(stats.Campaign{Values: values}) {
			if c.Series == 3 && c.Kind == stats.BecameSlower {
				return true
			}
		}
	}
	return false
}

// The heart of it, at a size that a test can afford; the benchmarks print it at
// full size. 3,000 campaigns at 1 per 1,000 would have 3 alerts, and more than 8
// with a probability of 0.004.
func TestFalseAlertsAreRare(t *testing.T) {
	for _, s := range nullScenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got := count(s.Scenario, 3000, 7)
			if got.alerts() > 3 {
				t.Errorf("%d false alerts in %d campaigns", got.alerts(), got.campaigns)
			}
		})
	}
}

func TestDelays(t *testing.T) {
	for share, want := range map[float64]float64{0.03: 11, 0.05: 3, 0.10: 2, 0.20: 2} {
		all := delays(stats.Scenario{HeavyTails: true, Dips: true}, share, 200)
		if got := medianDelay(all); got > want {
			t.Errorf("%v %% slower: found after a median of %v campaigns, want at most %v", 100*share, got, want)
		}
		// 0.95 - four standard errors: 4 · √(0.95 · 0.05 / 200) = 0.06; some were not found.
		if got := coveredShare(all); got < 0.88 {
			t.Errorf("%v %% slower: the interval holds it in %v of cases, want 0.95", 100*share, got)
		}
	}
}

func TestAWrongNumberOfValuesPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	stats.NewDetector(3, stats.Config{}).Observe(stats.Campaign{Values: []float64{1, 2}})
}

// What is undone after four campaigns is reported as a change back, so that its
// alert can end.
func TestAChangeThatIsUndoneSoonIsReportedBack(t *testing.T) {
	changes := watch(t, 60, func(campaign int, values []float64) {
		if campaign >= 30 && campaign < 34 {
			values[4] *= 0.88
		}
	})
	if len(changes) != 2 {
		t.Fatalf("changes are %+v, want two", changes)
	}
	wantOne(t, changes[:1], 4, stats.BecameSlower)
	back := wantOne(t, changes[1:], 4, stats.BecameFaster)
	near(t, "onset of the way back", float64(back.Onset), 34, 0)
	if back.Reported > 36 {
		t.Errorf("reported with campaign %d, want at most 36", back.Reported)
	}
}

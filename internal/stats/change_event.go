package stats

import "math"

// eventOfAll sizes an event of the field by the mean of the differences of all its
// series, as measured; the margin, in ln, is what the host does by itself, and comes on
// top of what they scatter.
func (d *Detector) eventOfAll(campaign int, differences []float64, margin float64) Change {
	change := Change{Series: WholeField, Kind: NewEnvironment, Onset: campaign, Reported: campaign}
	s := Summarize(differences)
	if s.N == 0 {
		return change
	}
	effect := d.share(s.Mean)
	change.Effect = &effect
	switch {
	case math.IsInf(margin, 1):
	case s.CI95 != nil:
		change.CI95 = d.interval(s.Mean, math.Hypot(s.CI95.High-s.Mean, margin))
	case !d.field() || d.few: // the margin is that of the series, and not that of the host alone
		change.CI95 = d.interval(s.Mean, margin)
	}
	return change
}

// eventOfSome sizes an event by the series that moved: those that did not would only
// hide it. They need not have moved by the same, so the interval is that of the mean of
// these series, by what each scatters, and not one of others like them. What may be
// wrong with one may be with all of them: their errors do not cancel out.
func (d *Detector) eventOfSome(change Change, moved []deviation) Change {
	mean, margin := 0.0, 0.0
	for _, one := range moved {
		change.Moved = append(change.Moved, one.series)
		mean += one.difference / float64(len(moved))
		margin += marginOf(one.sigma, one.freedom) / float64(len(moved))
	}
	effect := d.share(mean)
	change.Series, change.Kind = WholeField, NewEnvironment
	change.Effect, change.CI95 = &effect, d.interval(mean, margin)
	return change
}

// suddenEvent is what so many series did in one campaign: relative to the others, or as
// measured where what all have in common is more than the host does by chance. Then at
// least half of the field moved, and who stayed would look like the one that moved.
func (d *Detector) suddenEvent(campaign int, values []float64, moved []deviation) Change {
	change := Change{Onset: campaign, Reported: campaign, Relative: true}
	host := newLevel(d.host.newest(longestBaseline), spread{})
	scatter := d.host.carried.plus(host.spread)
	if host.n == 0 || scatter.freedom < 1 {
		return d.eventOfSome(change, moved)
	}
	sigma := scatter.sigma() * math.Sqrt(1+1/float64(host.n))
	if math.Abs(d.hostEffect-host.center) > d.critical.surprise.at(scatter.freedom)*sigma {
		if measured := d.surprising(d.judged(values), host.center, sigma); len(measured) > 0 {
			change.Relative, moved = false, measured
		}
	}
	return d.eventOfSome(change, moved)
}

// storm is a campaign in which a part of the field was far off. Alone it is one bad
// campaign, and never a change.
type storm struct {
	campaign int
	values   []float64
	host     float64
	moved    []deviation
}

// eventOfSeveral looks for what so many series did at once. What only a part of them
// did, relative to the others, is an event when the next campaign shows it again: until
// then the campaign is held back, and nothing is compared with it.
func (d *Detector) eventOfSeveral(campaign int, values []float64) (events []Change, held bool) {
	moved, together := d.judgeCampaign(values)
	before := d.held
	d.held = nil
	if together {
		event := d.suddenEvent(campaign, values, moved)
		if !event.Relative {
			d.startAnew(campaign, values)
			return []Change{event}, false
		}
		if again := before.again(moved); len(again) >= fewestInEvent && 2*len(again) > len(moved) {
			d.startAfter(before, campaign, values)
			return []Change{d.eventOfSome(Change{Onset: before.campaign, Reported: campaign, Relative: true}, again)}, false
		}
		d.held = &storm{campaign, values, d.hostEffect, moved}
	}
	d.release(before)
	return nil, together
}

// startAfter makes the storm the first campaign of all baselines, and this one the second.
func (d *Detector) startAfter(s *storm, campaign int, values []float64) {
	d.startAnew(s.campaign, s.values)
	d.measureLevels()
	d.hostEffect, _ = d.estimateHost(values)
	d.record(campaign, values)
}

// again are those of moved that the storm had moved in the same direction.
func (s *storm) again(moved []deviation) (both []deviation) {
	if s == nil {
		return nil
	}
	for _, one := range moved {
		for _, other := range s.moved {
			if one.series == other.series && one.difference*other.difference > 0 {
				both = append(both, one)
			}
		}
	}
	return both
}

// release takes in what was held back.
func (d *Detector) release(s *storm) {
	if s == nil {
		return
	}
	now := d.hostEffect
	d.hostEffect = s.host
	d.record(s.campaign, s.values)
	d.hostEffect = now
}

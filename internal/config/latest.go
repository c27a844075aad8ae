package config

import (
	"fmt"
	"time"
)

// Latest is how the edition latest is renewed, where it is among the editions.
type Latest struct {
	Schedule    string        `yaml:"schedule"`     // when the package index is asked; cron expression like that of campaigns
	MinAge      time.Duration `yaml:"min_age"`      // releases that are younger wait
	AllowSource bool          `yaml:"allow_source"` // takes source distributions, too: their code runs when they are built
	Threshold   float64       `yaml:"threshold"`    // slower by more than this share is told
	Precision   float64       `yaml:"precision"`    // that the ratio of new to old is to be known to
	Time        time.Duration `yaml:"time"`         // that one comparison of two sets takes at the most
}

// defaultLatest asks once a day, between two campaigns of the default schedule.
func defaultLatest() Latest {
	return Latest{
		Schedule: "30 1 * * *", MinAge: 3 * 24 * time.Hour,
		Threshold: 0.05, Precision: 0.03, Time: 10 * time.Minute,
	}
}

// oldest bounds min_age: nobody waits for ten years.
const oldest = 10 * 365 * 24 * time.Hour

func (l Latest) validate() error {
	switch {
	case l.MinAge < 0 || l.MinAge > oldest:
		return fmt.Errorf("latest: min_age is %s, must be 0s to %s; 72h is three days", l.MinAge, oldest)
	case !(l.Threshold > 0 && l.Threshold < 1):
		return fmt.Errorf("latest: threshold is %g, must be above 0 and below 1; 0.05 is 5 %%", l.Threshold)
	case !(l.Precision > 0 && l.Precision < 1):
		return fmt.Errorf("latest: precision is %g, must be above 0 and below 1; 0.03 is 3 %%", l.Precision)
	case l.Time < time.Second || l.Time > 24*time.Hour:
		return fmt.Errorf("latest: time is %s, must be 1s to 24h", l.Time)
	}
	return nil
}

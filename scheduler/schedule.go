// Package scheduler says when a campaign runs and in what order its targets are
// measured, and it carries the campaign out. What it needs of servers, engines,
// the machine and the history it asks for through small interfaces; it does not
// know who answers them.
package scheduler

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule answers when the next slot is: strictly after now.
type Schedule interface {
	Next(now time.Time) time.Time
}

// MinInterval is the shortest distance of two slots that a schedule may have.
const MinInterval = time.Minute

// ParseSchedule reads a cron expression of five fields or a descriptor such as
// @daily or "@every 3h". Times are UTC unless the expression starts with
// "CRON_TZ=Europe/Berlin ".
func ParseSchedule(expression string, now time.Time) (Schedule, error) {
	schedule, err := parseCron(strings.TrimSpace(expression))
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", shorten(expression), err)
	}
	first := schedule.Next(now.UTC())
	if first.IsZero() {
		return nil, fmt.Errorf("schedule %q: that date never comes", shorten(expression))
	}
	if second := schedule.Next(first); second.Sub(first) < MinInterval {
		return nil, fmt.Errorf("schedule %q: slots are %s apart, at least %s is needed", shorten(expression), second.Sub(first), MinInterval)
	}
	return schedule, nil
}

// parseCron guards the library: it panics on a time zone without anything
// behind it, and it would read times in the zone of the machine.
func parseCron(expression string) (cron.Schedule, error) {
	zoned := strings.HasPrefix(expression, "TZ=") || strings.HasPrefix(expression, "CRON_TZ=")
	switch {
	case expression == "":
		return nil, errors.New("is empty")
	case len(expression) > 200:
		return nil, errors.New("is longer than 200 characters")
	case zoned && len(strings.Fields(expression)) < 2:
		return nil, errors.New("has a time zone but no times")
	case !zoned && !strings.HasPrefix(expression, "@every"):
		expression = "CRON_TZ=UTC " + expression
	}
	return cron.ParseStandard(strings.Join(strings.Fields(expression), " "))
}

func shorten(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

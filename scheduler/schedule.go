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
const MinInterval = time.Second

// ParseSchedule reads a cron expression of five fields or a descriptor such as
// @daily or "@every 3h". Times are UTC unless the expression starts with
// "CRON_TZ=Europe/Berlin ". Such a zone's summer time costs the slots in the
// hour that it skips and doubles those in the hour that it repeats.
func ParseSchedule(expression string, now time.Time) (Schedule, error) {
	schedule, err := parseCron(strings.TrimSpace(expression))
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", shorten(expression), err)
	}
	if schedule.Next(now.UTC()).IsZero() {
		return nil, fmt.Errorf("schedule %q: that date never comes", shorten(expression))
	}
	return schedule, nil
}

// parseCron guards the library, which panics on a time zone without anything
// behind it, reads times in the zone of the machine, and silently makes one
// second of every shorter interval.
func parseCron(expression string) (cron.Schedule, error) {
	if len(expression) > 200 {
		return nil, errors.New("is longer than 200 characters")
	}
	fields := strings.Fields(expression)
	if len(fields) == 0 {
		return nil, errors.New("is empty")
	}
	zone, zoned := timeZone(fields[0])
	if zoned {
		fields = fields[1:]
	}
	switch {
	case len(fields) == 0:
		return nil, errors.New("has a time zone but no times")
	case zone == "" || zone == "Local":
		return nil, errors.New(`needs a time zone with a name, such as "Europe/Berlin"`)
	}
	if err := checkInterval(fields); err != nil {
		return nil, err
	}
	return cron.ParseStandard("CRON_TZ=" + zone + " " + strings.Join(fields, " "))
}

func timeZone(field string) (zone string, given bool) {
	for _, prefix := range []string{"CRON_TZ=", "TZ="} {
		if zone, given = strings.CutPrefix(field, prefix); given {
			return zone, true
		}
	}
	return "UTC", false
}

func checkInterval(fields []string) error {
	if fields[0] != "@every" || len(fields) != 2 {
		return nil
	}
	interval, err := time.ParseDuration(fields[1])
	if err != nil {
		return err
	}
	if interval < MinInterval {
		return fmt.Errorf("slots are %s apart, at least %s is needed", interval, MinInterval)
	}
	return nil
}

func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "..."
	}
	return s
}

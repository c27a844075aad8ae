package scheduler

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // a plain machine may have no time zones

	"github.com/google/go-cmp/cmp"
)

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestScheduleNext(t *testing.T) {
	now := at("2026-11-20 10:20:30")
	tests := map[string]string{
		"0 */3 * * *":                     "2026-11-20 12:00:00",
		"  0   */3 * *\t* ":               "2026-11-20 12:00:00",
		"@daily":                          "2026-11-21 00:00:00",
		"@every 3h":                       "2026-11-20 13:20:30",
		"@every 1s":                       "2026-11-20 10:20:31",
		"CRON_TZ=UTC @every 90m":          "2026-11-20 11:50:30",
		"CRON_TZ=Europe/Berlin 0 3 * * *": "2026-11-21 02:00:00",
		"TZ=Asia/Tokyo @daily":            "2026-11-20 15:00:00",
		"0 0 29 2 *":                      "2028-02-29 00:00:00",
	}
	for expression, want := range tests {
		schedule, err := ParseSchedule(expression, now)
		if err != nil {
			t.Errorf("%q: %v", expression, err)
			continue
		}
		if got := schedule.Next(now); !got.Equal(at(want)) || got.Location() != time.UTC {
			t.Errorf("%q: next is %s, want %s UTC", expression, got, want)
		}
	}
}

// The zone of the machine must not matter: the same file means the same everywhere.
func TestScheduleIsInUTCOnAnyMachine(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	now := at("2026-11-20 10:00:00").In(tokyo)
	schedule, err := ParseSchedule("0 12 * * *", now)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := schedule.Next(now.UTC()), at("2026-11-20 12:00:00"); !got.Equal(want) {
		t.Errorf("next is %s, want %s", got.UTC(), want)
	}
}

func TestBadSchedulesAreToldInOneLine(t *testing.T) {
	tests := map[string]string{
		"":                                `schedule "": is empty`,
		" \t\n":                           "is empty",
		"TZ=UTC":                          `schedule "TZ=UTC": has a time zone but no times`,
		"CRON_TZ=UTC ":                    "has a time zone but no times",
		"CRON_TZ= 0 3 * * *":              `needs a time zone with a name, such as "Europe/Berlin"`,
		"TZ=Local 0 3 * * *":              `needs a time zone with a name, such as "Europe/Berlin"`,
		"CRON_TZ=Europe/Brelin @daily":    "unknown time zone Europe/Brelin",
		"30 2 30 2 *":                     `schedule "30 2 30 2 *": that date never comes`,
		"@every 500ms":                    `schedule "@every 500ms": slots are 500ms apart, at least 1s is needed`,
		"CRON_TZ=UTC   @every    999ms":   "slots are 999ms apart, at least 1s is needed",
		"@every 0s":                       "slots are 0s apart, at least 1s is needed",
		"@every -3h":                      "slots are -3h0m0s apart, at least 1s is needed",
		"@every":                          "unrecognized descriptor: @every",
		"@every day":                      `time: invalid duration "day"`,
		"@fortnightly":                    "unrecognized descriptor: @fortnightly",
		"0 3 * *":                         "expected exactly 5 fields, found 4",
		"0 0 3 * * *":                     "expected exactly 5 fields, found 6",
		"61 * * * *":                      "end of range (61) above maximum (59): 61",
		"*/0 * * * *":                     "step of range should be a positive number: */0",
		strings.Repeat("*", 10_000):       "is longer than 200 characters",
		strings.Repeat("* ", 5_000):       "is longer than 200 characters",
		"CRON_TZ=../../etc/passwd @daily": "time: invalid location name",
	}
	for expression, want := range tests {
		_, err := ParseSchedule(expression, at("2026-11-20 10:20:30"))
		switch {
		case err == nil:
			t.Errorf("%.40q: no error, want %q", expression, want)
		case !strings.Contains(err.Error(), want):
			t.Errorf("%.40q:\n got %s\nwant %s", expression, err, want)
		case len(err.Error()) > 300 || strings.Contains(err.Error(), "\n"):
			t.Errorf("%.40q: not one short line: %s", expression, err)
		}
	}
}

// The night of 29 March 2026 has no 02:30 in Berlin, that of 25 October two.
func TestSummerTimeCostsASlotAndDoublesAnother(t *testing.T) {
	tests := map[string]struct {
		from string
		want []string
	}{
		"begins": {"2026-03-27 12:00:00", []string{"2026-03-28 01:30:00", "2026-03-30 00:30:00", "2026-03-31 00:30:00"}},
		"ends":   {"2026-10-24 12:00:00", []string{"2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-10-26 01:30:00"}},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, slots(t, "CRON_TZ=Europe/Berlin 30 2 * * *", test.from)); diff != "" {
			t.Errorf("summer time %s (-want +got):\n%s", name, diff)
		}
	}
}

// An interval is a distance: no hour that a zone skips or repeats changes it.
func TestSummerTimeDoesNotTouchIntervals(t *testing.T) {
	want := []string{"2026-03-29 00:30:00", "2026-03-29 01:30:00", "2026-03-29 02:30:00"}
	if diff := cmp.Diff(want, slots(t, "CRON_TZ=Europe/Berlin @every 1h", "2026-03-28 23:30:00")); diff != "" {
		t.Errorf("slots (-want +got):\n%s", diff)
	}
}

func slots(t *testing.T, expression, from string) []string {
	t.Helper()
	schedule, err := ParseSchedule(expression, at(from))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	next := at(from)
	for range 3 {
		next = schedule.Next(next)
		all = append(all, next.Format("2006-01-02 15:04:05"))
	}
	return all
}

func FuzzParseScheduleNeverPanicsAndMovesOn(f *testing.F) {
	for _, seed := range []string{
		"0 */3 * * *", "@daily", "@every 3h", "@every 1ns", "TZ=UTC", "CRON_TZ=Europe/Berlin 30 2 * * *", "30 2 30 2 *",
		"TZ=", "CRON_TZ=Africa/Cairo 0 0 * * 5", "*/9223372036854775807 * * * *", "0 0 31 1-12/2 mon,tue", "\x00", "@every 2562047h",
	} {
		f.Add(seed)
	}
	now := at("2026-11-20 10:20:30")
	f.Fuzz(func(t *testing.T, expression string) {
		schedule, err := ParseSchedule(expression, now)
		if err != nil {
			return
		}
		previous := now
		for range 4 {
			next := schedule.Next(previous)
			if next.IsZero() {
				return // a date that comes again after the horizon of five years
			}
			if next.Sub(previous) <= 0 {
				t.Fatalf("%q: the slot after %s is %s", expression, previous, next)
			}
			previous = next
		}
	})
}

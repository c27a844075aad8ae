//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// share is a part of one, written "5%" or "0.05".
type share float64

// Set reads it. A bare 5 could mean either and is refused.
func (s *share) Set(text string) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x > 0 && x < 1) {
		return fmt.Errorf("%q is not a share: write 5%% or 0.05", text)
	}
	*s = share(x)
	return nil
}

func (s share) String() string { return fmt.Sprintf("%.3g %%", 100*float64(s)) }

// failIfSlower is a flag whose value may be left out.
type failIfSlower struct {
	set   bool
	share share // 0: the threshold's
}

// noShare stands for the value that was left out.
const noShare = "threshold"

func (f *failIfSlower) Set(text string) error {
	f.set = true
	if text == noShare {
		return nil
	}
	return f.share.Set(text)
}

func (f *failIfSlower) String() string { return "" }

// fillIn puts a value behind --fail-if-slower where there is none: the parser has
// no flags whose value may be left out.
func fillIn(args []string) []string {
	value := regexp.MustCompile(`^[0-9.]+%?$`)
	filled := slices.Clone(args)
	for i, arg := range filled {
		if arg == "--" {
			break
		}
		if arg == "--fail-if-slower" && (i+1 == len(filled) || !value.MatchString(filled[i+1])) {
			filled[i] += "=" + noShare
		}
	}
	return filled
}

// day is the end of one in UTC, as a time: a plain day would mean another moment
// in each time zone.
type day string

func (d *day) Set(text string) error {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return fmt.Errorf("%q is not a day like 2006-01-02", text)
	}
	*d = day(at.AddDate(0, 0, 1).Format(time.RFC3339))
	return nil
}

func (d *day) String() string { return string(*d) }

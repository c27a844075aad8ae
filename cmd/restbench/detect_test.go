//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/stats"
)

// steps is a file with one series that loses 20 % at row 20.
func steps(t *testing.T, header string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(header + "\n")
	for row := range 30 {
		value := 1000 + 10*(row%3)
		if row >= 20 {
			value = value * 8 / 10
		}
		fmt.Fprintf(&b, "%d,%d\n", 1700000000+3600*row, value)
	}
	return writeFile(t, "steps.csv", b.String())
}

type detectedJSON struct {
	Changes []struct {
		Series          *string
		Kind            string
		Reported, Onset int
		Effect          *float64
		CI95            *[2]float64
	}
}

func detectJSON(t *testing.T, args ...string) detectedJSON {
	t.Helper()
	got := restbench(t.Context(), t, append([]string{"detect", "--format=json"}, args...)...)
	if got.code != exitDone {
		t.Fatalf("detect: %+v", got)
	}
	var result detectedJSON
	if err := json.Unmarshal([]byte(got.out), &result); err != nil {
		t.Fatalf("%v in %s", err, got.out)
	}
	return result
}

func TestDetectFindsAStep(t *testing.T) {
	for flag, kind := range map[string]string{"": "slower", "--lower-is-better": "faster"} {
		args := []string{steps(t, "time,value")}
		if flag != "" {
			args = append(args, flag)
		}
		changes := detectJSON(t, args...).Changes
		if len(changes) != 1 {
			t.Fatalf("%d changes, want 1", len(changes))
		}
		c := changes[0]
		if c.Series == nil || *c.Series != "value" || c.Kind != kind || c.Onset != 20 || c.Reported < 21 || c.Reported > 24 {
			t.Errorf("%s: %+v", flag, c)
		}
		if *c.Effect < -0.22 || *c.Effect > -0.18 || c.CI95[0] > -0.2 || c.CI95[1] < -0.2 {
			t.Errorf("%s: effect %v, interval %v, want -0.2", flag, *c.Effect, *c.CI95)
		}
	}
}

func TestDetectPrintsATable(t *testing.T) {
	got := restbench(t.Context(), t, "detect", steps(t, "time,value"))
	for _, want := range []string{"SERIES", "value", "slower", "1700072000", "%"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not in\n%s", want, got.out)
		}
	}
}

// The environment is one event with the size of what it did, and with --group the
// whole file gives no other reading of the machine's change.
func TestDetectReportsEnvironments(t *testing.T) {
	file := filepath.Join("..", "..", "internal", "stats", "testdata", "web-frameworks-c64.csv")
	var onsets []int
	for _, c := range detectJSON(t, file, "--group", "--environment=hardware").Changes {
		if c.Kind == "environment" && c.Series == nil && (c.Onset == 142 || c.Onset == 170) {
			onsets = append(onsets, c.Onset)
		}
	}
	if diff := cmp.Diff([]int{142, 170}, onsets); diff != "" {
		t.Errorf("changes of machine (-want +got):\n%s", diff)
	}
}

// What a stream told first must not depend on what it told later.
func TestDetectDoesNotLookAhead(t *testing.T) {
	whole := read(t, filepath.Join("..", "..", "internal", "stats", "testdata", "web-frameworks-c64.csv"))
	all := detectJSON(t, writeFile(t, "all.csv", whole), "--group", "--environment=hardware").Changes
	lines := strings.SplitAfter(whole, "\n")
	for _, rows := range []int{40, 100, 150} {
		part := detectJSON(t, writeFile(t, "part.csv", strings.Join(lines[:rows+1], "")), "--group", "--environment=hardware").Changes
		known := all[:0:0]
		for _, c := range all {
			if c.Reported < rows {
				known = append(known, c)
			}
		}
		if diff := cmp.Diff(known, part); diff != "" {
			t.Errorf("after %d rows (-whole file +part):\n%s", rows, diff)
		}
	}
}

func TestDetectTellsBadInputInOneLine(t *testing.T) {
	tests := map[string]struct {
		text string
		args []string
		code int
		want []string
	}{
		"empty":              {"", nil, exitFailed, []string{"x.csv is empty"}},
		"only a header":      {"time,a\n", nil, exitFailed, []string{"x.csv:1", "no rows"}},
		"one row":            {"time,a\n1,2\n", nil, exitFailed, []string{"x.csv has one row"}},
		"no series":          {"time\n1\n", nil, exitFailed, []string{"x.csv:1", "no series"}},
		"no header":          {"1,2\n2,3\n", nil, exitFailed, []string{"x.csv:1", "name the columns"}},
		"text in a cell":     {"time,a,b\n1,2,3\n2,3,fast\n", nil, exitFailed, []string{"x.csv:3", `"b"`, `"fast"`, "not a number"}},
		"infinite":           {"time,a\n1,2\n2,+Inf\n", nil, exitFailed, []string{"x.csv:3", "+Inf"}},
		"out of order":       {"time,a\n2,2\n1,3\n", nil, exitFailed, []string{"x.csv:3", "out of order"}},
		"no time":            {"time,a\nyesterday,2\n", nil, exitFailed, []string{"x.csv:2", "yesterday", "RFC 3339"}},
		"missing cell":       {"time,a,b\n1,2,3\n2,3\n", nil, exitFailed, []string{"x.csv:3", "2 cells", "3"}},
		"open quote":         {"time,a\n1,2\n2,\"3\n", nil, exitFailed, []string{"x.csv:3"}},
		"two of one name":    {"time,a,a\n1,2,3\n", nil, exitFailed, []string{"x.csv:1", `"a"`}},
		"no such column":     {"time,a\n1,2\n2,3\n", []string{"--environment=kernel"}, exitUsage, []string{"kernel", "it has a"}},
		"time is no column":  {"time,a\n1,2\n2,3\n", []string{"--environment=time"}, exitUsage, []string{`"time"`}},
		"only fingerprints":  {"time,a\n1,2\n2,3\n", []string{"--environment=a"}, exitFailed, []string{"no series"}},
		"no format of ours":  {"time,a\n1,2\n2,3\n", []string{"--format=csv"}, exitUsage, []string{"csv"}},
		"bytes, not a table": {"\x00\x01\x02", nil, exitFailed, []string{"x.csv:1", "no series"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := restbench(t.Context(), t, append([]string{"detect", writeFile(t, "x.csv", test.text)}, test.args...)...)
			checkOneLine(t, got, test.code, test.want)
		})
	}
	t.Run("no such file", func(t *testing.T) {
		checkOneLine(t, restbench(t.Context(), t, "detect", "/nowhere/x.csv"), exitFailed, []string{"/nowhere/x.csv"})
	})
}

// What was found before a bad row is printed, then the row is told.
func TestDetectKeepsWhatItFoundBeforeABadRow(t *testing.T) {
	file := writeFile(t, "x.csv", read(t, steps(t, "time,value"))+"1800000000,oops\n")
	got := restbench(t.Context(), t, "detect", "--format=json", file)
	var result detectedJSON
	if err := json.Unmarshal([]byte(got.out), &result); err != nil || len(result.Changes) != 1 {
		t.Errorf("%v, printed: %s", err, got.out)
	}
	if got.code != exitFailed || !strings.Contains(got.err, "oops") {
		t.Errorf("%+v", got)
	}
}

// Files come from spreadsheets and from exporters: a byte order mark, times with
// zones, empty cells, the word NaN, zeros.
func TestDetectReadsWhatOthersWrite(t *testing.T) {
	file := writeFile(t, "x.csv", "\uFEFFtime,a,b\r\n2024-01-01T00:00:00Z,1,\r\n2024-01-01T02:00:00+02:00,NaN,0\r\n2024-01-02T00:00:00.5Z,2.5e3,7\r\n")
	got := restbench(t.Context(), t, "detect", file)
	if got.code != exitDone || !strings.Contains(got.out, "no change in 3 rows of 2 series") {
		t.Errorf("%+v", got)
	}
	for _, want := range []string{"not above zero count as empty: 1", "still learning", "a, b"} {
		if !strings.Contains(got.err, want) {
			t.Errorf("%q is not in %q", want, got.err)
		}
	}
}

// What all columns do together is the host with --group, and theirs without.
func TestDetectTakesTheHostOutOfAGroup(t *testing.T) {
	var b strings.Builder
	b.WriteString("time,machine,a,b,c,d,e\n")
	for row := range 40 {
		machine, factor := "unknown", 1.0 // which is not a name, so row 10 is no change of machine
		if row >= 10 {
			machine = "one"
		}
		if row >= 25 {
			factor = 0.7
		}
		fmt.Fprintf(&b, "%d,%s", 1700000000+3600*row, machine)
		for column := range 5 {
			fmt.Fprintf(&b, ",%g", factor*float64(1000+7*((row*(column+3))%11%5)))
		}
		b.WriteString("\n")
	}
	file := writeFile(t, "x.csv", b.String())
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--group", "--environment=machine"}, "environment 25"},
		{[]string{"--environment=machine"}, "slower 25 slower 25 slower 25 slower 25 slower 25"},
	} {
		var got []string
		for _, c := range detectJSON(t, append(test.args, file)...).Changes {
			got = append(got, fmt.Sprint(c.Kind, " ", c.Onset))
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.args, diff)
		}
	}
}

// The table names those whose effect an event shows, unless it is all of them.
func TestDetectNamesWhoMoved(t *testing.T) {
	found := detected{names: []string{"a", "b", "c"}}
	for want, change := range map[string]stats.Change{
		"b":      {Series: 1},
		"(a, c)": {Series: stats.WholeField, Moved: []int{0, 2}},
		"(all)":  {Series: stats.WholeField},
	} {
		if got := found.who(change); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Who asks for a group is told where there is none.
func TestDetectSaysWhereColumnsAreNoGroup(t *testing.T) {
	for name, test := range map[string]struct{ file, says string }{
		"four columns":   {"time,a,b,c,d\n1,1,1,1,1\n2,1,1,1,1\n", "--group takes at least five columns with values"},
		"a row of three": {"time,a,b,c,d,e\n1,1,1,1,1,1\n2,1,1,1,,\n", "of which --group can tell nothing: 1\n"},
		"whole rows":     {"time,a,b,c,d,e\n1,1,1,1,1,1\n2,1,1,1,1,1\n", ""},
	} {
		got := restbench(t.Context(), t, "detect", "--group", writeFile(t, "columns.csv", test.file))
		if got.code != exitDone || !strings.Contains(got.err, test.says) || (test.says == "") == strings.Contains(got.err, "--group") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

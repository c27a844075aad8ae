package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLastLines(t *testing.T) {
	long := strings.Repeat("é", lineRunes)
	tests := []struct {
		name, text string
		want       []string
	}{
		{"nothing", "\n \r\n", nil},
		{"colours", "\x1b[1;31mred\x1b[0m\n", []string{"red"}},
		{"title", "\x1b]0;evil\x07text \x1b]8;;http://x\x1b\\link", []string{"text link"}},
		{"unfinished sequence", "a\x1b[", []string{"a"}},
		{"control characters", "a\x00\x07\b\x7f\u009bb\tc", []string{"ab c"}},
		{"direction marks", "a\u202eb", []string{"ab"}},
		{"not UTF-8", "a\xffb", []string{"a\uFFFDb"}},
		{"progress", "10%\r20%\rdone\n", []string{"10%", "20%", "done"}},
		{"indented", "  at x\n", []string{"  at x"}},
		{"long line", long + "é", []string{long + "…"}},
		{"many", strings.Repeat("x\n", 5) + strings.Repeat("y\n", tailLines), strings.Fields(strings.Repeat("y ", tailLines))},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, lastLines([]byte(test.text))); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func FuzzLastLines(f *testing.F) {
	f.Add([]byte("\x1b[31mred\x1b]0;x\x07\n\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := lastLines(text)
		if len(lines) > tailLines {
			t.Errorf("%d lines", len(lines))
		}
		for _, line := range lines {
			if len([]rune(line)) > lineRunes+1 || strings.ContainsAny(line, "\x1b\x07\n\r\u009b") {
				t.Errorf("got %q", line)
			}
		}
	})
}

func FuzzParseStat(f *testing.F) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("1 (a) b) c) S 1"))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = parseStat(text) })
}

func TestParseStatOfAStrangeName(t *testing.T) {
	text := "42 (a) S (b c) R 7 42 1 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 3 0 12345 1 1"
	got, err := parseStat([]byte(text))
	want := stat{
		identity: identity{42, 12345}, name: "a) S (b c", state: 'R', parent: 7, group: 42, threads: 3,
		cpu: 200 * tick, waited: 50 * tick,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(stat{}, identity{})); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

func TestListenerInode(t *testing.T) {
	tests := []struct {
		line  string
		inode string
		ok    bool
	}{
		{"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 555 1 0 100 0 0 10 0", "555", true},
		{"   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 555 1", "555", true},
		{"   0: 0100000A:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 555 1", "555", false}, // 10.0.0.1
		{"   0: 0100007F:1F90 0100007F:8000 01 00000000:00000000 00:00000000 00000000 1000 0 555 1", "", false},    // a connection
		{"   0: 0100007F:8000 0100007F:1F90 0A 00000000:00000000 00:00000000 00000000 1000 0 555 1", "", false},    // the other port
		{"   0: 00000000000000000000000000000000:1F90 0:0 0A 0:0 00:0 0 1000 0 555 1", "555", true},                // any, IPv6
		{"   0: 00000000000000000000000001000000:1F90 0:0 0A 0:0 00:0 0 1000 0 555 1", "555", false},               // ::1
		{"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", "", false},
	}
	for _, test := range tests {
		inode, ok := listenerInode(test.line, 0x1F90)
		if ok != test.ok || ok && inode != test.inode {
			t.Errorf("%q: got %q, %t", test.line, inode, ok)
		}
	}
}

func TestStderrFileStaysSmall(t *testing.T) {
	const limit = 64 << 10
	f, err := createStderr(filepath.Join(t.TempDir(), "x"), limit)
	if err != nil {
		t.Fatal(err)
	}
	defer f.remove()
	for range 3 {
		if _, err := f.file.WriteString(strings.Repeat("line\n", limit/5+1) + "last\n"); err != nil {
			t.Fatal(err)
		}
		f.trim()
		info, err := f.file.Stat()
		if err != nil || info.Size() != keptBytes {
			t.Errorf("%d bytes, %v", info.Size(), err)
		}
		if lines := f.lines(); lines[len(lines)-1] != "last" {
			t.Errorf("got %q", lines)
		}
	}
}

func TestLogFlood(t *testing.T) {
	s := newSupervisor(t, Options{StderrLimit: 1 << 20})
	v := start(t, s, faulty("flood"))
	// Growth must be seen twice: it has been truncated between.
	var largest, before int64
	for truncated := 0; truncated < 5; {
		info, err := os.Stat(v.entry.stderrPath())
		if err != nil {
			t.Fatal(err)
		}
		if largest = max(largest, info.Size()); info.Size() < before {
			truncated++
		}
		before = info.Size()
	}
	t.Logf("%d MiB at most", largest>>20)
	if err := answers(t.Context(), v.Address()); err != nil {
		t.Error(err)
	}
	if text := v.Stderr(); !strings.Contains(text, "flood") || strings.Contains(text, "\x1b") || len(text) > tailLines*(lineRunes+4) {
		t.Errorf("got %q", text)
	}
}

func TestWithLines(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  string
	}{
		{nil, "it ended"},
		{[]string{"  why"}, "it ended: why"},
		{[]string{"where", "why"}, "it ended: why\nstderr before that:\n  where"},
	} {
		if got := withLines("it ended", test.lines); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

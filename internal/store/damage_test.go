package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"restbench/internal/bench"
)

func TestKilledInTheMiddleOfWrites(t *testing.T) {
	path := historyPath(t)
	writer := start(t, "record", path)
	stored := 0
	for stored < 40 {
		n, err := strconv.Atoi(writer.line())
		if err != nil {
			t.Fatal(err)
		}
		stored = n
	}
	writer.kill(t)
	s := mustOpen(t, path)
	if got := count(t, s, 1); got < stored {
		t.Errorf("%d measurements, but %d were stored before the kill", got, stored)
	}
	if s.Info().Recovery != nil {
		t.Errorf("a kill is not damage: %v", s.Info().Recovery)
	}
	if n, err := s.CutOff(t.Context()); n != 1 || err != nil {
		t.Errorf("cut off: %d, %v", n, err)
	}
	c, err := s.Campaign(t.Context(), 1)
	if err != nil || c.State != bench.StateCutOff {
		t.Errorf("state %q, %v", c.State, err)
	}
}

// TestTruncatedLog cuts the log of a killed process at many places: the
// transactions before the cut are there, whole, and nothing is damaged.
func TestTruncatedLog(t *testing.T) {
	path := historyPath(t)
	writer := start(t, "record", path)
	writer.waitFor("30")
	writer.kill(t)
	info, err := os.Stat(path + walSuffix)
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, part := range []int64{100, 95, 60, 25, 0} {
		at := filepath.Join(t.TempDir(), "history.db")
		if err := errors.Join(copyFile(path, at), copyFile(path+walSuffix, at+walSuffix), os.Truncate(at+walSuffix, info.Size()*part/100)); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, at)
		got := 0
		if found, err := s.Campaigns(t.Context(), Filter{}); err != nil {
			t.Error(err)
		} else if len(found) > 0 {
			got = count(t, s, 1)
		}
		if s.Info().Recovery != nil || last >= 0 && got > last {
			t.Errorf("at %d %%: %d measurements after %d, recovery %v", part, got, last, s.Info().Recovery)
		}
		last = got
	}
	if last != 0 {
		t.Errorf("%d measurements without a log: the test cuts nothing", last)
	}
}

func TestZeroedLogIsKeptAndReported(t *testing.T) {
	path := historyPath(t)
	writer := start(t, "record", path)
	writer.waitFor("30")
	writer.kill(t)
	info, err := os.Stat(path + walSuffix)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+walSuffix, make([]byte, info.Size()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path)
	notes := strings.Join(s.Info().Notes, "\n")
	if !strings.Contains(notes, "the log of the history was damaged") {
		t.Errorf("notes: %q", notes)
	}
	copies, _ := filepath.Glob(path + ".corrupt-*-wal")
	if len(copies) != 1 {
		t.Errorf("copies of the log: %v", copies)
	}
}

func TestDamagedHistoryIsSetAsideAndRecovered(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(file *os.File, size int64) error
		atMost int // measurements that may be lost of 300
	}{
		"magic":          {func(f *os.File, _ int64) error { return scribble(f, 0, 16) }, 0},
		"header":         {func(f *os.File, _ int64) error { return scribble(f, 0, 24) }, 0},
		"a page inside":  {func(f *os.File, size int64) error { return scribble(f, size/2/4096*4096, 64) }, 30},
		"half truncated": {func(f *os.File, size int64) error { return f.Truncate(size / 2 / 4096 * 4096) }, 250},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t, 300)
			damage(t, path, c.damage)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := mustOpen(t, path)
			r := s.Info().Recovery
			if r == nil {
				t.Fatal("not seen as damaged")
			}
			t.Log(r)
			if r.Campaigns != (Count{1, 1}) || r.Measurements.Recovered < int64(300-c.atMost) {
				t.Errorf("recovered %v campaigns, %v measurements", r.Campaigns, r.Measurements)
			}
			if got := count(t, s, 1); int64(got) != r.Measurements.Recovered {
				t.Errorf("%d measurements in the new history, %v said", got, r.Measurements)
			}
			if aside, err := os.ReadFile(r.Aside); err != nil || string(aside) != string(before) {
				t.Errorf("what was set aside is not what was there: %v", err)
			}
			checkNoLeftovers(t, path)
			if err := s.Record(t.Context(), small(1, 1000)); err != nil {
				t.Errorf("the new history takes no writes: %v", err)
			}
		})
	}
}

func TestNothingCanBeReadOfADamagedHistory(t *testing.T) {
	path := written(t, 10)
	damage(t, path, func(f *os.File, size int64) error { return scribble(f, 0, int(size)) })
	s := mustOpen(t, path)
	if r := s.Info().Recovery; r == nil || r.Measurements.Recovered != 0 {
		t.Errorf("recovery: %v", r)
	}
	mustBegin(t, s, bench.Campaign{})
}

func damage(t *testing.T, path string, do func(*os.File, int64) error) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := do(file, info.Size()); err != nil {
		t.Fatal(err)
	}
}

// scribble inverts n bytes.
func scribble(f *os.File, at int64, n int) error {
	content := make([]byte, n)
	if _, err := f.ReadAt(content, at); err != nil {
		return err
	}
	for i := range content {
		content[i] ^= 0xff
	}
	_, err := f.WriteAt(content, at)
	return err
}

func checkNoLeftovers(t *testing.T, path string) {
	t.Helper()
	for _, suffix := range []string{salvageSuffix, recoveringSuffix, recoveredSuffix} {
		if left, _ := filepath.Glob(path + suffix + "*"); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestDamagedHistoryThatIsInUseStays(t *testing.T) {
	path := written(t, 300)
	holder := start(t, "keep", path)
	if said := holder.line(); said != "open" {
		t.Fatal(said)
	}
	damage(t, path, func(f *os.File, size int64) error { return scribble(f, size/2/4096*4096, 64) })
	_, err := Open(t.Context(), path)
	if want := fmt.Sprintf("process %d has it open", holder.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestReplacementEndsAfterAKill leaves the files as a process does that dies
// between its two renames.
func TestReplacementEndsAfterAKill(t *testing.T) {
	path := written(t, 5)
	if err := os.Rename(path, path+recoveredSuffix); err != nil {
		t.Fatal(err)
	}
	if got := count(t, mustOpen(t, path), 1); got != 5 {
		t.Errorf("%d measurements", got)
	}
	checkNoLeftovers(t, path)
}

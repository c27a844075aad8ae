package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
)

// What of stderr is kept and shown.
const (
	tailBytes = 64 << 10 // read from the end for showing
	keptBytes = 16 << 10 // left in a file that was truncated
	tailLines = 10
	lineRunes = 300
)

// escapes matches terminal control sequences: CSI, OSC, and the short ones.
var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[ -/]*[0-~])`)

// stderrFile is where a server's stderr goes. A file, unlike a pipe, costs
// restbench nothing while it measures; the server appends, so that truncating
// needs no cooperation.
type stderrFile struct {
	limit int64 // bytes from which on it is truncated

	mu    sync.Mutex
	file  *os.File
	size  int64
	final []string // the last lines, once the file is gone
}

func createStderr(path string, limit int64) (*stderrFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create a file for stderr: %w", err)
	}
	return &stderrFile{limit: limit, file: f}, nil
}

// lines returns the last lines, fit for a terminal or a page.
func (f *stderrFile) lines() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return f.final
	}
	text, _ := f.tail(tailBytes)
	return lastLines(text)
}

func (f *stderrFile) tail(n int64) ([]byte, error) {
	info, err := f.file.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-n)
	text := make([]byte, min(n, info.Size()))
	read, err := f.file.ReadAt(text, from)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return text[:read], err
}

// keepSmall truncates the file when it has grown large, until done. It looks the
// more often the faster the file grows, and once a second when it does not.
func (f *stderrFile) keepSmall(done <-chan struct{}) {
	for period := 100 * time.Millisecond; ; {
		select {
		case <-done:
			return
		case <-time.After(period):
		}
		if f.trim() > f.limit/4 {
			period = max(period/2, 10*time.Millisecond)
		} else {
			period = min(period*2, time.Second)
		}
	}
}

// trim returns how much the file has grown since the last time.
func (f *stderrFile) trim() (grown int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return 0
	}
	info, err := f.file.Stat()
	if err != nil {
		return 0
	}
	grown, f.size = info.Size()-f.size, info.Size()
	if f.size <= f.limit {
		return grown
	}
	kept, _ := f.tail(keptBytes)
	if f.file.Truncate(0) == nil {
		_, _ = f.file.Write(kept)
		f.size = int64(len(kept))
	}
	return grown
}

// remove keeps the last lines in memory.
func (f *stderrFile) remove() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return
	}
	text, _ := f.tail(tailBytes)
	f.final = lastLines(text)
	_ = f.file.Close()
	_ = os.Remove(f.file.Name())
	f.file = nil
}

// lastLines cleans the last non-empty lines of what a program wrote: no control
// sequences, no control characters, no endless lines.
func lastLines(text []byte) []string {
	clean := escapes.ReplaceAllString(strings.ToValidUTF8(string(text), "\uFFFD"), "")
	split := strings.FieldsFunc(clean, func(r rune) bool { return r == '\n' || r == '\r' })
	var lines []string
	for i := len(split) - 1; i >= 0 && len(lines) < tailLines; i-- {
		if line := cleanLine(split[i]); line != "" {
			lines = append(lines, line)
		}
	}
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return lines
}

func cleanLine(line string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.TrimRightFunc(line, unicode.IsSpace) {
		switch {
		case r == '\t':
			r = ' '
		case !unicode.IsPrint(r): // also marks that reverse the direction of writing
			continue
		}
		if n++; n > lineRunes {
			return b.String() + "…"
		}
		b.WriteRune(r)
	}
	return b.String()
}

// withLines adds the last lines of stderr to a sentence: the very last one to the
// sentence itself, because it mostly names the cause, then those before it.
func withLines(sentence string, lines []string) string {
	if len(lines) == 0 {
		return sentence
	}
	last := len(lines) - 1
	sentence += ": " + strings.TrimSpace(lines[last])
	if last == 0 {
		return sentence
	}
	return sentence + "\nstderr before that:\n  " + strings.Join(lines[:last], "\n  ")
}

// tailWriter keeps the end of what is written to it.
type tailWriter struct{ text []byte }

func (t *tailWriter) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailBytes; extra > tailBytes {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

// headWriter keeps the beginning of what is written to it and takes the rest, so
// that the program does not notice.
type headWriter struct {
	limit    int
	text     []byte
	overflow bool
}

func (h *headWriter) Write(p []byte) (int, error) {
	room := min(len(p), h.limit-len(h.text))
	h.text = append(h.text, p[:room]...)
	h.overflow = h.overflow || room < len(p)
	return len(p), nil
}

//go:build linux && (amd64 || arm64)

package main

import (
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
)

// logger writes to s.err: lines for people on a terminal, JSON elsewhere.
func (s *session) logger() zerolog.Logger {
	level, err := zerolog.ParseLevel(s.logLevel)
	if err != nil {
		level = zerolog.InfoLevel
	}
	w := s.err
	if s.logFormat == "console" || s.logFormat == "" && isTerminal(s.err) {
		w = zerolog.ConsoleWriter{Out: s.err, TimeFormat: time.TimeOnly, NoColor: noColor(s.err)}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

func noColor(w io.Writer) bool { return os.Getenv("NO_COLOR") != "" || !isTerminal(w) }

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

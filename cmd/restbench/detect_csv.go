//go:build linux && (amd64 || arm64)

package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"restbench/internal/stats"
)

// seriesReader reads a CSV file of series row by row and tells every mistake in
// one line with its place.
type seriesReader struct {
	csv         *csv.Reader
	file        string
	names       []string // of the series
	columns     []int    // of the series, in the file
	header      []string
	environment int // column, or -1
	before      float64
	rows        int
	unusable    int // cells that are not above zero
}

// seriesRow is one campaign and its time as the file writes it.
type seriesRow struct {
	time     string
	campaign stats.Campaign
}

func newSeriesReader(in io.Reader, file, environment string) (*seriesReader, error) {
	r := &seriesReader{csv: csv.NewReader(withoutMark(in)), file: file, environment: -1, before: math.Inf(-1)}
	r.csv.FieldsPerRecord = -1 // told below, with both numbers
	r.csv.TrimLeadingSpace = true
	header, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is empty", file)
	}
	if err != nil {
		return nil, r.wrong(err)
	}
	if _, err := parseTime(header[0]); err == nil {
		return nil, fmt.Errorf("%s:1: the first line must name the columns, but it begins with the time %s", file, header[0])
	}
	r.header = header
	return r, r.chooseColumns(environment)
}

// withoutMark drops the byte order mark that spreadsheets write.
func withoutMark(in io.Reader) io.Reader {
	buffered := bufio.NewReader(in)
	mark := []byte("\uFEFF")
	if start, err := buffered.Peek(len(mark)); err == nil && bytes.Equal(start, mark) {
		_, _ = buffered.Discard(len(mark)) // they are in the buffer
	}
	return buffered
}

func (r *seriesReader) chooseColumns(environment string) error {
	if environment != "" {
		r.environment = slices.Index(r.header, environment)
		if r.environment < 1 {
			return &usageError{fmt.Errorf("%s has no column %q beside its time; it has %s", r.file, environment, strings.Join(r.header[1:], ", "))}
		}
	}
	for i, name := range r.header {
		if i == 0 || i == r.environment {
			continue
		}
		if slices.Contains(r.names, name) {
			return fmt.Errorf("%s:1: two columns are named %q", r.file, name)
		}
		r.names, r.columns = append(r.names, name), append(r.columns, i)
	}
	if len(r.names) == 0 {
		return fmt.Errorf("%s:1: no series: the first column is the time, each further one a series", r.file)
	}
	return nil
}

// next returns io.EOF after the last row.
func (r *seriesReader) next() (seriesRow, error) {
	cells, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return seriesRow{}, err
	}
	if err != nil {
		return seriesRow{}, r.wrong(err)
	}
	if len(cells) != len(r.header) {
		return seriesRow{}, r.at(0, "%d cells, but the header has %d", len(cells), len(r.header))
	}
	if err := r.checkTime(cells[0]); err != nil {
		return seriesRow{}, err
	}
	row := seriesRow{time: cells[0]}
	if r.environment > 0 {
		row.campaign.Environment = fingerprint(cells[r.environment])
	}
	if row.campaign.Values, err = r.numbers(cells); err != nil {
		return seriesRow{}, err
	}
	r.rows++
	return row, nil
}

// fingerprint of a cell; "unknown" says as little as nothing.
func fingerprint(cell string) string {
	cell = strings.TrimSpace(cell)
	if strings.EqualFold(cell, "unknown") {
		return ""
	}
	return cell
}

func (r *seriesReader) checkTime(cell string) error {
	at, err := parseTime(cell)
	if err != nil {
		return r.at(0, "%q is neither an RFC 3339 nor a Unix time", cell)
	}
	if at < r.before {
		return r.at(0, "rows are out of order: %s is before the row above", cell)
	}
	r.before = at
	return nil
}

// parseTime returns seconds.
func parseTime(text string) (float64, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(seconds) && !math.IsInf(seconds, 0) {
		return seconds, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	return float64(t.UnixNano()) / 1e9, err
}

func (r *seriesReader) numbers(cells []string) ([]float64, error) {
	values := make([]float64, len(r.columns))
	for i, column := range r.columns {
		cell := strings.TrimSpace(cells[column])
		values[i] = math.NaN()
		if cell == "" {
			continue
		}
		v, err := strconv.ParseFloat(cell, 64)
		if err != nil || math.IsInf(v, 0) {
			return nil, r.at(column, "column %q: %q is not a number", r.header[column], cell)
		}
		if v <= 0 {
			r.unusable++
		}
		values[i] = v
	}
	return values, nil
}

// at is a mistake in a cell of the row that was read last.
func (r *seriesReader) at(column int, format string, args ...any) error {
	line, _ := r.csv.FieldPos(column)
	return fmt.Errorf("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...))
}

// wrong is what the CSV reader says, with the file's name.
func (r *seriesReader) wrong(err error) error {
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("%s:%d: %w", r.file, parse.StartLine, parse.Err)
	}
	return fmt.Errorf("read %s: %w", r.file, err)
}

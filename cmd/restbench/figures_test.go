//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The figures of the README that are times or sizes. They depend on the machine,
// so they are printed by benchmarks and asserted by no test:
//
//	go test -run '^$' -bench . -benchtime 1x ./cmd/restbench

// BenchmarkColdPreparation makes all environments of edition current with an
// empty package cache.
func BenchmarkColdPreparation(b *testing.B) {
	binary := build(b)
	for b.Loop() {
		dir := b.TempDir()
		cmd := exec.Command(binary, "install", "--storage.path="+filepath.Join(dir, "state"))
		cmd.Env = append(os.Environ(), "UV_CACHE_DIR="+filepath.Join(dir, "cache"))
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("install: %v\n%s", err, out)
		}
	}
}

// BenchmarkFirstNumber starts the daemon on an empty state folder, with an empty
// package cache, and waits for its first measurement of the protocol classic.
func BenchmarkFirstNumber(b *testing.B) {
	binary := build(b)
	for b.Loop() {
		b.Setenv("UV_CACHE_DIR", b.TempDir())
		d := launch(b, binary, "")
		eventually(b, 3*time.Minute, "a first number", func() bool {
			return strings.Contains(d.get(b), "\nrestbench_measurement_requests_per_second{")
		})
		d.end(b)
	}
}

// BenchmarkScrapeWhileMeasuring scrapes 200 times while a campaign runs.
func BenchmarkScrapeWhileMeasuring(b *testing.B) {
	d := launch(b, build(b), "")
	eventually(b, 3*time.Minute, "a first number", func() bool {
		return strings.Contains(d.get(b), "\nrestbench_measurement_requests_per_second{")
	})
	for b.Loop() {
		times := make([]time.Duration, 200)
		for i := range times {
			begun := time.Now()
			d.get(b)
			times[i] = time.Since(begun)
			time.Sleep(50 * time.Millisecond)
		}
		slices.Sort(times)
		b.ReportMetric(milliseconds(times[len(times)/2]), "p50-ms")
		b.ReportMetric(milliseconds(times[len(times)*99/100]), "p99-ms")
		b.ReportMetric(0, "ns/op")
	}
}

// BenchmarkIdleDaemon watches a daemon between two campaigns for a minute,
// scraped every 15 seconds.
func BenchmarkIdleDaemon(b *testing.B) {
	d := launch(b, build(b), "protocol: {name: short, rounds: 2, duration: 1s, threads: 2, connections: 8}\n")
	eventually(b, 5*time.Minute, "the campaign is over", func() bool {
		metrics := d.get(b)
		return strings.Contains(metrics, "\nrestbench_campaign_last_success_timestamp_seconds ") &&
			strings.Contains(metrics, "\nrestbench_campaign_running 0\n")
	})
	for b.Loop() {
		before := d.cpu(b)
		for range 4 {
			time.Sleep(15 * time.Second)
			d.get(b)
		}
		b.ReportMetric(100*(d.cpu(b)-before).Seconds()/60, "%-of-a-core")
		b.ReportMetric(d.memory(b), "MB")
		b.ReportMetric(0, "ns/op")
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// launched is the real daemon in a process of its own.
type launched struct {
	url string
	cmd *exec.Cmd
}

func launch(b *testing.B, binary, config string) launched {
	b.Helper()
	dir := b.TempDir()
	b.Setenv("RESTBENCH_CAMPAIGN_LOCK", filepath.Join(dir, "campaign.lock"))
	address := fmt.Sprintf("127.0.0.1:%d", freePort(b))
	args := []string{"serve", "--storage.path=" + filepath.Join(dir, "state"), "--web.listen-address=" + address}
	if config != "" {
		args = append(args, "--config.file="+writeFile(b, "restbench.yml", config))
	}
	return launched{"http://" + address + "/metrics", background(b, binary, args...)}
}

func (d launched) get(b *testing.B) string {
	response, err := http.Get(d.url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return string(body)
}

func (d launched) end(b *testing.B) {
	b.StopTimer()
	_ = d.cmd.Process.Signal(os.Interrupt)
	_ = d.cmd.Wait()
	b.StartTimer()
}

// cpu is user and system time so far, in ticks of 10 ms.
func (d launched) cpu(b *testing.B) time.Duration {
	b.Helper()
	stat := d.proc(b, "stat")
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	ticks := 0
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory is the resident set in MB.
func (d launched) memory(b *testing.B) float64 {
	b.Helper()
	for line := range strings.Lines(d.proc(b, "status")) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kb) * 1024 / 1e6
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

func (d launched) proc(b *testing.B, file string) string {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", d.cmd.Process.Pid, file))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

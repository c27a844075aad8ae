package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"restbench/internal/bench"
)

var targetName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`)

func validateTargets(targets []Target) error {
	seen := map[string]bool{}
	for i := range targets {
		t := &targets[i]
		if err := t.validate(); err != nil {
			return fmt.Errorf("targets[%d] %q: %w", i, t.Name, err)
		}
		if seen[t.Name] {
			return fmt.Errorf("targets[%d] %q: this name is taken by an earlier target", i, t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}

func (t *Target) validate() error {
	switch {
	case !targetName.MatchString(t.Name):
		return fmt.Errorf("name: must be lower-case letters, digits, '.', '_' or '-', 63 at most")
	case len(t.Command) == 0 || t.Command[0] == "":
		return fmt.Errorf("command: is missing")
	case !t.usesPort():
		return fmt.Errorf("command: must use {port}, in an argument or in env")
	}
	t.fillDefaults()
	if err := t.Request.Validate(); err != nil {
		return err
	}
	switch {
	case t.Expect.Status < 200 || t.Expect.Status > 599:
		return fmt.Errorf("expect: status %d must be 200 to 599", t.Expect.Status)
	case !slices.Contains(bench.Signals(), t.Signal.OrDefault()):
		return fmt.Errorf("signal: %q is none; there are %s and %s", t.Signal, bench.SignalRequests, bench.SignalServerCPU)
	}
	return nil
}

func (t *Target) usesPort() bool {
	for _, value := range t.Env {
		if strings.Contains(value, "{port}") {
			return true
		}
	}
	return strings.Contains(strings.Join(t.Command, " "), "{port}")
}

func (t *Target) fillDefaults() {
	if t.Request.Method == "" {
		t.Request.Method = "GET"
	}
	if t.Request.Path == "" {
		t.Request.Path = "/"
	}
	if t.Expect.Status == 0 {
		t.Expect.Status = 200
	}
}

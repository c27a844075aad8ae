//go:build linux && (amd64 || arm64)

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShare(t *testing.T) {
	for text, want := range map[string]share{"5%": 0.05, "0.05": 0.05, " 2.5 % ": 0.025} {
		var s share
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%q: %v, %v", text, float64(s), err)
		}
	}
	for _, text := range []string{"", "5", "0", "0%", "100%", "-1%", "NaN", "x%"} {
		var s share
		if err := s.Set(text); err == nil {
			t.Errorf("%q is taken for %v", text, float64(s))
		}
	}
}

func TestFillIn(t *testing.T) {
	const flag = "--fail-if-slower"
	for _, test := range [][2][]string{
		{{flag}, {flag + "=threshold"}},
		{{"a", flag, "b"}, {"a", flag + "=threshold", "b"}},
		{{flag, "--format=json"}, {flag + "=threshold", "--format=json"}},
		{{flag, "5%", "a"}, {flag, "5%", "a"}},
		{{flag + "=5%", "a"}, {flag + "=5%", "a"}},
		{{"--", flag}, {"--", flag}},
	} {
		if diff := cmp.Diff(test[1], fillIn(test[0])); diff != "" {
			t.Errorf("%v: %s", test[0], diff)
		}
	}
}

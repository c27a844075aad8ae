package environment

import (
	"regexp"
	"strings"
)

// explain shortens uv's report to one line: what it could not do, the innermost
// cause, and of a build that failed the last thing it said.
func explain(stderr string) string {
	what, cause, said := outline(stderr)
	parts := []string{strings.TrimSuffix(what, ":")}
	for _, part := range []string{cause, said} {
		if part != "" && !strings.Contains(strings.Join(parts, " "), part) {
			parts = append(parts, part)
		}
	}
	return strings.Trim(strings.Join(parts, ": "), ": ")
}

// outline reads the forms of a report that uv has had over the years:
//
//	error: what           × what
//	  cause: why          ├─▶ why
//	  Caused by: why      ╰─▶ why
//	       what a build said
//	hint: advice
func outline(stderr string) (what, cause, said string) {
	headline := regexp.MustCompile(`^(?:error: |\s*× )(.+)`)
	inner := regexp.MustCompile(`^\s+(?:cause: |Caused by: |├─▶ |╰─▶ )(.+)`)
	build := false
	for line := range strings.Lines(stderr) {
		line = strings.TrimRight(line, "\r\n ")
		text := strings.TrimLeft(line, " │")
		switch match := headline.FindStringSubmatch(line); {
		case strings.HasPrefix(text, "hint: ") || strings.HasPrefix(text, "help: "):
			build = false
		case match != nil:
			what, cause, said, build = match[1], "", "", false
		case inner.MatchString(line):
			cause, build = inner.FindStringSubmatch(line)[1], false
		case text == "[stderr]":
			build = true
		case text != "" && (build || what == ""):
			said = text
		}
	}
	return what, cause, said
}

// unreachable reports whether the network, not the content, was the trouble.
func unreachable(stderr string) bool {
	return saysOneOf(stderr,
		"error sending request", "dns error", "tcp connect error", "connection refused",
		"network is unreachable", "operation timed out", "connection reset by peer", "no such host",
		"network timeout")
}

// unavailable reports whether the index, or a proxy in its place, answered that it
// cannot serve this now; what else it is asked it may serve.
func unavailable(stderr string) bool {
	return saysOneOf(stderr, "server error (502 ", "server error (503 ", "server error (504 ")
}

func saysOneOf(stderr string, signs ...string) bool {
	lower := strings.ToLower(stderr)
	for _, sign := range signs {
		if strings.Contains(lower, sign) {
			return true
		}
	}
	return false
}

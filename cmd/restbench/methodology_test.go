//go:build linux && (amd64 || arm64)

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	methodologyPage   = "../../docs/methodology.md"
	methodologyScript = "../../docs/methodology.sh"
)

// commandsIn finds the commands of a page: what stands between backticks and
// begins like one.
func commandsIn(page string) []string {
	var all []string
	for _, found := range regexp.MustCompile("`((?:restbench|go test|sh docs/unseen.sh) [^`]*)`").FindAllStringSubmatch(page, -1) {
		all = append(all, found[1])
	}
	return all
}

// Every rule names the command that prints its figure, that command exists, and
// the script runs it as it stands there.
func TestMethodologyNamesItsCommands(t *testing.T) {
	page, script := read(t, methodologyPage), read(t, methodologyScript)
	for line := range strings.Lines(page) {
		cells := strings.Split(line, "|") // an empty one before the first, and one behind the last
		if !strings.HasPrefix(line, "| ") || len(cells) != 6 || strings.HasPrefix(line, "| rule") {
			continue
		}
		if len(commandsIn(cells[3])) == 0 {
			t.Errorf("no command: %s", line)
		}
	}
	commands := commandsIn(page)
	if len(commands) < 15 {
		t.Errorf("only %d commands: %q", len(commands), commands)
	}
	for _, command := range commands {
		if !strings.Contains(script, `"`+command+`"`) {
			t.Errorf("docs/methodology.sh does not run %s", command)
		}
	}
	if strings.Contains(page, "*open*") || strings.Contains(page, "*Open*") {
		t.Error("a figure has no command")
	}
	for _, found := range regexp.MustCompile(`(?m)^\s*figure "[^"]*" "[^"]*" "([^"]*)"`).FindAllStringSubmatch(script, -1) {
		words := strings.Fields(found[1])
		switch words[0] {
		case "go":
			checkTestCommand(t, words)
			continue
		case "sh": // a script hands its flags on to restbench
			if _, err := os.Stat(filepath.Join("../..", words[1])); err != nil {
				t.Error(err)
			}
			words = append([]string{"restbench", "check", "--engines"}, words[2:]...)
		}
		if _, err := parse(words[1:], streams{strings.NewReader(""), io.Discard, io.Discard}); err != nil {
			t.Errorf("%s: %v", found[1], err)
		}
	}
}

// checkTestCommand looks for tests, in the package that a command names, that its
// -run means.
func checkTestCommand(t *testing.T, words []string) {
	t.Helper()
	folder, pattern := "", ""
	for i, word := range words {
		if strings.HasPrefix(word, "./") {
			folder = word
		}
		if i > 0 && words[i-1] == "-run" {
			pattern = strings.Trim(word, "'")
		}
	}
	files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
	if err != nil || len(files) == 0 || pattern == "" {
		t.Fatalf("%q: %v, %d files, tests %q", words, err, len(files), pattern)
	}
	for name := range strings.SplitSeq(pattern, "|") {
		found := false
		for _, file := range files {
			found = found || strings.Contains(read(t, file), "\nfunc "+name)
		}
		if !found {
			t.Errorf("%q: there is no test that begins with %s in %s", words, name, folder)
		}
	}
}

// The script goes on after commands that fail and tells that at the end.
func TestMethodologyScriptRunsEveryCommand(t *testing.T) {
	tools := t.TempDir()
	log := filepath.Join(tools, "log")
	for _, name := range []string{"go", "restbench", "python3"} {
		text := "#!/bin/sh\necho " + name + ` "$@" >> ` + log + "\n" +
			`case "$*" in *build*) cp "` + filepath.Join(tools, "restbench") + `" "$3";; *engines*) exit 3;; ` +
			`*venv*) mkdir -p "$3/bin"; cp "` + filepath.Join(tools, "restbench") + `" "$3/bin/pip";; esac` + "\n"
		if err := os.WriteFile(filepath.Join(tools, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs(methodologyScript)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", script)
	cmd.Dir = t.TempDir() // it finds the source tree itself
	cmd.Env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"), "FIGURE_SECONDS=7", "TMPDIR="+tools)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "2 of ") {
		t.Errorf("%v: does not tell of the commands that failed:\n%s", err, out)
	}
	ran := read(t, log)
	for _, want := range []string{
		"go build -o ", "go test ./internal/stats ", "restbench check --engines --time=7s\n", "/unseen.yml --storage.path=", "restbench check --figure=client-tax --time=7s\n",
		"restbench check --figure=self --time=7s\n", "restbench check --figure=precision\n", "restbench run --protocol=adaptive --rounds",
	} {
		if !strings.Contains(ran, want) {
			t.Errorf("it did not run %q but\n%s", want, ran)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(tools, "tmp.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

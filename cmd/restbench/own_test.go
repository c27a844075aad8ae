//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/internal/config"
)

// Own targets in the file are measured, whatever the file chooses of the catalogue;
// names on the command line choose among all.
func TestOwnTargetsAreChosen(t *testing.T) {
	for name, test := range map[string]struct {
		file, args, want string
	}{
		"beside all":                  {"editions: [current]", "", "ELEVEN my sanic@own"},
		"beside one framework":        {"frameworks: [flask]", "", "flask my sanic@own"},
		"a framework called the same": {"frameworks: [sanic]", "", "sanic my sanic@own"},
		"named beside a framework":    {"frameworks: [my, flask, sanic@own]", "", "flask my sanic@own"},
		"one named alone":             {"frameworks: [my@own]", "", "my sanic@own"},
		"one named alone, latest":     {"frameworks: [my]\neditions: [current, latest]", "", "my sanic@own"},
		"no edition":                  {"editions: []", "", "my sanic@own"},
		"named with no edition":       {"frameworks: [flask]\neditions: []", "", "flask@2020 flask my sanic@own"},
		"latest":                      {"frameworks: [flask]\neditions: [latest]", "", "flask@latest my sanic@own"},

		"command line, own":                    {"editions: [current]", "my", "my"},
		"command line, framework":              {"editions: [current]", "flask", "flask"},
		"command line, both":                   {"frameworks: [bottle]", "flask my", "flask my"},
		"command line, called the same":        {"editions: [current]", "sanic", "sanic@own"},
		"command line, not that one":           {"editions: [current]", "sanic@current", "sanic"},
		"command line, edition":                {"editions: []", "my flask --edition=2020", "flask@2020 my"},
		"command line, edition but no name":    {"frameworks: [flask]", "--edition=2020", "flask@2020 my sanic@own"},
		"command line, own twice":              {"editions: [current]", "my my@own", "my"},
		"command line, own of a file with one": {"frameworks: [flask]", "sanic@own", "sanic@own"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := chosenTargets(test.file, strings.Fields(test.args))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("chosen (-want +got):\n%s", diff)
			}
		})
	}
}

// chosenTargets are those of a file with two own targets, one of which is called like
// a framework. What is most usual is left out of the names.
func chosenTargets(file string, args []string) (string, error) {
	cfg, err := config.Parse("f", []byte(file+`
targets: [{name: my, command: [serve, '{port}']}, {name: sanic, command: [serve, '{port}']}]`))
	if err != nil {
		return "", err
	}
	var f selection
	for _, arg := range args {
		if edition, ok := strings.CutPrefix(arg, "--edition="); ok {
			f.editions = append(f.editions, edition)
		} else {
			f.targets = append(f.targets, arg)
		}
	}
	chosen, err := new(session).choose(f.over(cfg))
	var names []string
	for _, target := range chosen.targets() {
		names = append(names, strings.NewReplacer("@current", "", "my@own", "my").Replace(target.String()))
	}
	all := strings.Join(names, " ")
	return strings.Replace(all, "aiohttp bottle djangorestframework eve falcon fastapi flask hug pyramid sanic tornado", "ELEVEN", 1), err
}

// Where the configuration does not say what is right, the first answer is.
func TestAnOwnTargetIsMeasuredByTheAnswerThatItGives(t *testing.T) {
	state, file := isolated(t), ownTargets(t, "alpha")
	for name, test := range map[string]struct {
		words, expect, told, mark string
	}{
		"stable":       {"", "", `alpha@own answers, and must from now on: status 200, "pong"`, ""},
		"content type": {"", "{content_type: text/plain}", `status 200, "pong"`, ""},
		"varying":      {", vary=1", "", "alpha@own does not answer the same twice", "answer varies: only a status below 400 was asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(read(t, file), "'{port}'", "'{port}'"+test.words, 1)
			text = strings.Replace(text, "expect: {content_type: text/plain, body: pong}", "expect: "+test.expect, 1)
			own := writeFile(t, "own.yml", text)
			got := restbench(t.Context(), t, "run", "--storage.path="+state, "--config.file="+own, "--format=json", "--output="+t.TempDir())
			var result struct {
				Results []struct {
					Rounds int
					Marks  []string
				}
			}
			if err := json.Unmarshal([]byte(got.out), &result); err != nil || got.code != exitDone {
				t.Fatalf("run: %v %+v", err, got)
			}
			if len(result.Results) != 1 || result.Results[0].Rounds != 2 || strings.Count(got.err, test.told) != 1 {
				t.Fatalf("results are %+v, stderr is\n%s", result, got.err)
			}
			if marks := strings.Join(result.Results[0].Marks, "; "); !strings.Contains(marks, test.mark) || test.mark == "" && strings.Contains(marks, "varies") {
				t.Errorf("marked with %q", marks)
			}
		})
	}
}

// So it is where servers run outside of campaigns.
func TestAFigureLearnsTheAnswerOfAnOwnTarget(t *testing.T) {
	state, text := isolated(t), read(t, ownTargets(t, "alpha"))
	own := writeFile(t, "own.yml", strings.Replace(text, "body: pong", "", 1))
	got := restbench(t.Context(), t, "check", "--figure=stall", "--time=1s", "--storage.path="+state, "--config.file="+own)
	if got.code != exitDone || strings.Contains(got.err, "takes no part") || !strings.Contains(got.out, "alpha@own") {
		t.Errorf("check --figure: %+v", got)
	}
}

// What the configuration does say still holds, an empty body included.
func TestAnOwnTargetMustAnswerAsTheConfigurationSays(t *testing.T) {
	empty := ""
	for name, test := range map[string]struct {
		expect config.Expect
		learns bool
	}{
		"nothing said":   {config.Expect{Status: 200}, true},
		"a content type": {config.Expect{Status: 200, ContentType: "text/plain"}, true},
		"an empty body":  {config.Expect{Status: 200, Body: &empty}, false},
		"an error":       {config.Expect{Status: 404}, false},
	} {
		got := learner(config.Target{Expect: test.expect}) != nil
		if got != test.learns {
			t.Errorf("%s: learns is %t", name, got)
		}
	}
}

func TestALearnedAnswerHasTheConfiguredStatusAndType(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, testAnswer) }))
	defer server.Close()
	address := server.Listener.Addr().String()
	for want, expect := range map[string]config.Expect{
		"":                          {Status: 200, ContentType: "text/plain; charset=utf-8"},
		"status 200, want 204":      {Status: 204},
		"content type \"text/plain": {Status: 200, ContentType: "application/json"},
	} {
		_, err := learner(config.Target{Name: "alpha", Expect: expect})(t.Context(), address)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: error %v, want %q", expect, err, want)
		}
	}
}

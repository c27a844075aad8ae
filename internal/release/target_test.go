package release

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Target{
		"sanic":                       {Form: FormEdition, Name: "sanic"},
		"sanic@2020":                  {Form: FormEdition, Name: "sanic", Edition: "2020"},
		"my-server@own":               {Form: FormEdition, Name: "my-server", Edition: "own"},
		"sanic==21.12.0":              {Form: FormRelease, Name: "sanic", Version: "==21.12.0"},
		"sanic == 21.12.0":            {Form: FormRelease, Name: "sanic", Version: "==21.12.0"},
		"sanic[ext]>=22,<23":          {Form: FormRelease, Name: "sanic", Extras: "[ext]", Version: ">=22,<23"},
		"sanic==1!2.0.dev1+local":     {Form: FormRelease, Name: "sanic", Version: "==1!2.0.dev1+local"},
		"sanic==22.*":                 {Form: FormRelease, Name: "sanic", Version: "==22.*"},
		"sanic@git+https://x/y@main":  {Form: FormDirect, Name: "sanic", Source: "git+https://x/y@main"},
		"sanic @ git+ssh://git@x/y":   {Form: FormDirect, Name: "sanic", Source: "git+ssh://git@x/y"},
		"sanic@../sanic":              {Form: FormDirect, Name: "sanic", Source: "../sanic"},
		"sanic[ext] @ ./a b/sanic":    {Form: FormDirect, Name: "sanic", Extras: "[ext]", Source: "./a b/sanic"},
		"sanic@https://x/y.whl":       {Form: FormDirect, Name: "sanic", Source: "https://x/y.whl"},
		"http://127.0.0.1:8000/a?b=c": {Form: FormURL},
		"https://127.0.0.1/":          {Form: FormURL}, // refused where URLs are read
		"python app.py --port {port}": {Form: FormCommand, Argv: []string{"python", "app.py", "--port", "{port}"}},
		`'/a b/run' "x'y" \  '' -p{port}`: {
			Form: FormCommand, Argv: []string{"/a b/run", "x'y", " ", "", "-p{port}"},
		},
		"gunicorn -b http://x:{port} a==b": {Form: FormCommand, Argv: []string{"gunicorn", "-b", "http://x:{port}", "a==b"}},
	} {
		want.Text = text
		got, err := Parse(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got)\n%s", text, err, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "is empty",
		"  ":                                "is empty",
		"sanic@":                            "must be like",
		"sanic[ext]":                        "must be like",
		"sanic==":                           "must be like",
		"sanic==1 2":                        "must be like",
		"sanic==1; python_version>'3'":      "must be like",
		"sanic flask":                       "must be like",
		"==1":                               "must be like",
		"./sanic":                           "which framework",
		"git+https://x/y":                   "which framework",
		"python app.py --port 80 --dir ./x": "needs {port}",
		"python 'app.py {port}":             "quote",
		`python app.py {port}\`:             "quote",
	} {
		if got, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want %q", text, got, err, want)
		}
	}
}

func TestRequirement(t *testing.T) {
	for text, want := range map[string]string{
		"drf==3.11.0":            "djangorestframework==3.11.0",
		"drf[x]>=3,<4":           "djangorestframework[x]>=3,<4",
		"drf@git+https://x/y@v1": "djangorestframework @ git+https://x/y@v1",
	} {
		target, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := target.Requirement("djangorestframework"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

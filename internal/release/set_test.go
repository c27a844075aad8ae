package release

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	before = `# a comment
Flask_Cors==5.0 \
    --hash=sha256:aa
h11==0.14 \
    --hash=sha256:bb \
    --hash=sha256:cc
gone==1.0 \
    --hash=sha256:dd
`
	after = `flask-cors==5.0 \
    --hash=sha256:aa \
    --hash=sha256:a2
h11==0.16 \
    --hash=sha256:ee
uvicorn[standard]==0.30 ; sys_platform == 'linux' \
    --hash=sha256:ff`
)

func set(t *testing.T, text string) Set {
	t.Helper()
	s, err := ParseSet([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Another file of the same release is no change; a package that comes or goes is.
func TestChanged(t *testing.T) {
	if diff := cmp.Diff([]string{"gone", "h11", "uvicorn"}, Changed(set(t, before), set(t, after))); diff != "" {
		t.Error(diff)
	}
	if changed := Changed(set(t, before), set(t, before)); changed != nil {
		t.Errorf("nothing has changed, but %v", changed)
	}
}

func TestMixTakesReleasesWithTheirHashes(t *testing.T) {
	a, b := set(t, before), set(t, after)
	for _, test := range []struct {
		taken []string
		want  string
	}{
		{nil, "Flask_Cors==5.0 \\\n    --hash=sha256:aa\ngone==1.0 \\\n    --hash=sha256:dd\nh11==0.14 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"},
		{[]string{"h11"}, "Flask_Cors==5.0 \\\n    --hash=sha256:aa\ngone==1.0 \\\n    --hash=sha256:dd\nh11==0.16 \\\n    --hash=sha256:ee\n"},
		{[]string{"gone", "uvicorn"}, "Flask_Cors==5.0 \\\n    --hash=sha256:aa\nh11==0.14 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\nuvicorn[standard]==0.30 ; sys_platform == 'linux' \\\n    --hash=sha256:ff\n"},
	} {
		if diff := cmp.Diff(test.want, string(Mix(a, b, test.taken).Lock())); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.taken, diff)
		}
	}
	whole := Mix(a, b, Changed(a, b))
	if diff := cmp.Diff(b.Versions(), whole.Versions()); diff != "" {
		t.Errorf("with all that has changed (-new +got):\n%s", diff)
	}
}

func TestParseSetRefusesWhatIsNoLock(t *testing.T) {
	for text, want := range map[string]string{"    --hash=sha256:aa\n": "belongs to no package", "flask>=1\n": "is no release", "./folder\n": "is no release"} {
		if _, err := ParseSet([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

package environment

import "testing"

// What keeps uv from the index is told from what the index says, in the words of uv's
// releases.
func TestUnreachable(t *testing.T) {
	for report, want := range map[string]struct{ unreachable, unavailable bool }{
		"cause: HTTP status server error (503 Service Unavailable) for url (http://127.0.0.1:9/simple/a/)": {unavailable: true},
		"Caused by: HTTP status server error (502 Bad Gateway) for url (http://127.0.0.1:9/simple/a/)":     {unavailable: true},
		"cause: HTTP status server error (504 Gateway Timeout) for url (http://127.0.0.1:9/simple/a/)":     {unavailable: true},
		"Failed to download distribution due to network timeout. Try increasing UV_HTTP_TIMEOUT":           {unreachable: true},
		"cause: HTTP status client error (404 Not Found) for url (http://127.0.0.1:9/simple/a/)":           {},
		"Because there is no version of a==503 and you require a==503, we can conclude":                    {},
	} {
		if unreachable(report) != want.unreachable || unavailable(report) != want.unavailable {
			t.Errorf("unreachable %t, unavailable %t: %s", unreachable(report), unavailable(report), report)
		}
	}
}

func TestExplain(t *testing.T) {
	tests := []struct{ name, report, want string }{
		{"one line", "error: Failed to parse\n", "Failed to parse"},
		{"causes", `warning: The lock is old
error: Failed to download ` + "`chardet==3.0.4`" + `
  cause: Hash mismatch for ` + "`chardet==3.0.4`" + `

         Expected:
           sha256:04ab

         Computed:
           sha256:fc32
`, "Failed to download `chardet==3.0.4`: Hash mismatch for `chardet==3.0.4`"},
		{"unreachable", `error: Failed to fetch: http://127.0.0.1:9/simple/a/
  cause: error sending request for url (http://127.0.0.1:9/simple/a/)
  cause: client error (Connect)
  cause: tcp connect error
  cause: Connection refused (os error 111)
`, "Failed to fetch: http://127.0.0.1:9/simple/a/: Connection refused (os error 111)"},
		{"build", `error: Failed to build ` + "`uvloop==0.14.0`" + `
  cause: The build backend returned an error
  cause: Call to ` + "`setuptools.build_meta:__legacy__.build_wheel`" + ` failed (exit status: 1)

         [stdout]
         running bdist_wheel

         [stderr]
         Traceback (most recent call last):
           File "<string>", line 233, in <module>
         error: command 'gcc' failed: No such file or directory

hint: Build failures usually indicate a problem with the package or the build environment
`, "Failed to build `uvloop==0.14.0`: Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1): error: command 'gcc' failed: No such file or directory"},
		{"older", `  × No solution found when resolving dependencies:
  ╰─▶ Because there is no version of flask==99 and you require flask==99, we
      can conclude that your requirements are unsatisfiable.
`, "No solution found when resolving dependencies: Because there is no version of flask==99 and you require flask==99, we"},
		{"the beginning is lost", `         subprocess.CalledProcessError: Command './configure' returned status 77.

hint: Build failures usually indicate a problem
`, "subprocess.CalledProcessError: Command './configure' returned status 77."},
		{"not uv's", "Segmentation fault\n", "Segmentation fault"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := explain(test.report); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

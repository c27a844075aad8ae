// Package need is how a test says what it needs of the machine. Without it the
// test is skipped; where RESTBENCH_TEST_REQUIRE=all promises that everything is
// there, it fails. It is for tests alone and knows nothing of what they test.
package need

import (
	"os"
	"os/exec"
	"testing"
)

// That ends a test for want of something, unless it is there.
func That(t testing.TB, there bool, what string) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("RESTBENCH_TEST_REQUIRE") == "all":
		t.Fatal("needs " + what)
	default:
		t.Skip("needs " + what)
	}
}

// Program returns the path of a program, which a package of the distribution has.
func Program(t testing.TB, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	That(t, err == nil, name+": install the package "+pkg)
	return path
}

package process

import (
	"os"
	"strings"
)

// minimal is all that servers and guards get of restbench's own environment. No
// secret, no proxy and no setting of another tool changes what is measured.
func minimal() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// withPort puts the port where "{port}" stands.
func withPort(list []string, port string) []string {
	filled := make([]string, len(list))
	for i, s := range list {
		filled[i] = strings.ReplaceAll(s, "{port}", port)
	}
	return filled
}

//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version names this build: the module's version where it was installed as one,
// else the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "development"
}

func versionText() string {
	return fmt.Sprintf("restbench %s (%s, %s/%s)", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

//go:build !linux || !(amd64 || arm64)

// Command restbench measures REST framework servers; on this system it only says
// where it does.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "restbench: it measures on Linux (amd64, arm64) only; elsewhere run it in a Linux container")
	os.Exit(1)
}

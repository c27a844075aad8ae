//go:build !linux || !(amd64 || arm64)

package load

import (
	"errors"

	"restbench/internal/bench"
)

func runLoops(bench.Plan) (bench.Load, error) {
	return bench.Load{}, errors.New("the native engine runs on Linux, on amd64 and arm64 only; use the container")
}

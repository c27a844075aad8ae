#!/bin/sh
# Prints the figures of docs/methodology.md for this machine, one after another.
# Run it at the top of the source tree, with nothing else running. It takes about
# an hour; --short leaves out what loads real frameworks.
set -u

failed=0
figure() {
	printf '\n## %s\n\n    %s\n\n' "$1" "$2"
	sh -c "$2" || failed=1
}

figure "Engine against a clock" "go test ./internal/load -count=1 -run 'TestReferenceServers|TestInjectedDelays' -v"
figure "Checks and counts" "go test ./internal/load -count=1 -run 'TestNativeCounts' -v"
figure "Coverage of intervals" "go test ./internal/stats -count=1 -run 'TestCoverage|TestEquivalence|TestIndex' -v"
if [ "${1:-}" != --short ]; then
	figure "The machine" "go run ./cmd/restbench check"
	figure "Engine against wrk" "go run ./cmd/restbench check --engines --time=30m"
	figure "Precision and time, adaptive" "go run ./cmd/restbench run --protocol=adaptive"
	figure "Precision and time, classic" "go run ./cmd/restbench run --protocol=classic"
fi
exit $failed

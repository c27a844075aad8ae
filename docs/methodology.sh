#!/bin/sh
# Prints the figures of docs/methodology.md for this machine, one after another.
# It needs Go, wrk, a Python from 3.10 on, and once the package index. Nothing
# else should run meanwhile.
#
#   sh docs/methodology.sh            all of them: three hours
#   sh docs/methodology.sh --short    those that load no framework: five minutes
#
# FIGURE_SECONDS=20 before it gives each figure that long, in a history of its own:
# enough to see that all works, and for no figure.
set -u
cd "$(dirname "$0")/.." || exit 1

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
go build -o "$dir/restbench" ./cmd/restbench || exit 1
PATH=$dir:$PATH
if [ -n "${FIGURE_SECONDS:-}" ]; then
	export XDG_STATE_HOME="$dir/state"
fi

# shortened is a command with as much time as FIGURE_SECONDS gives it.
shortened() {
	case $1 in
	*"restbench run"*) echo "$1 --rounds=4 --duration=200ms --warmup=0s" ;;
	*) echo "$1" | sed "s/--time=[0-9]*m/--time=${FIGURE_SECONDS}s/" ;;
	esac
}

# figure prints a title, how long it takes, the command, and what that prints.
all=0 failed=0
figure() {
	command=$3
	if [ -n "${FIGURE_SECONDS:-}" ]; then
		command=$(shortened "$3")
	fi
	printf '\n## %s (%s)\n\n    %s\n\n' "$1" "$2" "$command"
	all=$((all + 1))
	sh -c "$command" || failed=$((failed + 1))
}

figure "Engine against a clock" "2 minutes" "go test ./internal/load -count=1 -run TestReferenceServers -v"
figure "Delays" "1 minute" "go test ./internal/load -count=1 -run TestInjectedDelays -v"
figure "Wrong answers" "seconds" "go test ./internal/load -count=1 -run TestNativeCountsEveryWrongAnswer -v"
figure "Requests reported and received" "seconds" "go test ./internal/load -count=1 -run TestNativeCountsWhatTheServerCounted -v"
figure "Coverage of intervals" "seconds" "go test ./internal/stats -count=1 -run TestCoverage -v"
figure "Equals, in shipped rounds" "seconds" "go test ./internal/stats -count=1 -run TestSelfRatiosOfARealMachine -v"
figure "Equivalence" "seconds" "go test ./internal/stats -count=1 -run TestEquivalence -v"
figure "Host index" "seconds" "go test ./internal/stats -count=1 -run TestIndex -v"
figure "The machine" "seconds" "restbench check"
if [ "${1:-}" != --short ]; then
	figure "Engine against wrk" "30 minutes" "restbench check --engines --time=30m"
	figure "Engine against wrk, elsewhere" "15 minutes" "sh docs/unseen.sh --time=15m"
	figure "The client's tax" "10 minutes" "restbench check --figure=client-tax --time=10m"
	figure "Sleeping processors" "10 minutes" "restbench check --figure=idle-states --time=10m"
	figure "Idle neighbours" "10 minutes" "restbench check --figure=neighbours --time=10m"
	figure "The stall" "1 minute" "restbench check --figure=stall --time=1m"
	figure "A campaign of adaptive" "at most 20 minutes" "restbench run --protocol=adaptive"
	figure "A campaign of classic" "25 minutes, twice that where all is marked and repeated" "restbench run --protocol=classic"
	figure "The last campaign, for programs" "seconds" "restbench report --format=json"
	figure "Precision and time" "seconds" "restbench check --figure=precision"
	figure "Equals, compared live" "50 minutes" "restbench check --figure=self --time=40m"
	figure "Equals, in all rounds of the history" "seconds" "restbench check --figure=self-replayed"
fi
if [ "$failed" -gt 0 ]; then
	printf '\n%d of %d commands failed.\n' "$failed" "$all"
	exit 1
fi

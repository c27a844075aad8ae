//go:build linux && (amd64 || arm64)

// Command restbench measures REST framework servers in round robin, for ever,
// and publishes what it finds. This package holds flags, signals and wiring and
// decides nothing itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules may name a zone where the system has none

	"restbench/internal/control"
	"restbench/internal/load"
	"restbench/internal/process"
)

// Exit codes of all commands.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2

	exitUnknown = 3 // of compare: neither the same nor different
)

func main() { os.Exit(program(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})) }

// streams are where a command reads and writes. Results go to out alone,
// progress and logs to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// program is all of it: it answers the hidden commands with which the binary
// starts itself again, and otherwise carries out one command.
func program(args []string, io streams) int {
	if len(args) > 0 {
		switch args[0] {
		case "__engine":
			return load.Engine(io.in, io.out)
		case control.Command:
			return control.Serve(args[1:])
		case "__guard":
			return process.Guard(args[1:])
		}
	}
	ctx, stop := interruptible()
	defer stop()
	return execute(ctx, args, io)
}

// interruptible ends with the first SIGINT or SIGTERM. From then on these
// signals have their usual effect again: a second one ends the program at once,
// and the guards take the servers with it.
func interruptible() (context.Context, func()) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// execute carries out the command that args name and turns its error into an
// exit code and one line.
func execute(ctx context.Context, args []string, io streams) (code int) {
	defer func() { // kingpin ends the program itself after --help and --version
		switch r := recover().(type) {
		case nil:
		case exit:
			code = int(r)
		default:
			panic(r)
		}
	}()
	if len(args) == 0 {
		fmt.Fprintln(io.err, "restbench: no command; restbench --help lists them")
		return exitUsage
	}
	do, err := parse(args, io)
	if err == nil {
		err = do(ctx)
	}
	if err == nil {
		return exitDone
	}
	if status, ok := errors.AsType[exit](err); ok {
		return int(status)
	}
	fmt.Fprintf(io.err, "restbench: %s\n", err)
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// exit ends the program with a status and without a further word.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// usageError is a command line that asks for what there is not.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

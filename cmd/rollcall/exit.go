package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"rollcall/internal/audit"
	"rollcall/internal/fleet"
)

// The exit codes are the same for all commands; docs/exit-codes.md lists them.
// Codes above 128 are those of signals.
const (
	exitFindings    = audit.ExitFindings   // the command found something that makes it fail
	exitIncomplete  = audit.ExitIncomplete // the command failed, or did only part of its work
	exitUsage       = 64                   // wrong command line or setting; nothing was done
	exitInterrupted = 130                  // Ctrl-C
	exitTerminated  = 143                  // SIGTERM
)

// exitCodesHelp ends the help of every command that can find something.
const exitCodesHelp = `Exit codes: 0 done, 1 findings, 2 failed or incomplete, 64 wrong command line
or setting, 130 Ctrl-C. More: docs/exit-codes.md.`

// exitError is an error with its exit code. Errors without one are
// exitIncomplete.
type exitError struct {
	code int
	err  error
	// whole says that the text is printed without our name before it.
	whole bool
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// serviceError returns an error that is printed without our name before it.
// Scripts that look for the AWS CLI's "An error occurred (…) when calling …" find
// it.
func serviceError(format string, args ...any) error {
	return &exitError{code: exitIncomplete, err: fmt.Errorf(format, args...), whole: true}
}

// interrupted returns the code of a command that a signal has ended.
func interrupted(ctx context.Context) int {
	var by caught
	if errors.As(context.Cause(ctx), &by) && by.Signal == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// exit prints an error in one line and returns the exit code.
func (p *process) exit(ctx context.Context, err error) int {
	var with *exitError
	var config *fleet.ConfigError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &with) && with.whole:
		p.tell("%v\n", err)
		return with.code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		p.tell("rollcall: interrupted\n")
		return interrupted(ctx)
	}
	p.tell("rollcall: %s\n", withHint(err))
	switch {
	case with != nil:
		return with.code
	case errors.As(err, &config) && config.Setting:
		return exitUsage
	}
	return exitIncomplete
}

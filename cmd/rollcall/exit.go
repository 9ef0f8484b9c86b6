package main

import (
	"context"
	"errors"
	"fmt"

	"rollcall/internal/audit"
	"rollcall/internal/fleet"
)

// The exit codes of every command; docs/exit-codes.md lists them. A script
// that knows one command knows all of them. A code above 128 is a signal's.
const (
	exitFindings    = audit.ExitFindings   // what a command was asked to fail for was found
	exitIncomplete  = audit.ExitIncomplete // not done, or not wholly
	exitUsage       = 64                   // the command line or a setting cannot be used: nothing was done
	exitInterrupted = 130                  // ended by Ctrl-C
)

// exitCodesHelp ends of the help of every command.
const exitCodesHelp = `Exit codes: 0 done, 1 findings, 2 failed or incomplete, 64 wrong command line
or setting, 130 Ctrl-C. More: docs/exit-codes.md.`

// exitError is an error with its exit code. Errors without one are
// exitIncomplete.
type exitError struct {
	code int
	err  error
	// whole means that the text is printed as it is, without our name in front.
	whole bool
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// serviceError is printed as it is, without our name in front: what greps
// the AWS CLI's "An error occurred (…) when calling …" finds it.
func serviceError(format string, args ...any) error {
	return &exitError{code: exitIncomplete, err: fmt.Errorf(format, args...), whole: true}
}

// exit tells of an error, in one line, and returns the exit code.
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
		return exitInterrupted
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

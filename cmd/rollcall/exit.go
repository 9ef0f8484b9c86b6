package main

import (
	"context"
	"errors"
	"fmt"
)

// The exit codes of every command. They are those of the AWS CLI, version 2,
// so that scripts written for it understand ours; 1, 2 and 64 are kept for what
// an audit comes to, see auditexit.go.
const (
	exitInterrupted = 130 // ended by Ctrl-C
	exitUsage       = 252 // the command line cannot be understood
	exitConfig      = 253 // the environment, a setting or the credentials are missing or wrong
	exitService     = 254 // the service answered with an error
	exitFailure     = 255 // everything else
)

const exitCodesHelp = `Exit codes: 0 done, 252 wrong command line, 253 wrong or missing setting,
254 the service answered with an error, 255 any other failure, 130 Ctrl-C.`

// exitError is an error with its exit code. Errors without one are
// exitFailure.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func configError(format string, args ...any) error {
	return &exitError{exitConfig, fmt.Errorf(format, args...)}
}

// serviceError is printed as it is, without our name in front: what greps
// the AWS CLI's "An error occurred (…) when calling …" finds it.
func serviceError(format string, args ...any) error {
	return &exitError{exitService, fmt.Errorf(format, args...)}
}

// exit tells of an error, in one line, and returns the exit code.
func (p *process) exit(ctx context.Context, err error) int {
	var with *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &with) && with.code == exitService:
		fmt.Fprintln(p.stderr, err)
		return with.code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(p.stderr, "rollcall: interrupted")
		return exitInterrupted
	}
	fmt.Fprintln(p.stderr, "rollcall: "+withHint(err))
	if with != nil {
		return with.code
	}
	return exitFailure
}

package main

import (
	"errors"
	"strings"
)

// The exit codes of 'rollcall audit' and of what compares and explains beside
// it: an outcome, and not how the command went, is what a pipeline asks for.
const (
	exitAuditIncomplete = 2
	exitAuditUsage      = 64
)

const auditExitHelp = `Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 incomplete or failed
(an account without a report, a cell nobody can read; it goes before 1),
64 wrong command line, 130 Ctrl-C. --exit-zero makes 0 of 1, and not of 2.`

// auditCode gives an error of an audit the exit code that audits have for it.
func auditCode(err error) error {
	var with *exitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &with):
		return &exitError{exitAuditIncomplete, err}
	case with.code == exitUsage:
		return &exitError{exitAuditUsage, with.err}
	case with.code == exitService: // an answer of a service begins with an empty line
		return &exitError{exitAuditIncomplete, plainError{with.err}}
	case with.code == exitConfig || with.code == exitFailure:
		return &exitError{exitAuditIncomplete, with.err}
	default:
		return err
	}
}

// plainError is an error without the empty lines around it.
type plainError struct{ error }

func (e plainError) Error() string { return strings.TrimSpace(e.error.Error()) }
func (e plainError) Unwrap() error { return e.error }

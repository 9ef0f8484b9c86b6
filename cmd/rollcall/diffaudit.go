package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
)

// judgingFlags are those that say by what rules reports are judged, of commands
// that go by the findings of an audit and do not show the audit itself.
func judgingFlags(c *cobra.Command, a *auditing) {
	f := c.Flags()
	f.StringVarP(&a.benchmark, "benchmark", "b", "", "judge by this `benchmark`: "+strings.Join(benchmarkIDs(), ", ")+
		" (default that of --config, or "+string(audit.DefaultBenchmark)+")")
	f.StringSliceVar(&a.controls, "control", nil, "judge these `controls` alone, such as C5,key-age")
	f.StringVar(&a.config, "config", "", "a YAML `file` with a profile, thresholds, classes of users and exceptions")
	f.StringVar(&a.exceptions, "exceptions", "", "a YAML `file` of exceptions")
	f.BoolVar(&a.wildcards, "allow-wildcards", false, "let exceptions have wildcards")
	completeWith(c, "benchmark", benchmarkIDs()...)
}

// judges makes a command end with the exit codes of audits, whatever goes
// wrong.
func judges(c *cobra.Command, run func(*cobra.Command, []string) error) {
	c.RunE = func(cmd *cobra.Command, args []string) error { return auditCode(run(cmd, args)) }
	c.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return auditCode(usageError("%w (see '%s --help')", err, cmd.CommandPath()))
	})
}

func severityFlag(flag, value string) (audit.Severity, error) {
	s, err := audit.ParseSeverity(value)
	if err != nil {
		return s, oneOf(flag, value, severityNames()...)
	}
	return s, nil
}

// incompleteError says why an outcome is not the whole truth.
func incompleteError(format string, args ...any) error {
	return &exitError{exitAuditIncomplete, fmt.Errorf(format, args...)}
}

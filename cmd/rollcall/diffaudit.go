package main

import (
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
)

// judgingFlags are those that say by what rules reports are judged, of commands
// that go by the findings of an audit and do not show the audit itself.
func judgingFlags(c *cobra.Command, a *auditing) {
	f := c.Flags()
	choose(c, &a.benchmark, "benchmark", "b", "", "judge by this `benchmark`: "+strings.Join(benchmarkIDs(), ", ")+
		" (default that of --config, or "+string(audit.DefaultBenchmark)+")", benchmarkIDs()...)
	f.StringSliceVar(&a.controls, "control", nil, "judge these `controls` alone, such as C5,key-age")
	f.StringVar(&a.config, "config", "", "a YAML `file` with a profile, thresholds, classes of users and exceptions")
	f.StringVar(&a.exceptions, "exceptions", "", "a YAML `file` of exceptions")
	f.BoolVar(&a.wildcards, "allow-wildcards", false, "let exceptions have wildcards")
}

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/words"
)

func controlsTestCommand(p *process) *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE...",
		Short: "Run the tests of your own controls",
		Long: `Run the tests of the controls in audit configuration files. Each test holds rows
of a report and the verdicts that its control must give. Print one line for each
test and each control without a test. End with 1 if a test fails.

` + exitCodesHelp,
		Example: `  rollcall controls test audit.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			failed, ran := 0, 0
			for _, file := range args {
				f, n, err := testControls(cmd, p, file)
				if err != nil {
					return err
				}
				failed, ran = failed+f, ran+n
			}
			if failed > 0 {
				return &exitError{code: exitFindings, whole: true,
					err: fmt.Errorf("%d of %s failed", failed, words.Count(ran, "test"))}
			}
			p.tell("%s passed\n", words.Count(ran, "test"))
			return nil
		},
	}
}

// testControls runs the tests of a file and prints their results.
func testControls(cmd *cobra.Command, p *process, file string) (failed, ran int, err error) {
	config, err := readAuditConfig(file, true)
	if err != nil {
		return 0, 0, err
	}
	results, untested, err := config.TestControls(cmd.Context())
	if err != nil {
		return 0, 0, usageError("%s: %w", file, err)
	}
	var out strings.Builder
	for _, r := range results {
		if r.Wrong == "" {
			fmt.Fprintf(&out, "ok    %s %s\n", r.Control, r.Test)
			continue
		}
		failed++
		fmt.Fprintf(&out, "FAIL  %s %s: %s\n", r.Control, r.Test, r.Wrong)
	}
	for _, id := range untested {
		fmt.Fprintf(&out, "none  %s has no test\n", id)
	}
	_, err = p.stdout.Write([]byte(out.String()))
	return failed, len(results), err
}

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/fleet"
)

func reportRequestCommand(p *process, reach *reach) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "request",
		Short: "Ask the service to generate a new report",
		Long: `Ask the service to generate a new report, and print its answer as
Request-IAMCredentialReport does, or with --output json as 'aws iam
generate-credential-report' does. The command does not wait for the report;
'rollcall report' does.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			account, err := reach.open(cmd.Context())
			if err != nil {
				return err
			}
			task, err := account.Request(cmd.Context())
			if err != nil {
				return reportError(err)
			}
			if output == "json" {
				type requested struct {
					State       string
					Description string `json:",omitempty"`
				}
				return writeJSON(p.stdout, requested{task.State, task.Description})
			}
			return writeTask(p.stdout, task)
		},
	}
	outputFlag(c, &output)
	return c
}

// writeTask writes the answer as PowerShell's Format-Table -AutoSize does.
func writeTask(w io.Writer, t fleet.Task) error {
	const description, state = "Description", "State"
	n := max(len(description), len(t.Description))
	_, err := fmt.Fprintf(w, "%-*s %s\n%-*s %s\n%-*s %s\n", n, description, state,
		n, strings.Repeat("-", len(description)), strings.Repeat("-", len(state)), n, t.Description, t.State)
	return err
}

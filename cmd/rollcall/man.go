//go:build man

package main

import (
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// A build with the tag man, which 'make release' runs and nobody ships, can write
// the manual pages. Their writer would add to the size of the program.
func init() {
	commands = append(commands, struct {
		name string
		make func(*process) *cobra.Command
	}{"man", manCommand})
}

func manCommand(p *process) *cobra.Command {
	return &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "Write the manual pages",
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
			if err != nil {
				return usageError("SOURCE_DATE_EPOCH must be the seconds of the pages' date")
			}
			date := time.Unix(seconds, 0).UTC()
			root := rootCommand(p) // the one that runs has no other commands
			root.DisableAutoGenTag = true
			root.InitDefaultHelpCmd()
			return doc.GenManTree(root, &doc.GenManHeader{
				Section: "1", Date: &date, Source: "Rollcall " + version(), Manual: "Rollcall",
			}, args[0])
		},
	}
}

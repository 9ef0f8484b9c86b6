package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/internal/escape"
)

// unrecorded lists the flags whose values are kept out of records. The URL of a
// store may have a password.
var unrecorded = map[string]bool{"external-id": true, "store": true}

// commandLine returns the command line for a record: the given flags, and then
// the arguments.
func commandLine(cmd *cobra.Command, args []string) string {
	words := strings.Fields(cmd.CommandPath())
	cmd.Flags().Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		if slice, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(slice.GetSlice(), ",")
		}
		switch {
		case unrecorded[f.Name]:
			words = append(words, "--"+f.Name+"=(not recorded)")
		case value == "true" && f.Value.Type() == "bool":
			words = append(words, "--"+f.Name)
		default:
			words = append(words, "--"+f.Name+"="+escape.Shell(value))
		}
	})
	for _, arg := range args {
		words = append(words, escape.Shell(arg))
	}
	return strings.Join(words, " ")
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/internal/words"
)

// noneOf says that a value is not among those there are.
func noneOf(value string, values []string) error {
	return fmt.Errorf("%q is none of %s%s", value, strings.Join(values, ", "), words.DidYouMean(value, values))
}

// choice is the value of a flag that takes one of a few, in any letter case.
type choice struct {
	to     *string
	values []string
}

// choose adds a flag that takes one of the values, and offers them to the
// shell.
func choose(c *cobra.Command, to *string, name, short, value, usage string, values ...string) {
	*to = value
	c.Flags().VarP(&choice{to, values}, name, short, usage)
	must(c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

func (c *choice) String() string {
	if c.to == nil {
		return ""
	}
	return *c.to
}

func (c *choice) Type() string { return "string" }

// Set implements pflag.Value.
func (c *choice) Set(value string) error {
	i := slices.IndexFunc(c.values, func(v string) bool { return strings.EqualFold(v, value) })
	if i < 0 {
		return noneOf(value, c.values)
	}
	*c.to = c.values[i]
	return nil
}

var _ pflag.Value = (*choice)(nil)

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/internal/words"
)

// noneOf returns an error that lists the valid values.
func noneOf(value string, values []string) error {
	return fmt.Errorf("%q is not one of %s%s", value, strings.Join(values, ", "), words.DidYouMean(value, values))
}

// choice is a flag's value that is one of a few, in any letter case.
type choice struct {
	to     *string
	values []string
}

// choose adds a flag with a few valid values, which the shell can complete.
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

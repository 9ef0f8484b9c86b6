package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageOf returns a function that prints how a command is used. It fits flags to the
// terminal, and shows no usage of its own for a command that only groups others.
//
// cobra can do the same with a template. But a program that executes templates has
// every method of every type in it, because a template can call any of them.
func usageOf(p *process) func(*cobra.Command) error {
	columns := helpWidth(p)
	return func(c *cobra.Command) error {
		var b strings.Builder
		b.WriteString("Usage:")
		groups := c.HasAvailableSubCommands()
		if c.Runnable() && (!groups || c.Use != c.Name()) {
			fmt.Fprintf(&b, "\n  %s", c.UseLine())
		}
		if groups {
			fmt.Fprintf(&b, "\n  %s [command]", c.CommandPath())
		}
		if c.HasExample() {
			fmt.Fprintf(&b, "\n\nExamples:\n%s", c.Example)
		}
		listCommands(&b, c)
		for _, f := range []struct {
			title string
			flags *pflag.FlagSet
		}{{"Flags:", c.LocalFlags()}, {"Global Flags:", c.InheritedFlags()}} {
			if f.flags.HasAvailableFlags() {
				fmt.Fprintf(&b, "\n\n%s\n%s", f.title, strings.TrimRight(f.flags.FlagUsagesWrapped(columns), " \n"))
			}
		}
		if groups {
			fmt.Fprintf(&b, "\n\n'%s COMMAND --help' explains a command.", c.CommandPath())
		}
		b.WriteString("\n")
		_, err := io.WriteString(c.OutOrStderr(), b.String())
		return err
	}
}

// listCommands lists the subcommands of a command by their groups.
func listCommands(b *strings.Builder, c *cobra.Command) {
	list := func(title, group string) {
		fmt.Fprintf(b, "\n\n%s", title)
		for _, sub := range c.Commands() {
			if sub.GroupID == group && (sub.IsAvailableCommand() || sub.Name() == "help") {
				fmt.Fprintf(b, "\n  %-*s %s", sub.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}
	if !c.HasAvailableSubCommands() {
		return
	}
	if len(c.Groups()) == 0 {
		list("Available Commands:", "")
		return
	}
	for _, group := range c.Groups() {
		list(group.Title, group.ID)
	}
	if !c.AllChildCommandsHaveGroup() {
		list("Additional Commands:", "")
	}
}

// versionFlag gives a command the flag --version.
func versionFlag(root *cobra.Command, p *process) {
	run := root.RunE
	var wanted bool
	root.Flags().BoolVarP(&wanted, "version", "v", false, "version for rollcall")
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if !wanted {
			return run(cmd, args)
		}
		_, err := fmt.Fprintf(p.stdout, "rollcall %s\n", version())
		return err
	}
}

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/internal/words"
)

// checkArguments lets a command and its subcommands take the arguments that their
// usage lines name, and refuse others in our words.
func checkArguments(c *cobra.Command) {
	for _, sub := range c.Commands() {
		checkArguments(sub)
	}
	if c.Args != nil { // a group checks them itself
		return
	}
	_, line, _ := strings.Cut(c.Use, " ")
	names := strings.Fields(line)
	needed, most := 0, len(names)
	for _, name := range names {
		if !strings.HasPrefix(name, "[") {
			needed++
		}
		if strings.HasSuffix(name, "...") {
			most = -1
		}
	}
	c.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < needed:
			return usageError("%s is missing: %s %s%s", names[len(args)], cmd.CommandPath(), line, seeHelp(cmd))
		case most == 0 && len(args) > 0:
			return usageError("'%s' takes no arguments, but there is %q%s", cmd.CommandPath(), args[0], seeHelp(cmd))
		case most > 0 && len(args) > most:
			return usageError("%q is one argument too many: %s %s%s", args[most], cmd.CommandPath(), line, seeHelp(cmd))
		}
		return nil
	}
}

func seeHelp(cmd *cobra.Command) string { return " (see '" + cmd.CommandPath() + " --help')" }

// flagError explains in our words the error in a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var wrong *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown) && mistyped(cmd) != "":
		return noCommand(cmd, mistyped(cmd))
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return usageError("there is no flag -%.1s%s", unknown.GetSpecifiedName(), seeHelp(cmd))
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		return usageError("there is no flag --%s%s%s", name, words.DidYouMean("--"+name, flagNames(cmd)), seeHelp(cmd))
	case errors.As(err, &bare):
		return usageError("--%s needs a value%s", bare.GetFlag().Name, seeHelp(cmd))
	case errors.As(err, &wrong):
		return usageError("--%s %w%s", wrong.GetFlag().Name, wrongValue(wrong), seeHelp(cmd))
	case errors.As(err, &syntax):
		return usageError("%q is not a flag%s", syntax.GetSpecifiedFlag(), seeHelp(cmd))
	}
	return usageError("%w%s", err, seeHelp(cmd))
}

// mistyped returns the first argument if it was meant as a subcommand, else "". A flag
// of that subcommand is unknown then, too, but it is not the mistake.
func mistyped(cmd *cobra.Command) string {
	args := cmd.Flags().Args()
	if len(args) == 0 || !cmd.HasAvailableSubCommands() {
		return ""
	}
	_, err := os.Stat(args[0])
	if cmd.Annotations[onlyGroups] == "" && (err == nil || words.Closest(args[0], subcommands(cmd)) == "") {
		return "" // it is, or may be, a file
	}
	return args[0]
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	add := func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	}
	cmd.Flags().VisitAll(add)
	return names
}

// wrongValue says which values the flag takes.
func wrongValue(err *pflag.InvalidValueError) error {
	value := err.GetValue()
	switch kind := err.GetFlag().Value.Type(); kind {
	case "int", "int64", "uint", "uint64":
		return fmt.Errorf("%q is not a whole number", value)
	case "float64":
		return fmt.Errorf("%q is not a number", value)
	case "duration":
		return fmt.Errorf("%q is not a length of time such as 90s, 30m or 4h", value)
	case "bool":
		return fmt.Errorf("%q is neither true nor false", value)
	case "stringSlice":
		return fmt.Errorf("%q has an opening quotation mark without a closing one", value)
	}
	return err.Unwrap() // the flag's own value names it
}

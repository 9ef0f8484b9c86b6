package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/internal/words"
)

// commands are the subcommands by name, in the order of the help.
var commands = []struct {
	name string
	make func(*process) *cobra.Command
}{
	{"serve", serveCommand}, {"dev", devCommand}, {"demo", demoCommand},
	{"account", accountCommand}, {"backup", backupCommand}, {"restore", restoreCommand},
	{"masterkey", masterKeyCommand}, {"trail", trailCommand}, {"doctor", doctorCommand},
	{"report", reportCommand}, {"audit", auditCommand}, {"controls", controlsCommand}, {"diff", diffCommand},
	{"plan", planCommand}, {"review", reviewCommand},
	{"version", versionCommand}, {"completion", completionCommand},
}

// commandFor returns the command line that args need: with the one subcommand
// that they begin with, or with all. Declaring the flags of all takes longer
// than most of the program's start.
func commandFor(p *process, args []string) *cobra.Command {
	root := bareRoot(p)
	for _, c := range commands {
		if len(args) > 0 && args[0] == c.name {
			root.AddCommand(c.make(p))
			checkArguments(root)
			return root
		}
	}
	return rootCommand(p)
}

// rootCommand returns the complete command line.
func rootCommand(p *process) *cobra.Command {
	root := bareRoot(p)
	for _, c := range commands {
		root.AddCommand(c.make(p))
	}
	checkArguments(root)
	return root
}

// bareRoot returns the command line without its subcommands. They must not set
// PersistentPreRunE, because cobra only runs the innermost one.
func bareRoot(p *process) *cobra.Command {
	root := group(&cobra.Command{
		Use:   "rollcall",
		Short: "A self-hosted AWS IAM with credential reports",
		Long: `Rollcall is a self-hosted service that speaks the AWS IAM and STS API. The AWS
CLI, boto3 and the AWS SDKs work with it unchanged. Rollcall is also a tool that
gets, audits and compares credential reports, from the service or from AWS.

` + exitCodesHelp,
		Example: `  rollcall dev                     run an emulator in memory, for tests
  rollcall account create          create the first account of a service
  rollcall serve                   run the service, with data in ./rollcall-data
  rollcall audit report.csv        audit a credential report against CIS`,
		SilenceErrors: true, // run prints them
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			p.reads(cmd, args)
			return errors.Join(noEmpty(cmd), fromEnvironment(cmd, p.env))
		},
	})
	fitHelp(root, p)
	root.SetUsageFunc(usageOf(p))
	versionFlag(root, p)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddGroup(
		&cobra.Group{ID: "service", Title: "The service:"},
		&cobra.Group{ID: "operate", Title: "For its operator (safe while the service runs):"},
		&cobra.Group{ID: "reports", Title: "Credential reports, from AWS or Rollcall:"},
	)
	root.SetHelpCommand(helpCommand())
	root.SetFlagErrorFunc(flagError)
	return root
}

// onlyGroups marks a command that does nothing itself.
const onlyGroups = "rollcall_group"

// group returns a command that only groups others.
func group(c *cobra.Command, sub ...*cobra.Command) *cobra.Command {
	c.AddCommand(sub...)
	c.Args, c.Annotations = cobra.ArbitraryArgs, map[string]string{onlyGroups: "yes"}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return noCommand(cmd, args[0])
	}
	return c
}

// noCommand returns an error for a subcommand that does not exist.
func noCommand(cmd *cobra.Command, name string) error {
	return usageError("there is no command '%s %s'%s%s", cmd.CommandPath(), name, words.DidYouMean(name, subcommands(cmd)),
		seeHelp(cmd))
}

// subcommands returns the names of a command's subcommands.
func subcommands(cmd *cobra.Command) []string {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// helpCommand returns the command that shows the help of others: 'rollcall help
// account create' does the same as 'rollcall account create --help'.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]...",
		Short: "Show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			of := cmd.Root()
			for _, name := range args {
				next, rest, err := of.Find([]string{name})
				if err != nil || len(rest) > 0 || next == of {
					return noCommand(of, name)
				}
				of = next
			}
			of.InitDefaultHelpFlag() // the help lists only flags that exist
			return of.Help()
		},
	}
}

// completionCommand returns the command that prints a shell's completion script.
func completionCommand(p *process) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print a completion script for a shell",
		Long:      "Print the script with which bash, zsh, fish or powershell completes command lines\nof rollcall.",
		Example:   "  source <(rollcall completion bash)",
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(p.stdout, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(p.stdout)
			case "fish":
				return cmd.Root().GenFishCompletion(p.stdout, true)
			case "powershell":
				return cmd.Root().GenPowerShellCompletionWithDesc(p.stdout)
			}
			return usageError("SHELL %w", noneOf(args[0], shells))
		},
	}
}

// noEmpty returns an error for a flag with an empty value, such as --exceptions
// "$FILE" where nothing has set the variable. Without it the command would answer
// as if the flag were absent. A setting may be empty.
func noEmpty(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		slice, many := f.Value.(pflag.SliceValue)
		empty := !many && f.Value.String() == "" || many && len(slice.GetSlice()) == 0
		if err == nil && empty && len(f.Annotations[setting]) == 0 {
			err = usageError("--%s has an empty value: give it one, or leave it out%s", f.Name, seeHelp(cmd))
		}
	})
	return err
}

// setting marks a flag that the environment can set too: ROLLCALL_ADMIN_LISTEN
// sets --admin-listen. Only flags that describe an installation are settings.
// Flags that choose or confirm a single act are not.
const setting = "rollcall_setting"

func settings(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, setting, []string{variable(name)}); err != nil {
			panic(err)
		}
	}
}

// settingsHelp explains settings by a flag that the command has.
func settingsHelp(flag string) string {
	return "Environment variables can give settings too: " + variable(flag) + " sets --" + flag +
		", and\nso on. Flags take precedence."
}

func variable(flag string) string {
	return "ROLLCALL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the settings that the command line does not give.
func fromEnvironment(cmd *cobra.Command, env func(string) string) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := f.Annotations[setting]
		if err != nil || f.Changed || len(name) == 0 || env(name[0]) == "" {
			return
		}
		if cmd.Flags().Set(f.Name, env(name[0])) != nil {
			// The value may be a secret, so it is not repeated.
			err = usageError("the value of the environment variable %s is not valid for --%s", name[0], f.Name)
		}
	})
	return err
}

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// rootCommand is the whole command line. Subcommands must not set
// PersistentPreRunE: cobra runs the innermost only.
func rootCommand(p *process) *cobra.Command {
	root := group(&cobra.Command{
		Use:   "rollcall",
		Short: "A self-hosted AWS IAM with credential reports",
		Long: `Rollcall is a self-hosted service that speaks the AWS IAM and STS API, so that
the AWS CLI, boto3 and the AWS SDKs work with it unchanged, and a tool that
reads and judges credential reports from it or from AWS.

` + exitCodesHelp + `
Commands that judge ('rollcall audit') have codes of their own: see their help.`,
		Example: `  rollcall dev                     an emulator for tests, in memory
  rollcall account create          the first account of a service
  rollcall serve                   the service, its data in ./rollcall-data
  rollcall audit report.csv        judge a credential report by CIS`,
		Version:           version(),
		SilenceErrors:     true, // run prints them
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd, p.env) },
	})
	root.SetUsageTemplate(usageTemplate(root.UsageTemplate(), p))
	root.SetVersionTemplate("rollcall {{.Version}}\n")
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddGroup(
		&cobra.Group{ID: "service", Title: "The service:"},
		&cobra.Group{ID: "operate", Title: "For its operator, also while it runs:"},
		&cobra.Group{ID: "reports", Title: "Credential reports, from AWS or Rollcall:"},
	)
	root.AddCommand(serveCommand(p))
	root.AddCommand(devCommand(p))
	root.AddCommand(demoCommand(p))
	root.AddCommand(accountCommand(p))
	root.AddCommand(backupCommand(p))
	root.AddCommand(restoreCommand(p))
	root.AddCommand(masterKeyCommand(p))
	root.AddCommand(reportCommand(p))
	root.AddCommand(auditCommand(p))
	root.AddCommand(controlsCommand(p))
	root.AddCommand(diffCommand(p))
	root.AddCommand(planCommand(p))
	root.AddCommand(versionCommand(p))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%w (see '%s --help')", err, cmd.CommandPath())
	})
	refuseAsUsage(root)
	return root
}

// usageTemplate is cobra's, but flags fit the terminal, and a command that
// only holds others, and so takes nothing itself, is not shown as one of its
// own.
func usageTemplate(text string, p *process) string {
	columns, terminal := width(p.stdout)
	if !terminal {
		columns = 80
	}
	text = strings.ReplaceAll(text, "FlagUsages |", fmt.Sprintf("FlagUsagesWrapped %d |", columns))
	return strings.Replace(text, "{{if .Runnable}}", "{{if and .Runnable (or (not .HasAvailableSubCommands) (ne .Use .Name))}}", 1)
}

// group makes a command that only holds others.
func group(c *cobra.Command, sub ...*cobra.Command) *cobra.Command {
	c.AddCommand(sub...)
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		hint := ""
		if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
			hint = ", did you mean " + strings.Join(like, " or ") + "?"
		}
		return usageError("there is no command '%s %s'%s (see '%s --help')", cmd.CommandPath(), args[0], hint, cmd.CommandPath())
	}
	return c
}

// refuseAsUsage gives wrong arguments of all commands their exit code.
func refuseAsUsage(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError("%w (see '%s --help')", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		refuseAsUsage(sub)
	}
}

// setting marks a flag that may also come from the environment: --admin-listen
// from ROLLCALL_ADMIN_LISTEN. Only what describes an installation is a
// setting; what confirms or chooses one deed is not.
const setting = "rollcall_setting"

func settings(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, setting, []string{variable(name)}); err != nil {
			panic(err)
		}
	}
}

// settingsHelp tells of it, with a flag that the command has.
func settingsHelp(flag string) string {
	return "Settings may also come from the environment: --" + flag + " from " + variable(flag) + ", and\nso on. A flag wins."
}

func variable(flag string) string {
	return "ROLLCALL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment fills in the settings that the command line left open.
func fromEnvironment(cmd *cobra.Command, env func(string) string) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := f.Annotations[setting]
		if err != nil || f.Changed || len(name) == 0 || env(name[0]) == "" {
			return
		}
		if cmd.Flags().Set(f.Name, env(name[0])) != nil {
			// The value may be a secret: it is not repeated.
			err = configError("the value of the environment variable %s is not one for --%s", name[0], f.Name)
		}
	})
	return err
}

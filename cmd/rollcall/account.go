package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/identity"
	"rollcall/internal/service"
	"rollcall/internal/words"
)

func accountCommand(p *process) *cobra.Command {
	return group(&cobra.Command{
		Use:     "account",
		GroupID: "operate",
		Short:   "Create, list and delete accounts and their root credentials",
		Long: `Create, list and delete accounts, and the credentials of their root users. These
commands are safe while the service runs on the same data. They take effect at
once.

` + settingsHelp("data"),
	},
		accountCreateCommand(p), accountListCommand(p), accountDeleteCommand(p),
		rootKeyCommand(p), rootPasswordCommand(p), mfaResetCommand(p), tokenKeysCommand(p), accountLimitsCommand(p),
		accountReportsCommand(p), accountReportCommand(p),
		organizationCommand(p), controlPolicyCommand(p),
	)
}

func accountCreateCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var spec identity.AccountSpec
	var limits []string
	var output string
	c := &cobra.Command{
		Use:   "create",
		Short: "Create an account and print its root access key, once",
		Long: `Create an account with a root user and a root access key, and print that key.
Its secret cannot be shown again. If the data directory and the master key file
do not exist, the command creates them too.

With --in-organization the account becomes a member of the organization that
another account manages, and gets the role OrganizationAccountAccessRole, as
AWS Organizations creates accounts. Principals of the management account may assume
this role, which may do everything.`,
		Example: `  rollcall account create
  rollcall account create --id 123456789012 --alias example --output json
  rollcall account create --limit AccessKeysPerUser=4
  rollcall account create --in-organization 123456789012`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if spec.Limits, err = parseLimits(limits); err != nil {
				return err
			}
			if spec.Management != "" && !cmd.Flags().Changed("partition") {
				spec.Partition = "" // that of the management account
			}
			if err := spec.Check(); err != nil {
				return usageError("%w", err) // before a data directory is created
			}
			a := &act{name: "CreateAccount", account: spec.ID,
				asked: map[string]any{"alias": spec.Alias, "partition": spec.Partition, "limits": spec.Limits}}
			if spec.Management != "" {
				a.asked["managementAccountId"] = spec.Management
			}
			return in.act(cmd, true, a, func(s *service.Service) error {
				created, err := s.IAM.CreateAccount(cmd.Context(), spec)
				if err != nil {
					return err
				}
				a.account = created.ID
				a.made = map[string]any{"accountId": created.ID, "accessKeyId": created.RootKey.ID}
				return printAccount(p, output, created)
			})
		},
	}
	in.addActing(c)
	f := c.Flags()
	f.StringVar(&spec.ID, "id", "", "the twelve `digits` of the account (default a random number)")
	f.StringVar(&spec.Alias, "alias", "", "`alias` of the account")
	choose(c, &spec.Partition, "partition", "", "aws", "`partition` of ARNs: aws, aws-cn or aws-us-gov",
		"aws", "aws-cn", "aws-us-gov")
	f.StringVar(&spec.Management, "in-organization", "", "make the account a member of the organization that this "+
		"`account` manages")
	f.StringArrayVar(&limits, "limit", nil, "set a quota that differs from IAM's: `NAME=NUMBER`; may be repeated")
	outputFlag(c, &output)
	return c
}

func printAccount(p *process, output string, a identity.NewAccount) error {
	if output == "json" {
		type newAccount struct {
			AccountId, AccessKeyId, SecretAccessKey string
			Alias                                   string `json:",omitempty"`
			Partition                               string
		}
		return writeJSON(p.stdout, newAccount{a.ID, a.RootKey.ID, a.RootKey.Secret.Reveal(), a.Alias, a.Partition})
	}
	alias := ""
	if a.Alias != "" {
		alias = " (" + a.Alias + ")"
	}
	_, err := fmt.Fprintf(p.stdout, `Account %s%s is ready. Its root access key is shown only now. For a shell:

%s
To sign in to the console at http://localhost:8585/console/ as root, set a password:

  rollcall account root-password %[1]s
`, a.ID, alias, serveExports(a.RootKey.ID, a.RootKey.Secret.Reveal()))
	return err
}

// parseLimits reads NAME=NUMBER. NAME=default restores IAM's quota.
func parseLimits(texts []string) (map[string]int, error) {
	limits := map[string]int{}
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		n, err := strconv.Atoi(value)
		if value == "default" {
			n, err = identity.DefaultLimit, nil
		} else if n < 0 {
			err = errors.New("negative")
		}
		if err != nil {
			return nil, usageError("%q is neither NAME=NUMBER nor NAME=default", text)
		}
		if names := identity.LimitNames(); !slices.Contains(names, name) {
			return nil, usageError("limit %w", noneOf(name, names))
		}
		limits[name] = n
	}
	return limits, nil
}

func accountListCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var output string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var accounts []identity.AccountInfo
			err := in.with(cmd.Context(), false, func(s *service.Service) (err error) {
				accounts, err = s.IAM.Accounts(cmd.Context())
				return err
			})
			if err != nil {
				return err
			}
			return printAccounts(p, output, accounts)
		},
	}
	in.add(c)
	outputFlag(c, &output)
	return c
}

func printAccounts(p *process, output string, accounts []identity.AccountInfo) error {
	if output == "json" {
		type listedAccount struct {
			AccountId, Alias, Partition, Created string
			Users                                int
			ReportGenerated                      string         `json:",omitempty"`
			Limits                               map[string]int `json:",omitempty"`
		}
		list := []listedAccount{}
		for _, a := range accounts {
			list = append(list,
				listedAccount{a.ID, a.Alias, a.Partition, words.Time(a.Created), a.Users, words.Time(a.Reported),
					a.Limits})
		}
		return writeJSON(p.stdout, list)
	}
	if len(accounts) == 0 {
		p.tell("There are no accounts.\n")
		return nil
	}
	t := newTable(p.stdout, "Account", "Alias", "Partition", "Users", "Created", "Last report")
	for _, a := range accounts {
		t.row(a.ID, a.Alias, a.Partition, strconv.Itoa(a.Users), words.Time(a.Created), words.Time(a.Reported))
	}
	return t.print()
}

func accountDeleteCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var yes bool
	c := &cobra.Command{
		Use:     "delete ACCOUNT",
		Short:   "Delete an account with all its users, credentials and reports",
		Example: `  rollcall account delete 123456789012 --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return in.askToDelete(cmd.Context(), args[0])
			}
			a := &act{name: "DeleteAccount", account: args[0]}
			return in.act(cmd, false, a, func(s *service.Service) error {
				if err := s.IAM.DeleteAccount(cmd.Context(), args[0]); err != nil {
					return err
				}
				p.tell("Account %s is deleted.\n", args[0])
				return nil
			})
		},
	}
	in.addActing(c)
	c.Flags().BoolVar(&yes, "yes", false, "delete the account; without --yes, say what would be deleted")
	c.ValidArgsFunction = in.completeAccounts
	return c
}

// askToDelete says what would be deleted with the account.
func (in *install) askToDelete(ctx context.Context, id string) error {
	return in.with(ctx, false, func(s *service.Service) error {
		a, err := findAccount(ctx, s, id)
		if err != nil {
			return err
		}
		if a.Alias != "" {
			id += " (" + a.Alias + ")"
		}
		return usageError(
			"this permanently deletes account %s, its %s, and all its credentials, policies and reports: give --yes "+
				"to confirm",
			id, words.Count(a.Users, "user"))
	})
}

func accountLimitsCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var output string
	c := &cobra.Command{
		Use:   "limits ACCOUNT [NAME=NUMBER|NAME=default]...",
		Short: "Show or set the quotas of an account that differ from IAM's",
		Example: `  rollcall account limits 123456789012
  rollcall account limits 123456789012 AccessKeysPerUser=4 UsersPerAccount=9000
  rollcall account limits 123456789012 AccessKeysPerUser=default`,
		RunE: func(cmd *cobra.Command, args []string) error {
			limits, err := parseLimits(args[1:])
			if err != nil {
				return err
			}
			if len(limits) > 0 {
				a := &act{name: "SetAccountLimits", account: args[0], asked: map[string]any{"limits": args[1:]}}
				err := in.act(cmd, false, a, func(s *service.Service) error {
					return s.IAM.SetLimits(cmd.Context(), args[0], limits)
				})
				if err != nil {
					return err
				}
			}
			return in.with(cmd.Context(), false, func(s *service.Service) error {
				a, err := findAccount(cmd.Context(), s, args[0])
				if err != nil {
					return err
				}
				return printLimits(p, output, a)
			})
		},
	}
	in.addActing(c)
	outputFlag(c, &output)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

func findAccount(ctx context.Context, s *service.Service, id string) (identity.AccountInfo, error) {
	accounts, err := s.IAM.Accounts(ctx)
	for _, a := range accounts {
		if a.ID == id {
			return a, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("there is no account %s", id)
	}
	return identity.AccountInfo{}, err
}

func printLimits(p *process, output string, a identity.AccountInfo) error {
	if output == "json" {
		if a.Limits == nil {
			a.Limits = map[string]int{}
		}
		return writeJSON(p.stdout, a.Limits)
	}
	if len(a.Limits) == 0 {
		p.tell("All quotas of account %s are IAM's.\n", a.ID)
		return nil
	}
	t := newTable(p.stdout, "Limit", "Value")
	for _, name := range slices.Sorted(maps.Keys(a.Limits)) {
		t.row(name, strconv.Itoa(a.Limits[name]))
	}
	return t.print()
}

// completeAccounts offers the ids of the accounts to the shell.
func (in *install) completeAccounts(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	err := in.with(cmd.Context(), false, func(s *service.Service) error {
		accounts, err := s.IAM.Accounts(cmd.Context())
		for _, a := range accounts {
			ids = append(ids, cobra.CompletionWithDesc(a.ID, a.Alias))
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

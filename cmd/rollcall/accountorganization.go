package main

import (
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/identity"
	"rollcall/internal/service"
)

func organizationCommand(p *process) *cobra.Command {
	return group(&cobra.Command{
		Use:   "organization",
		Short: "Join accounts to an organization, and remove them",
		Long: `Make an account the management account of others, show the organization of an
account, and remove accounts from it. A management account can manage the root
users of its members: see aws iam
enable-organizations-root-credentials-management and
enable-organizations-root-sessions.`,
	}, organizationManageCommand(p), organizationShowCommand(p), organizationLeaveCommand(p))
}

func organizationManageCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "manage ACCOUNT [MEMBER]...",
		Short: "Make an account the management account of members",
		Long: `Make an account the management account of members. The command creates an
organization if the account has none. Accounts that are already members stay
members.`,
		Example: `  rollcall account organization manage 123456789012 210987654321 210987654322`,
		RunE: func(cmd *cobra.Command, args []string) error {
			a := &act{name: "ManageAccounts", account: args[0], asked: map[string]any{"memberAccountIds": args[1:]}}
			return in.act(cmd, false, a, func(s *service.Service) error {
				if err := s.IAM.ManageAccounts(cmd.Context(), args[0], args[1:]); err != nil {
					return err
				}
				o, err := s.IAM.Organization(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				p.tell("Account %s manages %s.\n", o.Management, accountsText(o.Members))
				return nil
			})
		},
	}
	in.addActing(c)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

// accountsText returns a list of accounts for a sentence.
func accountsText(ids []string) string {
	if len(ids) == 0 {
		return "no other account yet"
	}
	return strings.Join(ids, ", ")
}

func organizationShowCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var output string
	c := &cobra.Command{
		Use:   "show ACCOUNT",
		Short: "Show the organization of an account",
		RunE: func(cmd *cobra.Command, args []string) error {
			var o identity.Organization
			err := in.with(cmd.Context(), false, func(s *service.Service) (err error) {
				o, err = s.IAM.Organization(cmd.Context(), args[0])
				return err
			})
			if err != nil {
				return err
			}
			return printOrganization(p, output, o)
		},
	}
	in.add(c)
	outputFlag(c, &output)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

func printOrganization(p *process, output string, o identity.Organization) error {
	if output == "json" {
		type shownOrganization struct {
			OrganizationId, ManagementAccountId string
			MemberAccountIds, EnabledFeatures   []string
		}
		return writeJSON(p.stdout, shownOrganization{o.ID, o.Management, append([]string{}, o.Members...),
			append([]string{}, o.Features...)})
	}
	features := strings.Join(o.Features, ", ")
	if features == "" {
		features = "-"
	}
	t := newTable(p.stdout, "Organization", "Account", "Role", "Features")
	t.row(o.ID, o.Management, "management", features)
	for _, id := range o.Members {
		t.row(o.ID, id, "member", "-")
	}
	return t.print()
}

func organizationLeaveCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "leave ACCOUNT",
		Short: "Remove an account from its organization",
		Long: `Remove an account from its organization. The management account can leave only
after all members; then the organization ends.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			a := &act{name: "LeaveOrganization", account: args[0]}
			return in.act(cmd, false, a, func(s *service.Service) error {
				if err := s.IAM.LeaveOrganization(cmd.Context(), args[0]); err != nil {
					return err
				}
				p.tell("Account %s belongs to no organization.\n", args[0])
				return nil
			})
		},
	}
	in.addActing(c)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

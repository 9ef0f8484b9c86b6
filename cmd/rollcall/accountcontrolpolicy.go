package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"rollcall/internal/policy"
	"rollcall/internal/service"
	"rollcall/internal/store"
)

func controlPolicyCommand(p *process) *cobra.Command {
	return group(&cobra.Command{
		Use:   "control-policy",
		Short: "Set the policies that limit what an account may do",
		Long: `Set, list and delete the control policies of an account. They limit what its
users, its roles and its root user can be allowed to do, as the service control
policies of AWS Organizations do.

An account that has control policies is refused everything that none of them
allows. So add a policy that allows everything to one that denies something.
Control policies take effect on the next call.`,
	}, controlPolicyPutCommand(p), controlPolicyListCommand(p), controlPolicyGetCommand(p),
		controlPolicyDeleteCommand(p))
}

// maxControlPolicyFile limits the bytes that are read from a file. Every valid
// policy is shorter.
const maxControlPolicyFile = 1 << 20

func controlPolicyPutCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "put ACCOUNT NAME FILE",
		Short: "Add a control policy to an account, or replace it",
		Long: `Add the control policy in FILE (- for standard input) to an account. If the
account has a control policy of this NAME, the command replaces it.`,
		Example: `  rollcall account control-policy put 123456789012 everything everything.json
  echo '{"Version": "2012-10-17", "Statement": {
    "Effect": "Deny", "Action": "iam:CreateAccessKey", "Resource": "*"}}' |
    rollcall account control-policy put 123456789012 no-new-keys -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := p.readPolicy(args[2])
			if err != nil {
				return err
			}
			a := &act{name: "PutControlPolicy", account: args[0],
				asked: map[string]any{"policyName": args[1], "policyDocument": document}}
			return in.act(cmd, false, a, func(s *service.Service) error {
				if err := s.IAM.PutControlPolicy(cmd.Context(), args[0], args[1], document); err != nil {
					return err
				}
				p.tell("The control policy %s applies to account %s.\n", args[1], args[0])
				return nil
			})
		},
	}
	in.addActing(c)
	c.ValidArgsFunction = in.completeAccountThenFile
	return c
}

// readPolicy reads a file, or standard input for "-".
func (p *process) readPolicy(file string) (string, error) {
	from := p.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("read policy: %w", err)
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxControlPolicyFile+1))
	if err == nil && len(text) > maxControlPolicyFile {
		err = fmt.Errorf("%s is too long for a policy", file)
	}
	if err != nil {
		return "", fmt.Errorf("read policy: %w", err)
	}
	return string(text), nil
}

// completeAccountThenFile offers accounts first, and files for the third
// argument.
func (in *install) completeAccountThenFile(
	cmd *cobra.Command, args []string, typed string,
) ([]string, cobra.ShellCompDirective) {
	if len(args) == 2 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return in.completeAccounts(cmd, args, typed)
}

func controlPolicyListCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var output string
	c := &cobra.Command{
		Use:   "list ACCOUNT",
		Short: "List the control policies of an account",
		RunE: func(cmd *cobra.Command, args []string) error {
			var all []store.ControlPolicy
			err := in.with(cmd.Context(), false, func(s *service.Service) (err error) {
				all, err = s.IAM.ControlPolicies(cmd.Context(), args[0])
				return err
			})
			if err != nil {
				return err
			}
			return printControlPolicies(p, output, args[0], all)
		},
	}
	in.add(c)
	outputFlag(c, &output)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

func printControlPolicies(p *process, output, account string, all []store.ControlPolicy) error {
	if output == "json" {
		type listedPolicy struct{ Name, Document string }
		list := []listedPolicy{}
		for _, c := range all {
			list = append(list, listedPolicy(c))
		}
		return writeJSON(p.stdout, list)
	}
	if len(all) == 0 {
		p.tell("Account %s has no control policies.\n", account)
		return nil
	}
	t := newTable(p.stdout, "Name", "Characters")
	for _, c := range all {
		t.row(c.Name, strconv.Itoa(policy.Size(c.Document)))
	}
	return t.print()
}

func controlPolicyGetCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "get ACCOUNT NAME",
		Short: "Print the document of a control policy",
		RunE: func(cmd *cobra.Command, args []string) error {
			return in.with(cmd.Context(), false, func(s *service.Service) error {
				all, err := s.IAM.ControlPolicies(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				for _, c := range all {
					if c.Name == args[1] {
						_, err := io.WriteString(p.stdout, c.Document)
						return err
					}
				}
				return fmt.Errorf("account %s has no control policy %q", args[0], args[1])
			})
		},
	}
	in.add(c)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

func controlPolicyDeleteCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "delete ACCOUNT NAME",
		Short: "Delete a control policy of an account",
		RunE: func(cmd *cobra.Command, args []string) error {
			a := &act{name: "DeleteControlPolicy", account: args[0], asked: map[string]any{"policyName": args[1]}}
			return in.act(cmd, false, a, func(s *service.Service) error {
				if err := s.IAM.DeleteControlPolicy(cmd.Context(), args[0], args[1]); err != nil {
					return err
				}
				p.tell("The control policy %s is deleted.\n", args[1])
				return nil
			})
		},
	}
	in.addActing(c)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

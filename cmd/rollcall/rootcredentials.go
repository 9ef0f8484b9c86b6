package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/words"
)

func rootKeyCommand(p *process) *cobra.Command {
	return group(&cobra.Command{
		Use:   "root-key",
		Short: "Create, list and delete access keys of an account's root user",
	}, rootKeyCreateCommand(p), rootKeyListCommand(p), rootKeyDeleteCommand(p))
}

func rootKeyCreateCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var output string
	c := &cobra.Command{
		Use:   "create ACCOUNT",
		Short: "Create a root access key and print it, once",
		RunE: func(cmd *cobra.Command, args []string) error {
			a := &act{name: "CreateRootAccessKey", account: args[0]}
			return in.act(cmd, false, a, func(s *service.Service) error {
				key, err := s.IAM.CreateRootKey(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				a.made = map[string]any{"accessKeyId": key.ID}
				if output == "json" {
					type newRootKey struct {
						AccountId, AccessKeyId, SecretAccessKey string
					}
					return writeJSON(p.stdout, newRootKey{args[0], key.ID, key.Secret.Reveal()})
				}
				_, err = fmt.Fprintf(p.stdout,
					"A new root access key of account %s, which is shown only now. For a shell:\n\n%s",
					args[0], serveExports(key.ID, key.Secret.Reveal()))
				return err
			})
		},
	}
	in.addActing(c)
	outputFlag(c, &output)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

// exports returns lines for a shell that point AWS clients at a service, with an
// access key. Without a secret they omit the key.
func exports(url, id, secret string) string {
	lines := "  export AWS_ENDPOINT_URL=" + url + "\n"
	if secret != "" {
		lines += "  export AWS_ACCESS_KEY_ID=" + id + "\n  export AWS_SECRET_ACCESS_KEY=" + secret + "\n"
	}
	return lines + "  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1\n"
}

// serveExports returns these lines for a service that may not be running. They
// name an endpoint, because without one clients would call AWS.
func serveExports(id, secret string) string {
	return exports("http://"+defaultListen, id, secret) +
		"\nThe URL is that of 'rollcall serve' without --listen.\n"
}

func rootKeyListCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var output string
	c := &cobra.Command{
		Use:   "list ACCOUNT",
		Short: "List the root access keys of an account",
		RunE: func(cmd *cobra.Command, args []string) error {
			var keys []identity.RootKey
			err := in.with(cmd.Context(), false, func(s *service.Service) (err error) {
				keys, err = s.IAM.RootKeys(cmd.Context(), args[0])
				return err
			})
			if err != nil {
				return err
			}
			return printRootKeys(p, output, args[0], keys)
		},
	}
	in.add(c)
	outputFlag(c, &output)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

func printRootKeys(p *process, output, account string, keys []identity.RootKey) error {
	if output == "json" {
		type listedRootKey struct{ AccessKeyId, Status, CreateDate string }
		list := []listedRootKey{}
		for _, k := range keys {
			list = append(list, listedRootKey{k.ID, k.Status, words.Time(k.Created)})
		}
		return writeJSON(p.stdout, list)
	}
	if len(keys) == 0 {
		p.tell("Root of account %s has no access keys.\n", account)
		return nil
	}
	t := newTable(p.stdout, "Access key", "Status", "Created")
	for _, k := range keys {
		t.row(k.ID, k.Status, words.Time(k.Created))
	}
	return t.print()
}

func rootKeyDeleteCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "delete ACCOUNT ACCESS-KEY-ID",
		Short: "Delete a root access key; its next call is refused",
		RunE: func(cmd *cobra.Command, args []string) error {
			a := &act{name: "DeleteRootAccessKey", account: args[0], asked: map[string]any{"accessKeyId": args[1]}}
			return in.act(cmd, false, a, func(s *service.Service) error {
				if err := s.IAM.DeleteRootKey(cmd.Context(), args[0], args[1]); err != nil {
					return err
				}
				p.tell("Access key %s is deleted.\n", args[1])
				return nil
			})
		},
	}
	in.addActing(c)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

func rootPasswordCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var remove bool
	c := &cobra.Command{
		Use:   "root-password ACCOUNT",
		Short: "Set or delete the password of an account's root user",
		Long: `Set the password of an account's root user. On a terminal the command asks for
the password twice. Otherwise it reads the first line of standard input.`,
		Example: `  rollcall account root-password 123456789012
  rollcall account root-password 123456789012 <password.txt
  rollcall account root-password 123456789012 --delete`,
		RunE: func(cmd *cobra.Command, args []string) error {
			a := &act{name: "SetRootPassword", account: args[0]}
			if remove {
				a.name = "DeleteRootPassword"
			}
			return in.act(cmd, false, a, func(s *service.Service) error {
				if remove {
					if err := s.IAM.DeleteRootPassword(cmd.Context(), args[0]); err != nil {
						return err
					}
					p.tell("The root password of account %s is deleted.\n", args[0])
					return nil
				}
				password, err := p.readPassword()
				if err != nil {
					return err
				}
				if err := s.IAM.SetRootPassword(cmd.Context(), args[0], password); err != nil {
					return err
				}
				p.tell("The root password of account %s is set.\n", args[0])
				return nil
			})
		},
	}
	in.addActing(c)
	c.Flags().BoolVar(&remove, "delete", false, "delete the password")
	c.ValidArgsFunction = in.completeAccounts
	return c
}

func mfaResetCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "mfa-reset ACCOUNT",
		Short: "Remove all MFA devices of an account's root user",
		Long: `Remove all MFA devices of an account's root user, passkeys included, and end the
sessions in which root is signed in. Root then signs in with its password alone.
For other users, an administrator of the account calls DeactivateMFADevice.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			a := &act{name: "ResetRootMFA", account: args[0]}
			return in.act(cmd, false, a, func(s *service.Service) error {
				n, err := s.IAM.ResetRootMFA(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				a.made = map[string]any{"devicesRemoved": n}
				if n == 0 {
					p.tell("Root of account %s has no MFA devices.\n", args[0])
					return nil
				}
				p.tell("Removed %s from the root user of account %s.\n", words.Count(n, "MFA device"), args[0])
				return nil
			})
		},
	}
	in.addActing(c)
	c.ValidArgsFunction = in.completeAccounts
	return c
}

// readPassword asks for a new password twice, without showing it. If standard
// input is not a terminal, it reads the password from there.
func (p *process) readPassword() (seal.Secret, error) {
	f := p.terminal()
	if f == nil {
		line, err := bufio.NewReader(io.LimitReader(p.stdin, 4096)).ReadString('\n')
		if err != nil && err != io.EOF {
			return seal.Secret{}, fmt.Errorf("read password: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return seal.Secret{}, errors.New("read password: standard input is empty")
		}
		return seal.NewSecret(line), nil
	}
	var typed [2]seal.Secret
	for i, prompt := range []string{"New password: ", "Once more: "} {
		p.tell("%s", prompt)
		text, err := term.ReadPassword(int(f.Fd()))
		p.tell("\n")
		if err != nil {
			return seal.Secret{}, fmt.Errorf("read password: %w", err)
		}
		typed[i] = seal.NewSecret(string(text))
	}
	if !typed[0].Equal(typed[1]) {
		return seal.Secret{}, errors.New("the two passwords differ")
	}
	return typed[0], nil
}

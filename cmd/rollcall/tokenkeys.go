package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/service"
)

func tokenKeysCommand(p *process) *cobra.Command {
	return group(&cobra.Command{
		Use:   "token-keys",
		Short: "Rotate the keys that sign an account's web identity tokens",
	}, tokenKeysRotateCommand(p))
}

func tokenKeysRotateCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var compromised bool
	c := &cobra.Command{
		Use:   "rotate ACCOUNT",
		Short: "Create new keys for an account's issuer",
		Long: `Create new keys for the issuer of an account, one for each algorithm. They are
published at once. They sign from ten minutes later, when all verifiers of tokens
can know them. The old keys stay published for another 65 minutes, until every
token that they signed has expired.

With --compromised the new keys sign at once, and all others are deleted.
Verifiers refuse earlier tokens when they next read the issuer's keys, which is
within five minutes.`,
		Example: `  rollcall account token-keys rotate 123456789012
  rollcall account token-keys rotate 123456789012 --compromised`,
		RunE: func(cmd *cobra.Command, args []string) error {
			a := &act{name: "RotateTokenKeys", account: args[0], asked: map[string]any{"compromised": compromised}}
			return in.act(cmd, false, a, func(s *service.Service) error {
				done, err := s.IAM.RotateTokenKeys(cmd.Context(), args[0], compromised)
				if err != nil {
					return err
				}
				signs := done.Signs.Format(time.RFC3339)
				a.made = map[string]any{"keyIds": done.KeyIDs, "sign": signs, "ended": done.Ended}
				p.tell("The new keys %s of account %s sign from %s on.\n",
					strings.Join(done.KeyIDs, " and "), args[0], signs)
				return nil
			})
		},
	}
	in.addActing(c)
	c.Flags().BoolVar(&compromised, "compromised", false, "sign with the new keys at once, and delete all others")
	c.ValidArgsFunction = in.completeAccounts
	return c
}

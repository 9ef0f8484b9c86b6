package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/internal/seal"
	"rollcall/internal/service"
)

func masterKeyCommand(p *process) *cobra.Command {
	return group(&cobra.Command{
		Use:     "masterkey",
		GroupID: "operate",
		Short:   "Rotate or verify the key that seals all secrets",
	}, masterKeyRotateCommand(p), masterKeyVerifyCommand(p))
}

func masterKeyRotateCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Replace the master key",
		Long: `Replace the master key with a new one. The service may be running. If a crash
interrupts the rotation, all data stays readable, and the next 'rotate' completes
it. Copies of the old key file still open the data, and backups of it, from
before the rotation.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a := &act{name: "RotateMasterKey"}
			return in.act(cmd, false, a, in.onMasterKey(func(s *service.Service, master *seal.MasterKeys) error {
				if err := s.IAM.RotateMasterKey(cmd.Context(), master); err != nil {
					return err
				}
				a.made = map[string]any{"masterKeyId": master.CurrentID()}
				p.tell("The master key is now %s, in %s: keep a copy of the file apart from the data.\n",
					master.CurrentID(),
					in.masterFile())
				return nil
			}))
		},
	}
	in.addActing(c)
	return c
}

func masterKeyVerifyCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check that the master key file opens the secrets of the data",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return in.with(cmd.Context(), false,
				in.onMasterKey(func(_ *service.Service, master *seal.MasterKeys) error {
					p.tell("%s holds the right master key, %s.\n", in.masterFile(), master.CurrentID())
					if old, pending := master.PreviousID(); pending {
						return fmt.Errorf("a rotation from %s is incomplete: run 'rollcall masterkey rotate' again",
							old)
					}
					return nil
				}))
		},
	}
	in.add(c)
	return c
}

// onMasterKey returns a function that loads the master key file and calls fn.
func (in *install) onMasterKey(fn func(*service.Service, *seal.MasterKeys) error) func(*service.Service) error {
	return func(s *service.Service) error {
		master, err := seal.LoadMasterKeys(in.masterFile())
		if err != nil {
			return err
		}
		return fn(s, master)
	}
}

package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/ownfile"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/words"
)

func accountReportsCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var output string
	var limit int
	c := &cobra.Command{
		Use:   "reports ACCOUNT",
		Short: "List the stored credential reports of an account",
		RunE: func(cmd *cobra.Command, args []string) error {
			var reports []store.Report
			err := in.with(cmd.Context(), false, func(s *service.Service) (err error) {
				if _, err = findAccount(cmd.Context(), s, args[0]); err == nil {
					reports, err = s.IAM.Reports(cmd.Context(), args[0], limit)
				}
				for i := range reports {
					if err == nil {
						reports[i].SHA256, err = s.IAM.Sum(cmd.Context(), reports[i])
					}
				}
				return err
			})
			if err != nil {
				return err
			}
			return printReports(p, output, args[0], reports)
		},
	}
	in.add(c)
	outputFlag(c, &output)
	c.Flags().IntVar(&limit, "limit", 100, "how many reports to list, newest first")
	c.ValidArgsFunction = in.completeAccounts
	return c
}

func printReports(p *process, output, account string, reports []store.Report) error {
	if output == "json" {
		type storedReport struct {
			GeneratedTime string
			Rows, Bytes   int64
			SHA256        string
		}
		list := []storedReport{}
		for _, r := range reports {
			list = append(list, storedReport{words.Time(r.Generated), r.Users, r.Size, r.SHA256})
		}
		return writeJSON(p.stdout, list)
	}
	if len(reports) == 0 {
		p.tell("Account %s has no reports yet.\n", account)
		return nil
	}
	t := newTable(p.stdout, "Generated", "Rows", "Bytes", "SHA-256")
	for _, r := range reports {
		t.row(words.Time(r.Generated), strconv.FormatInt(r.Users, 10), strconv.FormatInt(r.Size, 10), r.SHA256)
	}
	return t.print()
}

func accountReportCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var at, out string
	c := &cobra.Command{
		Use:   "report ACCOUNT",
		Short: "Write a stored credential report, byte for byte",
		Example: `  rollcall account report 123456789012 --out report.csv
  rollcall account report 123456789012 --at 2026-03-01T00:00:00Z`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var when time.Time // zero: now
			if at != "" {
				var err error
				if when, err = parseTime("at", at); err != nil {
					return err
				}
			}
			a := &act{name: "ExportCredentialReport", account: args[0], reads: true,
				asked: map[string]any{"at": at, "out": out}}
			return in.act(cmd, false, a, func(s *service.Service) error {
				_, write, err := s.IAM.Report(cmd.Context(), args[0], when)
				if errors.Is(err, store.ErrNotFound) {
					return fmt.Errorf("account %s has no report of that time", args[0])
				}
				if err != nil {
					return err
				}
				if out == "" || out == "-" {
					return write(p.stdout)
				}
				return ownfile.Write(out, write)
			})
		},
	}
	in.addActing(c)
	c.Flags().StringVar(&at, "at", "",
		"write the report that was the newest at this `time`, such as 2026-03-01 or 2026-03-01T12:00:00Z (default now)")
	c.Flags().StringVar(&out, "out", "", "write the report to this `file` (default standard output)")
	must(c.MarkFlagFilename("out"))
	c.ValidArgsFunction = in.completeAccounts
	return c
}

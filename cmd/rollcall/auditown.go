package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/reports"
)

// checkOwn returns an error for flags that have no effect together.
func (a *auditRun) checkOwn(cmd *cobra.Command, args []string) error {
	if err := a.own.choose(cmd, append([]string{"at"}, ownRunUnused...)...); err != nil {
		return err
	}
	switch {
	case a.own.chosen && len(args) > 0:
		return usageError("files have no meaning with --data or --store: the reports are in the store")
	case !a.own.chosen && a.fleet.accounts != "":
		return usageError("--accounts has no meaning without --data or --store; 'rollcall report --accounts' gets the " +
			"reports of accounts, and 'rollcall audit FOLDER' audits them")
	}
	return nil
}

// auditOwn audits new reports of the operator's own service. They are read from
// the store and never held as a whole.
func (a *auditRun) auditOwn(
	cmd *cobra.Command, auditor *audit.Auditor, options *audit.Options, wanted []outputSpec,
) error {
	named, err := a.fleet.ownMembers(a.p.stdin)
	if err != nil {
		return err
	}
	return a.own.run(cmd, func(u *ownRun) error {
		accounts, err := u.accounts(cmd.Context(), named)
		if err != nil {
			return err
		}
		var found reports.Found
		for i := range accounts {
			r, err := a.ownReport(cmd.Context(), u, &accounts[i])
			if err != nil {
				return err
			}
			found.Reports = append(found.Reports, r)
		}
		return a.auditAll(cmd.Context(), found, auditor, options, wanted)
	})
}

// ownReport generates a report of an account. If that fails the report is
// missing. An error ends the audit.
func (a *auditRun) ownReport(ctx context.Context, u *ownRun, of *ownAccount) (r reports.Report, err error) {
	limited, cancel := context.WithTimeout(ctx, a.evidence.timeout)
	defer cancel()
	src := audit.Source{Account: of.id, Name: of.name, Partition: of.partition}
	failed, unrecorded := u.report(limited, of, a.evidence.maxAge, a.evidence.kinds, func(got ownReport) error {
		src.Generated, src.Fetched, src.Origin = got.Report.Generated, got.fetched, string(got.source)
		src.SHA256 = got.SHA256
		r = reports.InStore(src, func() (io.ReadCloser, error) {
			from, to := io.Pipe()
			go func() { to.CloseWithError(u.service.IAM.WriteReport(ctx, to, got.Report)) }()
			return from, nil
		})
		r.Enrich(of.facts)
		return nil
	})
	switch {
	case unrecorded != nil, ctx.Err() != nil:
		return r, ended(failed, unrecorded)
	case failed != nil:
		return reports.OfNone(src, failed.Error()), nil
	}
	return r, nil
}

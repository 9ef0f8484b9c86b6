package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/enrich"
	"rollcall/internal/fleet"
	"rollcall/internal/identity"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// ownService is the installation whose reports its operator wants. They come
// from the store, and need no access key.
type ownService struct {
	install
	chosen bool // set by --data or --store
}

// ownFlags are the flags of an installation.
var ownFlags = []string{"data", "store", "master-key", "trail", "allow-plain-postgres"}

func (o *ownService) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.data, "data", "", "for the operator of a service: get new reports of all its accounts out of this "+
		"data `directory`, without access keys")
	f.StringVar(&o.store, "store", "",
		"the same, out of the PostgreSQL database at this `URL` (see rollcall serve --help)")
	f.StringVar(&o.masterKey, "master-key", "",
		"with --data or --store, `file` of the master key (default master.key in the data directory)")
	f.StringVar(&o.trail, "trail", "",
		"with --data or --store, record each report in this `file` (default trail.jsonl in the data directory)")
	f.BoolVar(&o.allowPlain, "allow-plain-postgres", false,
		"with --store, allow sslmode=disable for PostgreSQL on another machine")
	must(c.MarkFlagDirname("data"))
	must(c.MarkFlagFilename("master-key"))
}

// choose says whether the command line names an installation. The environment
// completes an installation that is named, but does not name one: an operator
// may also want a report from AWS. unused are flags that have no effect with an
// installation.
func (o *ownService) choose(cmd *cobra.Command, unused ...string) error {
	changed := cmd.Flags().Changed
	o.chosen = changed("data") || changed("store")
	if !o.chosen {
		for _, name := range ownFlags {
			if changed(name) {
				return usageError("--%s has no meaning without --data or --store", name)
			}
		}
		return nil
	}
	for _, name := range unused {
		if changed(name) {
			return usageError("--%s has no meaning with --data or --store: no service is called", name)
		}
	}
	settings(cmd.Flags(), ownFlags...)
	if err := fromEnvironment(cmd, o.p.env); err != nil {
		return err
	}
	o.data = cmp.Or(o.data, "rollcall-data")
	return nil
}

// ownRun is a run on an open installation.
type ownRun struct {
	*install
	service *service.Service
	record  *trail.Trail
}

// run opens the installation and its trail for fn.
func (o *ownService) run(cmd *cobra.Command, fn func(*ownRun) error) error {
	if _, err := o.database(false); err != nil {
		return err
	}
	t, err := o.openTrail()
	if err != nil {
		return notBegun(err)
	}
	opened := false
	err = o.with(cmd.Context(), false, func(s *service.Service) error {
		opened = true
		if err := o.expectTrail(cmd.Context(), s, t); err != nil {
			return err
		}
		t.SignWith(s.IAM.SignTrail)
		return fn(&ownRun{&o.install, s, t})
	})
	if !opened {
		err = ended(err, t.Write(o.install.record(&act{name: exportReport, reads: true}, err)))
	}
	return closed(t, err)
}

// exportReport is the event of a report that an operator exports.
const exportReport = "ExportCredentialReport"

// ownAccount is an account whose report is wanted.
type ownAccount struct {
	id, name, partition string
	organization        identity.Organization
	facts               *audit.Enrichment
}

// accounts returns the named accounts, or all.
func (u *ownRun) accounts(ctx context.Context, named []fleet.Member) ([]ownAccount, error) {
	infos, err := u.service.IAM.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]identity.AccountInfo{}
	for _, info := range infos {
		of[info.ID] = info
	}
	if named == nil {
		for _, info := range infos {
			named = append(named, fleet.Member{Account: info.ID})
		}
	}
	all := make([]ownAccount, len(named))
	for i, m := range named {
		info := of[m.Account] // zero for a number that does not exist in the service
		a := &all[i]
		*a = ownAccount{id: m.Account, name: cmp.Or(m.Name, info.Alias), partition: info.Partition,
			facts: &audit.Enrichment{CentralRoot: audit.No, Member: audit.No}}
		o, ok, err := u.service.IAM.OrganizationOf(ctx, m.Account)
		if err != nil {
			return nil, err
		}
		if ok {
			a.organization, a.facts.CentralRoot = o, centralRoot(o.Features)
			if o.Management != a.id {
				a.facts.Member = audit.Yes
			}
		}
	}
	return all, nil
}

// ownReport is a report from the store.
type ownReport struct {
	store.Report
	source  fleet.Source
	fetched time.Time
}

// report generates a report, or finds one that is not older than maxAge, adds facts of
// the given kinds to those of the account, and passes the report to take. The record
// of the act contains the result.
func (u *ownRun) report(ctx context.Context, of *ownAccount, maxAge time.Duration, kinds []enrich.Kind,
	take func(ownReport) error) (failed, unrecorded error) {
	account := of.id
	a := &act{name: exportReport, account: account, asked: map[string]any{"maxAge": maxAge.String()}}
	if len(kinds) > 0 {
		a.asked["enrich"] = kinds
	}
	return u.service.Act(ctx, u.record, func(err error) *trail.Record { return u.install.record(a, err) },
		func(ctx context.Context) error {
			r := ownReport{source: fleet.Cached}
			var err error
			if r.Report, _, err = u.service.IAM.Report(ctx, account, time.Time{}); err != nil || !r.YoungerThan(maxAge) {
				r.source = fleet.Generated
				r.Report, err = u.service.IAM.NewReport(ctx, account)
			}
			if err != nil {
				return err
			}
			a.reads = r.source == fleet.Cached
			a.made = map[string]any{"generatedTime": r.Report.Generated, "sha256": r.SHA256}
			r.fetched = time.Now().UTC()
			u.enrich(ctx, account, kinds, of.facts)
			return take(r)
		})
}

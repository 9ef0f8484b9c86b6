package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/fleet"
	"rollcall/internal/history"
	"rollcall/internal/reports"
	"rollcall/internal/review"
	"rollcall/internal/words"
)

// reviewStartRun is one run of 'rollcall review start'.
type reviewStartRun struct {
	p        *process
	criteria criteria
	reach    reach
	into     string
	owners   string
	ownerTag string
	rest     string
	deputy   string
	org      bool
	accounts string
	previous string
	at, due  string
	start    review.Start
}

func reviewStartCommand(p *process) *cobra.Command {
	d := &reviewStartRun{p: p, criteria: criteria{top: -1}, reach: reach{p: p}}
	c := &cobra.Command{
		Use:   "start REPORT...",
		Short: "Freeze a population, and write a sheet for each reviewer",
		Long: `Freeze the users and credentials of reports as an access review: the reports byte
for byte, how each was obtained, every credential with the facts that help to
decide, and a sheet for each reviewer as CSV and as a page that works offline.

Each REPORT is a file, or a folder that 'rollcall report --into' filled. The
accounts are compared with a list: that of the folder's last run, of --accounts,
or, with --org, of the organization now. Accounts that have no report are named,
and the exit code is 2.

Every user needs a reviewer who is somebody else. --owners names them in a file
(CSV or YAML), --owner-tag takes the tag of that key of each user, which needs
'rollcall report --enrich tags', and --reviewer names who reviews the rest.

` + exitCodesHelp,
		Example: `  rollcall review start reports --into review/2026-Q4 --owners owners.csv
  rollcall review start reports --into review/2026-Q4 --org --owner-tag owner \
    --reviewer security@example.com
  rollcall review start report.csv --into review/2026-Q4 \
    --reviewer ana@example.com --deputy ben@example.com`,
		RunE: d.run,
	}
	d.criteria.add(c, "that of --config, or "+string(audit.DefaultBenchmark))
	f := c.Flags()
	f.StringVar(&d.into, "into", "", "start the review in this new `folder`, whose name is the name of the review")
	f.StringVar(&d.owners, "owners", "", "CSV or YAML `file` that says who reviews whom")
	f.StringVar(&d.ownerTag, "owner-tag", "", "the tag of this `key` names the reviewer of a user")
	f.StringVar(&d.rest, "reviewer", "", "`name` of the reviewer of all users for whom nothing else names one")
	f.StringVar(&d.deputy, "deputy", "", "`name` of the reviewer of those who would review themselves")
	f.BoolVar(&d.org, "org", false, "compare the accounts with those of the organization")
	f.StringVar(&d.accounts, "accounts", "", "compare the accounts with those in this `file`")
	f.StringVar(&d.previous, "previous", "",
		"`folder` of the previous review, or none (default: the newest one beside --into)")
	f.StringVar(&d.at, "at", "", "from folders, take the newest reports generated at or before this `time`")
	f.StringVar(&d.due, "due", "", "last `day` for answers (default in 14 days)")
	f.IntVar(&d.start.RevokeWithinDays, "revoke-within", 14, "`days` within which a revocation must happen")
	f.IntVar(&d.start.EveryDays, "every", 92, "a review is due every so many `days`")
	d.reach.add(f)
	return c
}

func (d *reviewStartRun) run(cmd *cobra.Command, args []string) (err error) {
	s := &d.start
	if err := d.check(cmd); err != nil {
		return err
	}
	if s.Audit, err = d.criteria.options(); err != nil {
		return err
	}
	if err := d.readOwners(); err != nil {
		return err
	}
	if err := d.find(cmd.Context(), args); err != nil {
		return err
	}
	if s.Previous, err = d.before(); err != nil {
		return err
	}
	s.Dir, s.Name, s.Now = d.into, filepath.Base(filepath.Clean(d.into)), time.Now()
	s.Program, s.Command = "rollcall "+version(), commandLine(cmd, args)
	r, err := s.Run(cmd.Context())
	var unowned *review.OwnersError
	if errors.As(err, &unowned) {
		return usageError("%s; --owners, --owner-tag and --reviewer say who reviews whom, and --deputy who reviews the "+
			"reviewers", unowned)
	}
	if err != nil {
		return err
	}
	return d.tell(r)
}

func (d *reviewStartRun) check(cmd *cobra.Command) error {
	s := &d.start
	switch {
	case d.into == "":
		return usageError("--into is missing: it names the folder of the review%s", seeHelp(cmd))
	case d.owners == "" && d.ownerTag == "" && d.rest == "":
		return usageError("nobody reviews anybody: --owners, --owner-tag or --reviewer say who does")
	case d.org && d.accounts != "":
		return usageError("only one of --org and --accounts can be given")
	case s.RevokeWithinDays < 1 || s.EveryDays < 1 || s.RevokeWithinDays > 3650 || s.EveryDays > 3650:
		return usageError("--revoke-within and --every are days from 1 to 3650")
	}
	s.Due = audit.DateOf(time.Now().AddDate(0, 0, 14))
	if d.due != "" {
		var err error
		if s.Due, err = audit.ParseDate(d.due); err != nil {
			return usageError("--due %q is not a day such as 2027-01-31", d.due)
		}
		if s.Due.String() < audit.DateOf(time.Now()).String() {
			return usageError("--due %s is in the past: nobody could answer in time", d.due)
		}
	}
	return nil
}

func (d *reviewStartRun) readOwners() (err error) {
	o := &d.start.Owners
	if d.owners != "" {
		err = readYAML(d.owners, func(r io.Reader) (err error) {
			*o, err = review.ReadOwners(r)
			return err
		})
		if err != nil {
			return err
		}
	}
	o.Tag, o.Rest, o.Deputy = d.ownerTag, cmp.Or(d.rest, o.Rest), cmp.Or(d.deputy, o.Deputy)
	if err := o.Validate(); err != nil {
		return usageError("%w", err)
	}
	return nil
}

// find finds the reports and the list of accounts.
func (d *reviewStartRun) find(ctx context.Context, args []string) (err error) {
	s := &d.start
	at, err := newestAt(d.at, args)
	if err != nil {
		return err
	}
	found, err := reports.Find(args, d.p.stdin, at)
	if err != nil {
		return err
	}
	s.Reports, s.Inactive = found.Reports, found.Inactive
	switch {
	case d.org:
		return d.listOrganization(ctx)
	case d.accounts != "":
		return d.listFile()
	}
	s.List = review.AccountList{Source: "arguments", ReadAt: time.Now().UTC().Truncate(time.Second)}
	if len(args) == 1 {
		if folder, err := history.Open(args[0]); err == nil {
			if all, err := folder.State(at); err == nil && len(all) > 0 {
				s.List = review.ListOfFolder(all, s.List)
			}
		}
	}
	return nil
}

func (d *reviewStartRun) listOrganization(ctx context.Context) error {
	s := &d.start
	caller, err := fleet.SignIn(ctx, d.reach.with(ctx, d.reach.settings.Profile))
	if err != nil {
		return reportError(err)
	}
	id, err := caller.Identity(ctx)
	if err != nil {
		return reportError(err)
	}
	o, err := caller.Organization(ctx)
	if err != nil {
		return reportError(err)
	}
	s.Expected = o.Members
	s.List = review.AccountList{Source: "organization", Name: o.ID, Caller: id.ARN,
		ReadAt: time.Now().UTC().Truncate(time.Second)}
	return nil
}

func (d *reviewStartRun) listFile() error {
	text, err := os.ReadFile(d.accounts)
	if err != nil {
		return usageError("%w", err)
	}
	if d.start.Expected, err = fleet.ParseAccounts(bytes.NewReader(text)); err != nil {
		return usageError("%s: %w", d.accounts, err)
	}
	sum := sha256.Sum256(text)
	d.start.List = review.AccountList{Source: "file", Name: d.accounts, SHA256: hex.EncodeToString(sum[:]),
		ReadAt: time.Now().UTC().Truncate(time.Second)}
	return nil
}

// before opens the previous review: the newest one beside the new folder.
func (d *reviewStartRun) before() (*review.Review, error) {
	switch d.previous {
	case "none":
		return nil, nil
	case "":
	default:
		r, err := review.Open(d.previous)
		if err != nil {
			return nil, usageError("--previous %w", err)
		}
		return r, nil
	}
	above := filepath.Dir(filepath.Clean(d.into))
	beside, err := os.ReadDir(above)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var newest *review.Review
	for _, e := range beside {
		if !e.IsDir() || !review.Is(filepath.Join(above, e.Name())) {
			continue
		}
		r, err := review.Open(filepath.Join(above, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("a review beside this one cannot be read (see --previous): %w", err)
		}
		if newest == nil || r.Manifest.StartedAt.After(newest.Manifest.StartedAt) {
			newest = r
		}
	}
	return newest, nil
}

// tell prints what was saved.
func (d *reviewStartRun) tell(r *review.Review) error {
	m := r.Manifest
	line := func(format string, args ...any) {
		d.p.tell("rollcall: %s\n", escape.Printable(fmt.Sprintf(format, args...)))
	}
	line("froze %s and %s as %s", words.Count(m.Users, "user"), words.Count(m.Items, "line"), r.ShortFreeze())
	if m.Previous != nil {
		line("the previous review is %s: %d new since, %d gone since", m.Previous.Name, m.Previous.New, m.Previous.GoneItems)
	}
	line("%s in %s, due %s", words.Count(len(m.Reviewers), "sheet"), filepath.Join(d.into, "sheets"), m.Due)
	missing, facts := 0, false
	for _, a := range m.Accounts {
		if of := a.Report; of != nil {
			facts = facts || of.Facts != nil
			if of.GeneratedIs != "" {
				line("the report of account %s does not say when it was generated: taking %s", a.Account, of.GeneratedIs)
			}
		}
		switch a.State {
		case review.Missing, review.Incomplete:
			missing++
			fallthrough
		case review.Unlisted:
			line("account %s is %s: %s", strings.TrimSpace(a.Account+" "+a.Name), a.State, a.Why)
		}
	}
	if d.ownerTag != "" && !facts {
		line("no report has tags, so --owner-tag %s names nobody: see 'rollcall report --into FOLDER --enrich tags'",
			d.ownerTag)
	}
	if missing > 0 {
		return fmt.Errorf("the population is incomplete: %s", words.Count(missing, "account"))
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/spf13/pflag"

	"rollcall/internal/audit"
	"rollcall/internal/enrich"
	"rollcall/internal/fleet"
	"rollcall/internal/history"
	"rollcall/internal/lazyregexp"
)

// fleetFlags says from which accounts reports are fetched, and where they are
// saved.
type fleetFlags struct {
	into         string
	organization bool
	accounts     string // a file
	profiles     []string
	roles        fleet.Roles
	concurrency  int
	enrich       string
	kinds        []enrich.Kind // the kinds in enrich
	factsTimeout time.Duration
	quiet        bool
}

// defaultFolder is the folder for the reports of several accounts.
const defaultFolder = "reports"

func (f *fleetFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.into, "into", "",
		"save reports in this `folder`, which keeps the history of all accounts (default for several accounts ./"+
			defaultFolder+")")
	flags.BoolVar(&f.organization, "org", false, "get reports of every account of the organization")
	flags.StringVar(&f.accounts, "accounts", "",
		"get reports of the accounts in this `file` (- for standard input); each line has an account number or the ARN "+
			"of a role, and optionally a name")
	flags.StringSliceVar(&f.profiles, "profiles", nil,
		"get reports of the accounts of these `profiles`, separated by commas")
	flags.StringVar(&f.roles.Name, "role", fleet.DefaultRole, "assume this `role`, with its path, in each account")
	flags.StringVar(&f.roles.ExternalID, "external-id", "", "external `id` that the roles require")
	flags.IntVar(&f.concurrency, "concurrency", fleet.DefaultConcurrency, "how many calls may run at once")
	flags.StringVar(&f.enrich, "enrich", "",
		"with a folder, also ask IAM for these `facts` and save them beside the reports: "+enrichHelp())
	flags.DurationVar(&f.factsTimeout, "enrich-timeout", 0,
		"how long to ask all accounts together for the facts of --enrich (default that of --timeout, which also limits "+
			"each account)")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress, and print nothing unless a report is missing")
}

// many says whether reports are saved in a folder. Those of several accounts
// always are.
func (f *fleetFlags) many() bool {
	return f.organization || f.accounts != "" || len(f.profiles) > 0 || f.into != ""
}

var roleName = lazyregexp.New(`^[\w+=,.@/-]{1,512}$`)

// check returns an error for flags that have no effect together.
func (f *fleetFlags) check(changed func(string) bool, output *string) error {
	ways := 0
	for _, name := range []string{"org", "accounts", "profiles"} {
		if changed(name) {
			ways++
		}
	}
	byRole := changed("org") || changed("accounts")
	switch {
	case ways > 1:
		return usageError("only one of --org, --accounts and --profiles can be given")
	case changed("profiles") && changed("profile"):
		return usageError("--profile has no meaning with --profiles")
	case changed("enrich-timeout") && f.enrich == "":
		return usageError("--enrich-timeout has no meaning without --enrich")
	case f.factsTimeout < 0:
		return usageError("--enrich-timeout cannot be negative")
	case f.concurrency < 1:
		return usageError("--concurrency must be at least 1")
	case !roleName.MatchString(f.roles.Name):
		return usageError("--role %q is not the name of a role; ARNs of roles go into the file of --accounts",
			f.roles.Name)
	}
	for _, name := range []string{"role", "external-id"} {
		if changed(name) && !byRole {
			return usageError("--%s has no meaning without --org or --accounts", name)
		}
	}
	for _, name := range []string{"at", "as-of", "out", "color"} {
		if changed(name) && f.many() {
			return usageError("--%s has no meaning if reports go into a folder", name)
		}
	}
	if !f.many() {
		switch {
		case changed("concurrency"):
			return usageError("--concurrency has no meaning for one account")
		case f.enrich != "":
			return usageError("--enrich has no meaning without a folder to save the facts in (see --into)")
		}
		return nil
	}
	if f.enrich != "" {
		kinds, err := parseKinds(f.enrich)
		if err != nil {
			return err
		}
		f.kinds, f.roles.Actions = kinds, enrich.Permissions(kinds)
	}
	if !changed("output") {
		*output = "table"
	}
	if *output == "csv" {
		return usageError("--output csv has no meaning if reports go into a folder: they are CSV there")
	}
	f.into = cmp.Or(f.into, defaultFolder)
	return nil
}

// fetchMany fetches reports into the folder and prints the outcomes.
func (r *reportRun) fetchMany(ctx context.Context) error {
	// Errors of the command line come before any call.
	members, err := r.fleet.members(r.p.stdin)
	if err != nil {
		return err
	}
	if err := fleet.CheckProfiles(ctx, r.fleet.profiles); err != nil {
		return reportError(err)
	}
	began := time.Now()
	show := newLive(r.p, r.fleet.quiet)
	r.reach.asking = show.pause
	plan, err := r.plan(ctx, members)
	if err != nil {
		return reportError(err)
	}
	folder, err := history.Create(r.fleet.into)
	if err != nil {
		return err
	}
	outcomes, err := plan.record(folder)
	if err != nil {
		return err
	}
	show.start(plan.targets, len(r.fleet.kinds) > 0)
	got, err := fleet.Run{
		Folder: folder, Command: r.command,
		MaxAge: r.maxAge, Resume: !r.aged, Timeout: r.timeout, Concurrency: r.fleet.concurrency,
		Tell: show.tell, Saved: show.saved, Done: show.done, More: r.fleet.more(folder, &plan),
	}.Fetch(ctx, plan.targets)
	show.end()
	return r.tell(ctx, append(outcomes, got...), time.Since(began), err)
}

// more returns what a run saves next to each report, nil for nothing: the facts of
// --enrich, and what the organization says about all of its accounts.
func (f *fleetFlags) more(folder *history.Folder, p *fleetPlan) *fleet.More {
	if len(f.kinds) == 0 && p.centralRoot == audit.Unknown {
		return nil
	}
	return &fleet.More{
		Timeout: f.factsTimeout,
		Read: func(ctx context.Context, s history.Snapshot, open func(context.Context) (*iam.Client, error),
			tell func(string)) (missing string, err error) {
			return enrich.Reading{Kinds: f.kinds, Explain: fleet.Explain, Progress: func(done, all int) {
				tell(factsProgress(done, all))
			}}.Into(ctx, folder, s, open, func(e *audit.Enrichment) { p.complete(s.Account, e) })
		},
		Has: func(s history.Snapshot) bool {
			var saved enrich.Saved
			return len(f.kinds) == 0 || s.ReadFacts(&saved) == nil && saved.Has(f.kinds)
		},
	}
}

// factsProgress describes a reading of facts on the terminal.
func factsProgress(done, all int) string {
	return fmt.Sprintf("facts of %s of %s users", thousands(done), thousands(all))
}

// complete adds what the organization says about an account.
func (p *fleetPlan) complete(account string, e *audit.Enrichment) {
	if p.centralRoot == audit.Unknown {
		return
	}
	e.CentralRoot, e.Member = p.centralRoot, audit.Yes
	if account == p.organization.Management {
		e.Member = audit.No
	}
}

// members reads the file of --accounts.
func (f *fleetFlags) members(stdin io.Reader) ([]fleet.Member, error) {
	if f.accounts == "" {
		return nil, nil
	}
	in, name := stdin, "standard input"
	if f.accounts != "-" {
		file, err := os.Open(f.accounts)
		if err != nil {
			return nil, usageError("%w", err)
		}
		defer file.Close()
		in, name = file, f.accounts
	}
	members, err := fleet.ParseAccounts(in)
	if err != nil {
		return nil, usageError("%s: %w", name, err)
	}
	return members, nil
}

// fleetPlan holds the accounts of a run, and the outcomes that are known before
// it.
type fleetPlan struct {
	targets      []fleet.Target
	organization fleet.Organization // the organization of the accounts; zero for none
	centralRoot  audit.Known        // whether the organization manages its members' root credentials
	failed       []history.Outcome  // of profiles that could not sign in
	signedIn     []string           // the profiles that could
}

// plan finds the accounts to ask.
func (r *reportRun) plan(ctx context.Context, members []fleet.Member) (p fleetPlan, err error) {
	if len(r.fleet.profiles) > 0 {
		return r.profilePlan(ctx)
	}
	profile := cmp.Or(r.reach.settings.Profile, r.p.env("AWS_PROFILE"))
	caller, id, err := r.signIn(ctx, r.reach.settings.Profile)
	if err != nil {
		return p, err
	}
	if r.fleet.organization {
		if p.organization, err = caller.Organization(ctx); err != nil {
			return p, err
		}
		if yes, known := caller.ManagesRoot(ctx); known {
			p.centralRoot = audit.No
			if yes {
				p.centralRoot = audit.Yes
			}
		}
		members = p.organization.Members
	} else if members == nil {
		p.targets = []fleet.Target{caller.Own(id, profile)}
		return p, nil
	}
	for _, m := range members {
		if m.Role != "" && !strings.HasPrefix(m.Role, "arn:"+id.Partition+":") {
			return p, usageError("%s: the role %s is not of the caller's partition, which is %s", r.fleet.accounts,
				m.Role, id.Partition)
		}
	}
	p.targets = caller.Targets(id, members, r.fleet.roles)
	return p, nil
}

func (r *reportRun) signIn(ctx context.Context, profile string) (*fleet.Caller, fleet.Identity, error) {
	caller, err := fleet.SignIn(ctx, r.reach.with(ctx, profile))
	if err != nil {
		return nil, fleet.Identity{}, err
	}
	id, err := caller.Identity(ctx)
	return caller, id, err
}

// profilePlan signs in with each profile, one after the other, because each may
// ask for a code. A profile that fails has its own outcome.
func (r *reportRun) profilePlan(ctx context.Context) (p fleetPlan, err error) {
	of := map[string]string{} // the profile of each account
	for _, profile := range r.fleet.profiles {
		caller, id, err := r.signIn(ctx, profile)
		switch {
		case ctx.Err() != nil:
			return p, ctx.Err()
		case err != nil:
			p.failed = append(p.failed, fleet.ProfileFailed(ctx, profile, err))
			continue
		case of[id.Account] != "":
			r.p.tell("rollcall: the profiles %s and %s lead to the same account %s, which is asked once\n",
				of[id.Account], profile, id.Account)
		default:
			of[id.Account] = profile
			p.targets = append(p.targets, caller.Own(id, profile))
		}
		p.signedIn = append(p.signedIn, profile)
	}
	return p, nil
}

// record saves the outcomes that are known already in the folder.
func (p fleetPlan) record(folder *history.Folder) ([]history.Outcome, error) {
	for _, o := range p.failed {
		if err := folder.SetOutcome(o); err != nil {
			return nil, err
		}
	}
	for _, profile := range p.signedIn {
		if err := folder.ForgetProfile(profile); err != nil {
			return nil, err
		}
	}
	if p.organization.ID == "" {
		return p.failed, nil
	}
	return p.organization.RecordLeft(folder)
}

// tell prints the outcomes. It returns an error if the run is not complete.
func (r *reportRun) tell(ctx context.Context, outcomes []history.Outcome, took time.Duration, err error) error {
	if err != nil && ctx.Err() == nil {
		return err // the folder cannot be written
	}
	var missing, unfinished, bare []history.Outcome
	continues := ""
	for _, o := range outcomes {
		if o.Status.Incomplete() || r.onlyFresh && o.Status == history.Stale {
			missing = append(missing, o)
		}
		if o.NoFacts != "" {
			bare = append(bare, o)
		}
		if o.Unfinished() {
			unfinished = append(unfinished, o)
			continues = "; the same command continues from there"
		}
	}
	if printErr := r.print(outcomes, took); printErr != nil {
		return printErr
	}
	switch {
	case err != nil:
		r.p.tell("rollcall: %s left; %s has the other reports, and the same command continues from there\n",
			accountCount(len(unfinished)), r.fleet.into)
		return err
	case len(missing) > 0:
		fresh := ""
		if r.onlyFresh {
			fresh = "fresh "
		}
		return fmt.Errorf("no %sreport of %s", fresh, which(missing, len(outcomes)))
	case len(bare) > 0:
		return fmt.Errorf("not all facts (%s) of %s%s", r.fleet.enrich, which(bare, len(outcomes)), continues)
	}
	return nil
}

// which names the accounts if they are few, and counts them otherwise.
func which(missing []history.Outcome, of int) string {
	if len(missing) > 3 {
		return fmt.Sprintf("%s of %s", thousands(len(missing)), accountCount(of))
	}
	var names []string
	for _, o := range missing {
		names = append(names, fmt.Sprintf("%s (%s)", cmp.Or(o.Account, o.Name), o.Status))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

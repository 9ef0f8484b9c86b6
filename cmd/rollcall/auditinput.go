package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/audit/plan"
	"rollcall/internal/enrich"
	"rollcall/internal/fleet"
	"rollcall/internal/history"
	"rollcall/internal/render"
	"rollcall/internal/words"
)

// auditInput is a report to audit, or an account that has none.
type auditInput struct {
	src     audit.Source
	service plan.Service // where it came from
	facts   *audit.Enrichment
	missing string // why there is no report
	problem string // what else keeps the audit of it from being complete
	note    string // for the user
	guessed bool   // src.Generated is a guess
	among   bool   // it is one of several
	// file is where it is read from; content is what there is instead.
	file    string
	content []byte
	stream  io.Reader
	verify  bool // src.SHA256 is what the file must have
	// saved is the report in a folder, beside which there may be facts.
	saved *history.Snapshot
	// reports are the newest of the account in a folder, this one last.
	reports []history.Snapshot
}

// inputs finds the reports. Nothing of them is read yet but what tells where
// they come from.
func (a *auditing) inputs(ctx context.Context, args []string) ([]auditInput, []render.Skipped, error) {
	if len(args) == 0 {
		in, err := a.fetch(ctx)
		return []auditInput{in}, nil, err
	}
	var all []auditInput
	var skipped []render.Skipped
	for _, arg := range args {
		if arg == "-" {
			all = append(all, auditInput{stream: a.p.stdin})
			continue
		}
		info, err := os.Stat(arg)
		if err != nil {
			return nil, nil, err
		}
		if !info.IsDir() && !info.Mode().IsRegular() { // a pipe, which can be read but once
			f, err := os.Open(arg)
			if err != nil {
				return nil, nil, err
			}
			all = append(all, auditInput{stream: f})
			continue
		}
		if !info.IsDir() {
			in, err := fileInput(arg)
			if err != nil {
				return nil, nil, err
			}
			all = append(all, in)
			continue
		}
		found, left, err := a.folder(arg)
		if err != nil {
			return nil, nil, err
		}
		all, skipped = append(all, found...), append(skipped, left...)
	}
	for i := range all {
		all[i].among = len(all) > 1
	}
	return all, skipped, nil
}

// fetch gets the account's report as 'rollcall report' does.
func (a *auditing) fetch(ctx context.Context) (auditInput, error) {
	account, err := a.reach.open(ctx)
	if err != nil {
		return auditInput{}, err
	}
	progress := startProgress(a.p, account, a.quiet)
	defer func() { progress.end() }()
	got, err := account.Fetch(ctx, fleet.Options{MaxAge: a.maxAge, Timeout: a.timeout, RequireFresh: a.fresh, Progress: progress.say})
	if err != nil {
		return auditInput{}, reportError(err)
	}
	sum := sha256.Sum256(got.Content)
	in := auditInput{content: got.Content, service: a.service(account), src: audit.Source{
		Generated: got.Generated, Fetched: got.Fetched, Origin: string(got.Source), SHA256: hex.EncodeToString(sum[:]),
	}}
	if len(a.kinds) > 0 {
		progress.say("asking for " + a.enrich)
		if in.facts, err = enrich.Read(ctx, account.IAM(), a.kinds, enrich.DefaultConcurrency); ctx.Err() != nil {
			return auditInput{}, err
		}
		if err != nil { // the report is there all the same
			why := strings.TrimSuffix(fleet.Explain(err), ".")
			in.problem = fmt.Sprintf("What --enrich %s asks for did not come: %s.", a.enrich, why)
		}
	}
	return in, nil
}

// service names the endpoint and profile of an account. The AWS CLI puts keys of the environment
// before its AWS_PROFILE, and --profile before both.
func (a *auditing) service(account *fleet.Account) plan.Service {
	s := plan.Service{Known: true, Endpoint: account.Endpoint(), Profile: a.reach.settings.Profile}
	if s.Profile == "" && a.p.env("AWS_ACCESS_KEY_ID") == "" {
		s.Profile = a.p.env("AWS_PROFILE")
	}
	return s
}

// folder finds the newest report of each account in a folder that was fetched
// into, or else every file of a report in it.
func (a *auditing) folder(dir string) (all []auditInput, skipped []render.Skipped, err error) {
	folder, accounts, err := a.accounts(dir)
	if err != nil {
		return nil, nil, err
	}
	for i := range accounts {
		of := &accounts[i]
		if o := of.Outcome; o != nil && o.Status.Inactive() {
			skipped = append(skipped, render.Skipped{Account: of.ID, Name: o.Name, Status: string(o.Status)})
			continue
		}
		in := accountInput(of)
		if of.Snapshot != nil {
			if in.reports, err = earlier(folder, of.Snapshot); err != nil {
				return nil, nil, err
			}
		}
		all = append(all, in)
	}
	if len(accounts) > 0 {
		return all, skipped, nil
	}
	files, err := reportFiles(dir)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("there are no reports in %s", dir)
		if !a.atAt.IsZero() {
			err = fmt.Errorf("there are no reports in %s of %s or before", dir, words.Time(a.atAt))
		}
	}
	for _, file := range files {
		in, err := fileInput(file)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, in)
	}
	return all, nil, err
}

// accounts is what the folder knows of its accounts; of one account, where it
// is the folder of that account in another.
func (a *auditing) accounts(dir string) (*history.Folder, []history.Account, error) {
	of := ""
	if abs, err := filepath.Abs(dir); err == nil && history.IsAccountID(filepath.Base(abs)) {
		of, dir = filepath.Base(abs), filepath.Join(dir, "..")
	}
	folder, err := history.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	all, err := folder.State(a.atAt)
	if of != "" {
		all = slices.DeleteFunc(all, func(h history.Account) bool { return h.ID != of })
	}
	return folder, all, err
}

// reportFiles are the reports in a folder that was filled by hand: CSV files,
// packed or not.
func reportFiles(dir string) (files []string, err error) {
	for _, form := range []string{"*.csv", "*.csv.gz", "*.csv.zst"} {
		found, err := filepath.Glob(filepath.Join(globEscape(dir), form))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return files, nil
}

func globEscape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// accountInput is what a folder knows of an account.
func accountInput(of *history.Account) auditInput {
	in := auditInput{src: audit.Source{Account: of.ID}}
	if !history.IsAccountID(of.ID) {
		in.src.Account, in.src.Name = "", of.ID // a profile that led to no account
	}
	why := "nobody knows why"
	if o := of.Outcome; o != nil {
		in.src.Name, in.src.Partition = cmp.Or(o.Name, in.src.Name), o.Partition
		why = strings.TrimSuffix(cmp.Or(o.Message, string(o.Status)), ".")
	}
	switch {
	case of.Err != nil:
		in.missing = of.Err.Error()
	case of.Snapshot == nil:
		in.missing = why
	default:
		in.from(of.Snapshot)
		if of.Outcome != nil {
			in.service.Profile = of.Outcome.Profile
		}
		if of.Missing() {
			in.problem = fmt.Sprintf("The last run, of %s, got no report: %s. This one is older.", words.Time(of.Outcome.At),
				why)
		} else if of.Outcome != nil && of.Outcome.NoFacts != "" {
			in.problem = fmt.Sprintf("The last run, of %s, asked for more than the report and got nothing: %s.",
				words.Time(of.Outcome.At), strings.TrimSuffix(of.Outcome.NoFacts, "."))
		}
	}
	return in
}

// from is a report of a folder.
func (in *auditInput) from(s *history.Snapshot) {
	name, partition := in.src.Name, in.src.Partition
	in.file, in.verify, in.src, in.saved = s.Path, s.Verifiable(), sourceOf(s), s
	in.src.Name, in.src.Partition = name, cmp.Or(in.src.Partition, partition)
	in.service = plan.Service{Known: s.Verifiable(), Endpoint: s.Endpoint}
}

// sourceOf is what a folder knows of a report.
func sourceOf(s *history.Snapshot) audit.Source {
	return audit.Source{
		Account: s.Account, Partition: s.Partition, Generated: s.GeneratedAt, Fetched: s.FetchedAt,
		Origin: s.Source, SHA256: s.SHA256, Path: displayPath(s.Path),
	}
}

// fileInput is a file that was named. One in a folder of reports has there what
// is known of it.
func fileInput(file string) (auditInput, error) {
	in := auditInput{file: file, src: audit.Source{Origin: "file", Path: displayPath(file)}}
	account := filepath.Base(filepath.Dir(file))
	if abs, err := filepath.Abs(file); err == nil {
		account = filepath.Base(filepath.Dir(abs))
	}
	if !history.IsAccountID(account) {
		return in, nil
	}
	folder, err := history.Open(filepath.Join(filepath.Dir(file), ".."))
	if err != nil {
		return in, err
	}
	snapshots, err := folder.Snapshots(account)
	if err != nil {
		return in, err
	}
	i := slices.IndexFunc(snapshots, func(s history.Snapshot) bool { return filepath.Base(s.Path) == filepath.Base(file) })
	if i >= 0 {
		in.from(&snapshots[i])
		in.file, in.src.Path = file, displayPath(file)
	}
	return in, nil
}

// displayPath is a path as findings name it: with slashes, and relative to the
// working directory where it lies in it.
func displayPath(path string) string {
	if filepath.IsAbs(path) {
		if here, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
				path = rel
			}
		}
	}
	return filepath.ToSlash(filepath.Clean(path))
}

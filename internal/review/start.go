package review

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/fleet"
	"rollcall/internal/history"
	"rollcall/internal/ownfile"
	"rollcall/internal/reports"
	"rollcall/internal/words"
)

// Start says what to freeze.
type Start struct {
	Dir, Name        string
	Program, Command string
	Now              time.Time
	Due              audit.Date
	RevokeWithinDays int
	EveryDays        int
	// Audit says how to judge. Statuses and EveryRow are ignored.
	Audit    audit.Options
	Reports  []reports.Report
	Inactive []history.Account
	List     AccountList
	// Expected are the accounts of the list. It is nil if the list is that of the
	// folder.
	Expected []fleet.Member
	Owners   Owners
	// Previous is the previous review, nil for none.
	Previous *Review
}

// freezing is the state of a start.
type freezing struct {
	*Start
	auditor  *audit.Auditor
	folder   *history.Folder
	manifest Manifest
	items    []Item
	seen     map[string]bool // lines
	unowned  map[string][]string
	order    []string // of the reasons in unowned
	account  *Account
}

// ErrExists reports that the folder is not empty.
var ErrExists = errors.New("the folder is not empty: a review starts in a new one")

// Run freezes the population and writes the sheets. The review that it returns is
// complete if Manifest.Complete says so.
func (s *Start) Run(ctx context.Context) (*Review, error) {
	f := &freezing{Start: s, seen: map[string]bool{}, unowned: map[string][]string{}}
	if err := f.begin(); err != nil {
		return nil, err
	}
	if err := f.freeze(ctx); err != nil {
		// Without this, the same command would find a folder that is not empty.
		for _, name := range []string{reportsDir, populationFile, manifestFile} {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.Dir, name)))
		}
		return nil, err
	}
	r, err := Open(s.Dir)
	if err != nil {
		return nil, err
	}
	return r, r.WriteSheets()
}

// freeze writes the population and, at last, the manifest.
func (f *freezing) freeze(ctx context.Context) error {
	for i := range f.Reports {
		if err := f.take(ctx, &f.Reports[i]); err != nil {
			return err
		}
	}
	f.reconcile()
	if err := f.refuseUnowned(); err != nil {
		return err
	}
	return f.write()
}

// Complete reports whether the population contains every expected account, and each
// of them completely.
func (m *Manifest) Complete() bool {
	return !slices.ContainsFunc(m.Accounts, func(a Account) bool { return a.State == Missing || a.State == Incomplete })
}

func (f *freezing) begin() (err error) {
	f.Audit.Statuses, f.Audit.EveryRow, f.Audit.Top = audit.Reported, true, -1
	if f.auditor, err = audit.New(f.Audit); err != nil {
		return err
	}
	if err := ownfile.MkdirAll(f.Dir); err != nil {
		return err
	}
	if files, err := os.ReadDir(f.Dir); err != nil || len(files) > 0 {
		return cmp.Or(err, fmt.Errorf("%s: %w", f.Dir, ErrExists))
	}
	if f.folder, err = history.Create(filepath.Join(f.Dir, reportsDir)); err != nil {
		return err
	}
	f.manifest = Manifest{
		Kind: manifestKind, Version: version, Name: f.Name, Program: f.Program, Command: f.Command,
		StartedAt: f.Now.UTC().Truncate(time.Second), Benchmark: string(f.auditor.Summary().Benchmark.ID), Due: f.Due,
		RevokeWithinDays: f.RevokeWithinDays, EveryDays: f.EveryDays, AccountList: f.List,
		Accounts: []Account{}, Reviewers: []Reviewer{},
	}
	return nil
}

// take puts the items of one report into the population, and the report into the
// folder.
func (f *freezing) take(ctx context.Context, r *reports.Report) error {
	if err := r.Prepare(false); err != nil {
		return err
	}
	a := Account{Account: r.Source.Account, Name: r.Source.Name, Partition: r.Source.Partition, State: Reviewed}
	if r.Missing != "" {
		a.State, a.Why = Missing, words.Sentence(r.Missing)
		f.manifest.Accounts = append(f.manifest.Accounts, a)
		return nil
	}
	content, err := contentOf(r)
	if err != nil {
		return err
	}
	f.account = &a
	var rowErr error
	asOf := r.Source.Generated
	began := len(f.items)
	of, err := f.auditor.Audit(ctx, bytes.NewReader(content), r.Source, r.Facts, func(row *audit.Row) error {
		rowErr = f.row(row, r.Facts, asOf)
		return rowErr
	})
	if err != nil {
		return err
	}
	a.Account, a.Partition = of.Source.Account, of.Source.Partition
	a.Items = len(f.items) - began
	problems := of.Problems
	if r.Problem != "" {
		problems = append(problems, audit.Problem{Text: r.Problem})
	}
	if len(problems) > 0 {
		a.State, a.Why = Incomplete, problems[0].Text
	}
	if err := f.another(a.Account); err != nil {
		return err
	}
	if a.Report, err = f.keep(r, of.Source, content); err != nil {
		return err
	}
	f.manifest.Accounts = append(f.manifest.Accounts, a)
	return nil
}

// another returns an error if the review has a report of the account already.
func (f *freezing) another(account string) error {
	if slices.ContainsFunc(f.manifest.Accounts, func(a Account) bool {
		return a.Account == account && a.Report != nil
	}) {
		return fmt.Errorf("there are two reports of account %s: a review has one report of each account", account)
	}
	return nil
}

func contentOf(r *reports.Report) ([]byte, error) {
	in, err := r.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, maxReport+1))
	if err == nil && len(content) > maxReport {
		err = fmt.Errorf("%s: it is longer than %d MiB", r.Title(), maxReport>>20)
	}
	return content, err
}

// keep copies a report into the review, byte for byte, with its metadata.
func (f *freezing) keep(r *reports.Report, src audit.Source, content []byte) (*Obtained, error) {
	meta := history.Meta{
		Account: src.Account, Partition: src.Partition, GeneratedAt: src.Generated, FetchedAt: src.Fetched,
		Source: src.Origin, Store: !r.Service.Known,
	}
	if n := len(r.Snapshots); n > 0 {
		meta = r.Snapshots[n-1].Meta
		meta.Account, meta.Partition = src.Account, cmp.Or(meta.Partition, src.Partition)
	}
	if !history.IsAccountID(src.Account) {
		return nil, fmt.Errorf("%s: no row names its account", r.Title())
	}
	s, err := f.folder.Save(meta, content)
	if err != nil {
		return nil, err
	}
	o := &Obtained{
		File: reportsDir + "/" + src.Account + "/" + filepath.Base(s.Path), SHA256: s.SHA256, Bytes: len(content),
		GeneratedAt: s.GeneratedAt, FetchedAt: s.FetchedAt, Source: s.Source, Endpoint: s.Endpoint, Store: s.Store,
		Caller: s.Caller, Role: s.Role, Command: s.Command,
	}
	if r.Guess != nil {
		o.GeneratedIs = r.Guess.From
	}
	return o, f.keepFacts(r, s, o)
}

// keepFacts copies the facts that were saved with a report.
func (f *freezing) keepFacts(r *reports.Report, s history.Snapshot, o *Obtained) error {
	if r.Facts == nil {
		return nil
	}
	if err := f.folder.SaveFacts(s, savedFacts(s.Account, r.Facts)); err != nil {
		return err
	}
	name := factsFile(o.File)
	text, err := readFile(os.DirFS(f.Dir), name, maxReport)
	o.Facts = &FileSum{name, sumOf(text), int64(len(text))}
	return err
}

// factsFile returns the name of the file of facts of a report.
func factsFile(report string) string { return strings.TrimSuffix(report, ".csv") + ".facts.json" }

// row puts the items of a row into the population.
func (f *freezing) row(row *audit.Row, facts *audit.Enrichment, asOf time.Time) error {
	if row.Report == nil {
		return nil
	}
	account := cmp.Or(f.account.Account, row.Report.AccountID())
	f.account.Account = account
	items := itemsOf(row.Report, account, asOf)
	var of audit.UserFacts
	if facts != nil {
		of = facts.Users[row.Report.User]
		if made, ok := row.Report.Created.Unix(); !ok || made != of.Created.Unix() {
			of = audit.UserFacts{}
		}
	}
	reviewer, why := f.Owners.of(&items[0], row.Report.Path(), of.Tags)
	if why != "" {
		if f.unowned[why] == nil {
			f.order = append(f.order, why)
		}
		f.unowned[why] = append(f.unowned[why], row.Report.User)
	}
	for n := range items {
		i := &items[n]
		if f.seen[i.Line] {
			if err := f.another(account); err != nil {
				return err
			}
			return fmt.Errorf("account %s: the report has user %s twice: get a new report", account,
				escape.Printable(i.User))
		}
		f.seen[i.Line] = true
		i.Reviewer, i.AccountName, i.Class = reviewer, f.account.Name, row.Class.String()
		i.KeyID = keyIDOf(i, of.Keys)
	}
	place(items, row.Findings)
	f.compare(items)
	f.items = append(f.items, items...)
	f.account.Users++
	return nil
}

// keyIDOf returns the id of an access key, and "" if creation times do not identify
// it.
func keyIDOf(i *Item, keys []audit.KeyFact) string {
	id := ""
	for _, k := range keys {
		if i.Kind != kindKey || words.Time(k.Created) != i.Created {
			continue
		}
		if id != "" {
			return ""
		}
		id = k.ID
	}
	return id
}

// place assigns each finding of a row to its item. Findings about the user belong to
// the password, or else to the first item.
func place(items []Item, findings []audit.Finding) {
	for n := range findings {
		v := &findings[n]
		at := slices.IndexFunc(items, func(i Item) bool { return i.Credential == v.Credential.ID() })
		if at < 0 {
			at = max(0, slices.IndexFunc(items, func(i Item) bool { return i.Kind == kindPassword }))
		}
		out := Finding{Control: string(v.Control.ID), Title: v.Control.Title, Status: v.Status.String(),
			Severity: v.Severity.String(), Reason: v.Reason.String()}
		if v.Suppressed {
			out.Exception = v.Exception
		}
		items[at].Findings = append(items[at].Findings, out)
	}
	for n := range items {
		slices.SortStableFunc(items[n].Findings, func(a, b Finding) int { return cmp.Compare(weight(a), weight(b)) })
	}
}

// weight sorts failures first and excused findings last.
func weight(f Finding) int {
	switch {
	case f.Exception != "":
		return 9
	case f.Status == audit.Fail.String():
		return 0
	case f.Status == audit.Warn.String():
		return 1
	}
	return 2
}

// compare describes the changes since the previous review.
func (f *freezing) compare(items []Item) {
	if f.Previous == nil {
		return
	}
	for n := range items {
		i := &items[n]
		was := f.Previous.item(i.Line)
		if was == nil {
			i.New = true
			continue
		}
		i.Changes = changes(was, i)
	}
}

// refuseUnowned refuses a start if a user has no reviewer, or would be their own
// reviewer.
func (f *freezing) refuseUnowned() error {
	var all []string
	for _, why := range f.order {
		users := f.unowned[why]
		names := make([]string, min(len(users), 5))
		for i := range names {
			names[i] = escape.Printable(users[i])
		}
		text := why + " " + strings.Join(names, ", ")
		if n := len(users) - len(names); n > 0 {
			text += fmt.Sprintf(" and %d more", n)
		}
		all = append(all, text)
	}
	if len(all) > 0 {
		return &OwnersError{strings.Join(all, "; ")}
	}
	return nil
}

// OwnersError names the users without a reviewer.
type OwnersError struct{ why string }

func (e *OwnersError) Error() string { return e.why }

// write writes the population, then the items that are gone since the previous
// review, and finally the manifest.
func (f *freezing) write() error {
	decisions, err := f.before()
	if err != nil {
		return err
	}
	f.recall(decisions)
	if err := f.gone(decisions); err != nil {
		return err
	}
	m := &f.manifest
	m.Items = len(f.items)
	m.Reviewers = f.reviewers()
	if m.Population, err = writeLines(f.Dir, populationFile, f.items); err != nil {
		return err
	}
	for _, a := range m.Accounts {
		m.Users += a.Users
	}
	text, err := encode(m)
	if err != nil {
		return err
	}
	return writeIn(f.Dir, manifestFile, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// writeLines writes values as lines of JSON.
func writeLines[T any](dir, name string, values []T) (FileSum, error) {
	sum := FileSum{File: name}
	h := newDigest()
	err := writeIn(dir, name, func(w io.Writer) error {
		b := bufio.NewWriterSize(io.MultiWriter(w, h), 64<<10)
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		for i := range values {
			if err := e.Encode(&values[i]); err != nil {
				return err
			}
		}
		return b.Flush()
	})
	sum.SHA256, sum.Bytes = h.sum()
	return sum, err
}

// reviewers counts the items of each reviewer and names the sheets.
func (f *freezing) reviewers() []Reviewer {
	all := []Reviewer{}
	at := map[string]int{}
	last := ""
	for n := range f.items {
		i := &f.items[n]
		k, ok := at[fold(i.Reviewer)]
		if !ok {
			k = len(all)
			at[fold(i.Reviewer)] = k
			all = append(all, Reviewer{Name: i.Reviewer, Own: f.Owners.people[fold(i.Reviewer)]})
		}
		i.Reviewer = all[k].Name // one spelling
		all[k].Items++
		if user := i.Account + "\x00" + i.ARN; user != last {
			all[k].Users++
			last = user
		}
	}
	used := map[string]bool{}
	for k := range all {
		name := sheetName(all[k].Name)
		if used[name] {
			name += "-" + sumOf([]byte(fold(all[k].Name)))[:8]
		}
		used[name] = true
		all[k].Sheet = name
	}
	slices.SortFunc(all, func(a, b Reviewer) int { return cmp.Compare(fold(a.Name), fold(b.Name)) })
	return all
}

// sheetName returns the name of a reviewer as the name of a file. It is in lower case
// and has no character with a meaning for a file system or a shell.
func sheetName(name string) string {
	safe := strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789@._-", r) {
			return r
		}
		return '_'
	}, fold(name))
	safe = strings.TrimLeft(safe, ".-")
	if safe != fold(name) || len(safe) > 64 {
		safe = safe[:min(len(safe), 40)] + "-" + sumOf([]byte(fold(name)))[:8]
	}
	return safe
}

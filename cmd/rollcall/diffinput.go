package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/escape"
	"rollcall/internal/history"
	"rollcall/internal/words"
	"rollcall/report"
)

// diffInputs finds the reports to compare.
type diffInputs struct {
	p                *process
	dir              string
	accounts         []string
	oldTime, newTime string
	spool            string // a file that standard input was written to
}

// diffAccount is an account to compare, or why it cannot be.
type diffAccount struct {
	diff.Series
	failed *diff.Account
	// problems are what is to be known beside the comparison.
	problems []string
}

func (in *diffInputs) add(f *pflag.FlagSet) {
	f.StringVar(&in.dir, "dir", defaultFolder, "the `folder` of reports, as 'rollcall report --into' fills it")
	f.StringSliceVar(&in.accounts, "account", nil, "only these `accounts`, parted by commas")
	f.StringVar(&in.oldTime, "old-time", "", "`when` OLD was generated, where it is a file that does not say so")
	f.StringVar(&in.newTime, "new-time", "", "`when` NEW was generated, where it is a file that does not say so")
}

func (in *diffInputs) close() {
	if in.spool != "" {
		os.Remove(in.spool)
	}
}

// diffSide is what one argument stands for.
type diffSide struct {
	name    string // as the user knows it
	reports map[string]*auditInput
	skipped map[string]string // accounts of which nobody expects a report, and their names
	// folder is the history the reports are from, nil for none.
	folder *history.Folder
	// file says that it is a single report, whatever its account.
	file bool
}

// series pairs the reports of the two sides.
func (in *diffInputs) series(args []string, changed func(string) bool) ([]diffAccount, error) {
	for _, a := range in.accounts {
		if !history.IsAccountID(a) {
			return nil, usageError("--account %q is not twelve digits", a)
		}
	}
	for i, flag := range []string{"old-time", "new-time"} {
		if changed(flag) && len(args) <= i {
			return nil, usageError("--%s has no meaning without a file", flag)
		}
	}
	if len(args) == 2 && args[0] == "-" && args[1] == "-" {
		return nil, usageError("only one of OLD and NEW can be standard input")
	}
	if len(args) == 0 {
		return in.lastTwo()
	}
	old, err := in.side(args[0], "old-time", in.oldTime)
	if err != nil {
		return nil, err
	}
	var new *diffSide
	if len(args) == 2 {
		new, err = in.side(args[1], "new-time", in.newTime)
	} else {
		new, err = in.newest()
	}
	if err != nil {
		return nil, err
	}
	if old.file && new.file {
		return in.twoFiles(old, new, changed("dir"))
	}
	return in.pair(old, new, changed("dir"))
}

// side finds out what an argument is: a file or a folder that is there, and
// else a time.
func (in *diffInputs) side(arg, flag, when string) (*diffSide, error) {
	info, err := os.Stat(arg)
	switch {
	case arg == "-":
		return in.stdin(flag, when)
	case err == nil && info.IsDir():
		if when != "" {
			return nil, usageError("--%s has no meaning for a folder", flag)
		}
		return in.folder(arg)
	case err == nil:
		return in.file(arg, flag, when)
	}
	at, ok := parseDay(arg)
	switch {
	case !ok && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case !ok:
		return nil, usageError("%q is no file, no folder, and no time such as 2026-09-01 or 2026-09-01T12:00:00Z", arg)
	case when != "":
		return nil, usageError("--%s has no meaning for a time", flag)
	}
	if _, err := in.open(); err != nil {
		return nil, err
	}
	return in.state(in.dir, at, "the history until "+arg)
}

// parseDay is parseTime where a date alone means the end of that day.
func parseDay(s string) (time.Time, bool) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.Add(24*time.Hour - time.Second), true
	}
	t, err := parseTime("", s)
	return t, err == nil
}

func (in *diffInputs) open() (*history.Folder, error) {
	folder, err := history.Open(in.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError("there is no folder of reports at %s: 'rollcall report --into %s' makes one, or see --dir", in.dir, in.dir)
	}
	return folder, err
}

// newest is the newest report of every account, and what the last run has to
// say.
func (in *diffInputs) newest() (*diffSide, error) {
	if _, err := in.open(); err != nil {
		return nil, err
	}
	return in.state(in.dir, time.Time{}, in.dir)
}

// state is what a folder knew of its accounts at some time, the zero time being
// today.
func (in *diffInputs) state(dir string, at time.Time, name string) (*diffSide, error) {
	folder, accounts, err := (&auditing{atAt: at}).accounts(dir)
	if err != nil {
		return nil, err
	}
	s := &diffSide{name: name, folder: folder, reports: map[string]*auditInput{}, skipped: map[string]string{}}
	for i := range accounts {
		of := &accounts[i]
		if o := of.Outcome; o != nil && o.Status.Inactive() {
			s.skipped[of.ID] = o.Name
			continue
		}
		found := accountInput(of)
		s.reports[of.ID] = &found
	}
	return s, nil
}

// folder is a history, of which the newest reports are meant, or a folder of
// CSV files.
func (in *diffInputs) folder(dir string) (*diffSide, error) {
	s, err := in.state(dir, time.Time{}, dir)
	if err != nil || len(s.reports)+len(s.skipped) > 0 {
		return s, err
	}
	files, err := reportFiles(dir)
	if err != nil {
		return nil, err
	}
	s.folder = nil
	for _, file := range files {
		found, err := in.fileInput(file, "old-time and --new-time", "")
		if err != nil {
			return nil, err
		}
		account := found.src.Account
		if before, ok := s.reports[account]; ok {
			return nil, usageError("%s has two reports of account %s, %s and %s: name the one that is meant",
				dir, account, filepath.Base(before.file), filepath.Base(file))
		}
		s.reports[account] = found
	}
	if len(files) == 0 {
		return nil, usageError("there is no report in %s", dir)
	}
	return s, nil
}

func (in *diffInputs) file(path, flag, when string) (*diffSide, error) {
	found, err := in.fileInput(path, flag, when)
	if err != nil {
		return nil, err
	}
	return &diffSide{name: path, file: true, reports: map[string]*auditInput{found.src.Account: found}}, nil
}

// stdin puts standard input into a file, since a report is read twice.
func (in *diffInputs) stdin(flag, when string) (*diffSide, error) {
	f, err := os.CreateTemp("", "rollcall-*.csv")
	if err != nil {
		return nil, err
	}
	in.spool = f.Name()
	_, err = io.Copy(f, in.p.stdin)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	s, err := in.file(in.spool, flag, when)
	if err == nil {
		s.name = "standard input"
	}
	return s, err
}

// fileInput is a report in a file: what the folder it lies in knows of it, or
// its name, and at last the time of the file tells when it was generated.
func (in *diffInputs) fileInput(path, flag, when string) (*auditInput, error) {
	found, err := fileInput(path)
	if err != nil {
		return nil, err
	}
	if found.src.Generated.IsZero() {
		if t, ok := timeInName(path); ok {
			found.src.Generated = t
		}
	}
	if when != "" {
		if found.src.Generated, err = parseTime(flag, when); err != nil {
			return nil, err
		}
	}
	if err := found.prepare(true); err != nil {
		return nil, err
	}
	if found.src.Generated.IsZero() {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		found.src.Generated = info.ModTime().UTC().Truncate(time.Second)
		if path == in.spool {
			path = "standard input"
		}
		fmt.Fprintf(in.p.stderr, "rollcall: %s does not say when it was generated: taking when it was written, %s (see --%s)\n",
			escape.Printable(path), words.Time(found.src.Generated), flag)
	}
	if found.src.Account == "" && found.missing == "" {
		found.src.Account, err = accountInReport(&found)
	}
	return &found, err
}

// timeInName is when a report was generated that is called as in a folder of
// reports.
func timeInName(path string) (time.Time, bool) {
	name := filepath.Base(path)
	t, err := time.Parse("2006-01-02T150405Z.csv", name)
	return t, err == nil && history.Name(t)+".csv" == name
}

// accountInReport is the account of a report's first row.
func accountInReport(in *auditInput) (string, error) {
	r, err := in.open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	rd, err := report.NewReader(r)
	if err != nil {
		return "", fmt.Errorf("%s: %w", in.file, err)
	}
	var row report.Row
	if err := rd.Read(&row); err != nil && err != io.EOF {
		return "", fmt.Errorf("%s: %w", in.file, err)
	}
	return row.AccountID(), nil
}

// diffReport is a report that can be read more than once.
func diffReport(in *auditInput) *diff.Report {
	return &diff.Report{Source: in.src, Facts: in.facts, Open: in.open}
}

// twoFiles compares two files whatever their accounts: where they differ, the
// comparison says so.
func (in *diffInputs) twoFiles(old, new *diffSide, dirGiven bool) ([]diffAccount, error) {
	a := diffAccount{}
	for _, r := range old.reports {
		if r.missing != "" {
			return []diffAccount{failedAccount(r.src.Account, "", r.missing)}, nil
		}
		a.Old = diffReport(r)
	}
	for account, r := range new.reports {
		if r.missing != "" {
			return []diffAccount{failedAccount(account, "", r.missing)}, nil
		}
		if !in.wanted(account) {
			return in.complete(nil)
		}
		a.New = diffReport(r)
		if dirGiven {
			var err error
			if a.History, err = in.earlier(nil, account); err != nil {
				return nil, err
			}
		}
	}
	return []diffAccount{a}, nil
}

// pair pairs the reports of all accounts of either side; of one, where a side
// is a file.
func (in *diffInputs) pair(old, new *diffSide, dirGiven bool) ([]diffAccount, error) {
	accounts := map[string]bool{}
	for _, s := range []*diffSide{old, new} {
		if s.file {
			clear(accounts)
		}
		if s.file || !old.file {
			for account := range s.reports {
				accounts[account] = true
			}
		}
	}
	for _, account := range slices.Sorted(maps.Keys(new.skipped)) {
		if in.wanted(account) {
			fmt.Fprintf(in.p.stderr, "rollcall: account %s is not active and was not compared\n",
				escape.Printable(strings.TrimSpace(account+" "+new.skipped[account])))
		}
		delete(accounts, account)
	}
	var all []diffAccount
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		if !in.wanted(account) {
			continue
		}
		a, err := in.match(account, old, new, dirGiven)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return in.complete(all)
}

// wanted reports whether an account is asked for.
func (in *diffInputs) wanted(account string) bool {
	return len(in.accounts) == 0 || slices.Contains(in.accounts, account)
}

// complete adds accounts that were asked for and are nowhere.
func (in *diffInputs) complete(all []diffAccount) ([]diffAccount, error) {
	for _, account := range in.accounts {
		if !slices.ContainsFunc(all, func(a diffAccount) bool { return a.Account == account }) {
			all = append(all, failedAccount(account, "", "There is no report of it."))
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there is no report to compare")
	}
	return all, nil
}

func failedAccount(account, name, why string) diffAccount {
	a := diffAccount{failed: diff.Failed(account, name, why)}
	a.Account = account
	return a
}

// match makes the series of one account.
func (in *diffInputs) match(account string, old, new *diffSide, dirGiven bool) (a diffAccount, err error) {
	was, is := old.reports[account], new.reports[account]
	if is == nil {
		return failedAccount(account, was.src.Name, new.name+" has no report of it."), nil
	}
	if was != nil && was.missing != "" && was.file == "" {
		was = nil // there was none at the time
	}
	for _, r := range []*auditInput{was, is} {
		if r == nil {
			continue
		}
		if err := r.prepare(true); err != nil {
			return a, err
		}
		switch {
		case r.missing != "" && r.file == "":
			return failedAccount(account, is.src.Name, words.Sentence("There is no report: "+r.missing)), nil
		case r.missing != "":
			return failedAccount(account, is.src.Name, words.Sentence(r.missing)), nil
		}
	}
	if is.problem != "" {
		a.problems = append(a.problems, is.problem)
	}
	if was != nil && was.file != "" && was.file == is.file && new.folder != nil {
		why := "There is no report between the two times: the newest is that of " + words.Time(is.src.Generated) + ". " +
			is.problem
		return failedAccount(account, is.src.Name, strings.TrimSpace(why)), nil
	}
	a.Account, a.Name, a.New = account, is.src.Name, diffReport(is)
	if was != nil {
		a.Old = diffReport(was)
	}
	if folder := cmp.Or(new.folder, old.folder); folder != nil || dirGiven {
		if dirGiven {
			folder = nil
		}
		a.History, err = in.earlier(folder, account)
	}
	return a, err
}

// earlier are the reports of the history of an account; of --dir where no
// folder is given.
func (in *diffInputs) earlier(folder *history.Folder, account string) ([]diff.Report, error) {
	if folder == nil {
		var err error
		if folder, err = in.open(); err != nil {
			return nil, err
		}
	}
	snapshots, err := folder.Snapshots(account)
	if err != nil {
		return nil, err
	}
	all := make([]diff.Report, len(snapshots))
	for i, s := range snapshots {
		all[i] = diff.File(audit.Source{
			Account: s.Account, Partition: s.Partition, Generated: s.GeneratedAt, Fetched: s.FetchedAt, Origin: s.Source, Path: s.Path, SHA256: s.SHA256,
		})
	}
	return all, nil
}

// lastTwo compares the newest report of every account with the one before.
func (in *diffInputs) lastTwo() ([]diffAccount, error) {
	new, err := in.newest()
	if err != nil {
		return nil, err
	}
	old := &diffSide{name: "the history", reports: map[string]*auditInput{}}
	for account, r := range new.reports {
		if r.missing != "" {
			continue
		}
		s, err := new.folder.Newest(account, r.src.Generated.Add(-time.Second))
		if errors.Is(err, history.ErrNone) {
			continue
		}
		before := &auditInput{src: audit.Source{Account: account}}
		if err != nil {
			before.missing = err.Error()
		} else {
			before.from(&s)
		}
		old.reports[account] = before
	}
	return in.pair(old, new, false)
}

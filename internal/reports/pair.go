package reports

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/history"
	"rollcall/internal/words"
)

// Pairing finds the reports to compare: an older and a newer one of each
// account. [Pairing.Close] deletes its temporary files.
type Pairing struct {
	// Dir is the folder of the history.
	Dir string
	// FilesHaveHistory says that Dir contains the history of findings, even if the
	// reports are not from Dir.
	FilesHaveHistory bool
	// Accounts limits the comparison to these accounts; none means all.
	Accounts []string
	Stdin    io.Reader
	// Undated is called for a file that does not say when it was generated, so
	// that the file's modification time is used. It may be nil.
	Undated func(name string, place Place, written time.Time)
	// Inactive is called for an account that nobody expects a report of. It may
	// be nil.
	Inactive func(account, name string)

	spooled map[string]string // the temporary files, and the names of the pipes in them
}

// Close deletes the temporary files.
func (p *Pairing) Close() error {
	var errs []error
	for file := range p.spooled {
		errs = append(errs, os.Remove(file))
	}
	return errors.Join(errs...)
}

// Pair is the two reports of one account, or the reason why they are missing.
type Pair struct {
	diff.Series
	Failed *diff.Account
	// Problems are notes on the comparison.
	Problems []string
}

// Find returns pairs of reports. With two arguments, it pairs their reports.
// With one, it pairs them with the newest reports of the history. With none, it
// pairs the two newest reports of every account.
func (p *Pairing) Find(args ...Argument) ([]Pair, error) {
	if len(args) == 0 {
		return p.lastTwo()
	}
	older, err := p.side(args[0], Old)
	if err != nil {
		return nil, err
	}
	var newer *side
	if len(args) == 2 {
		newer, err = p.side(args[1], New)
	} else {
		newer, err = p.newest()
	}
	if err != nil {
		return nil, err
	}
	if older.file && newer.file {
		return p.twoFiles(older, newer)
	}
	return p.pair(older, newer, p.FilesHaveHistory)
}

// twoFiles pairs two files, whatever their accounts. If the accounts differ,
// the comparison says so.
func (p *Pairing) twoFiles(older, newer *side) ([]Pair, error) {
	pair := Pair{}
	for _, r := range older.reports {
		if r.Missing != "" {
			return []Pair{failed(r.Source.Account, "", r.Missing)}, nil
		}
		pair.Old = r.forDiff()
	}
	for account, r := range newer.reports {
		if r.Missing != "" {
			return []Pair{failed(account, "", r.Missing)}, nil
		}
		if !p.wanted(account) {
			return p.complete(nil)
		}
		pair.New = r.forDiff()
		if p.FilesHaveHistory {
			var err error
			if pair.History, err = p.earlier(nil, account); err != nil {
				return nil, err
			}
		}
	}
	return []Pair{pair}, nil
}

// pair pairs the reports of all accounts of either side. If a side is a file,
// it pairs only the file's account.
func (p *Pairing) pair(older, newer *side, filesHaveHistory bool) ([]Pair, error) {
	accounts := map[string]bool{}
	for _, s := range []*side{older, newer} {
		if s.file {
			clear(accounts)
		}
		if s.file || !older.file {
			for account := range s.reports {
				accounts[account] = true
			}
		}
	}
	for _, account := range slices.Sorted(maps.Keys(newer.skipped)) {
		if p.wanted(account) && p.Inactive != nil {
			p.Inactive(account, newer.skipped[account])
		}
		delete(accounts, account)
	}
	var all []Pair
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		if !p.wanted(account) {
			continue
		}
		pair, err := p.match(account, older, newer, filesHaveHistory)
		if err != nil {
			return nil, err
		}
		all = append(all, pair)
	}
	return p.complete(all)
}

// wanted reports whether an account is asked for.
func (p *Pairing) wanted(account string) bool {
	return len(p.Accounts) == 0 || slices.Contains(p.Accounts, account)
}

// complete adds requested accounts that have no reports.
func (p *Pairing) complete(all []Pair) ([]Pair, error) {
	for _, account := range p.Accounts {
		if !slices.ContainsFunc(all, func(pair Pair) bool { return pair.Account == account }) {
			all = append(all, failed(account, "", "The account has no report."))
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there is no report to compare")
	}
	return all, nil
}

func failed(account, name, why string) Pair {
	p := Pair{Failed: diff.Failed(account, name, why)}
	p.Account = account
	return p
}

// match returns the pair of one account.
func (p *Pairing) match(account string, older, newer *side, filesHaveHistory bool) (pair Pair, err error) {
	was, is := older.reports[account], newer.reports[account]
	if is == nil {
		return failed(account, was.Source.Name, newer.name+" has no report of it."), nil
	}
	if was != nil && was.Missing != "" && was.file == "" {
		was = nil // there was none at that time
	}
	for _, r := range []*Report{was, is} {
		if r == nil {
			continue
		}
		if err := r.Prepare(true); err != nil {
			return pair, err
		}
		switch {
		case r.Missing != "" && r.file == "":
			return failed(account, is.Source.Name, words.Sentence("There is no report: "+r.Missing)), nil
		case r.Missing != "":
			return failed(account, is.Source.Name, words.Sentence(r.Missing)), nil
		}
	}
	if is.Problem != "" {
		pair.Problems = append(pair.Problems, is.Problem)
	}
	if was != nil && was.file != "" && was.file == is.file && newer.folder != nil {
		why := "No report was generated between the two times: the newest is that of " + words.Time(is.Source.Generated) +
			". " + is.Problem
		return failed(account, is.Source.Name, strings.TrimSpace(why)), nil
	}
	pair.Account, pair.Name, pair.New = account, is.Source.Name, is.forDiff()
	if was != nil {
		pair.Old = was.forDiff()
	}
	if folder := cmp.Or(newer.folder, older.folder); folder != nil || filesHaveHistory {
		if filesHaveHistory {
			folder = nil
		}
		pair.History, err = p.earlier(folder, account)
	}
	return pair, err
}

// earlier returns the reports of an account in a folder, or in the history if
// folder is nil.
func (p *Pairing) earlier(folder *history.Folder, account string) ([]diff.Report, error) {
	if folder == nil {
		var err error
		if folder, err = p.open(); err != nil {
			return nil, err
		}
	}
	snapshots, err := folder.Snapshots(account)
	if err != nil {
		return nil, err
	}
	return Newest(snapshots, len(snapshots)), nil
}

// lastTwo pairs the newest report of every account with the previous one.
func (p *Pairing) lastTwo() ([]Pair, error) {
	newer, err := p.newest()
	if err != nil {
		return nil, err
	}
	older := &side{name: "the history", reports: map[string]*Report{}}
	for account, r := range newer.reports {
		if r.Missing != "" {
			continue
		}
		s, err := newer.folder.Newest(account, r.Source.Generated.Add(-time.Second))
		if errors.Is(err, history.ErrNone) {
			continue
		}
		before := &Report{Source: audit.Source{Account: account}}
		if err != nil {
			before.Missing = err.Error()
		} else {
			before.fill(&s)
		}
		older.reports[account] = before
	}
	return p.pair(older, newer, false)
}

// Newest returns the newest reports of a folder for a comparison, oldest first.
func Newest(snapshots []history.Snapshot, most int) []diff.Report {
	snapshots = snapshots[max(0, len(snapshots)-most):]
	all := make([]diff.Report, len(snapshots))
	for i, s := range snapshots {
		src := SourceOf(&s)
		src.Path = s.Path
		all[i] = diff.File(src)
	}
	return all
}

package reports

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/plan"
	"rollcall/internal/history"
	"rollcall/internal/lazyregexp"
	"rollcall/internal/words"
)

// Found holds the reports that were named.
type Found struct {
	Reports []Report
	// Inactive are the accounts of folders that nobody expects a report of.
	Inactive []history.Account
}

// Find finds the reports that the arguments name: files, folders, and - for
// standard input. In a folder with fetched reports, it finds the newest report
// of each account that was generated at the given time or before. The zero time
// means now. It only reads where the reports come from, not the reports.
func Find(args []string, stdin io.Reader, at time.Time) (Found, error) {
	var found Found
	for _, arg := range args {
		if err := found.add(arg, stdin, at); err != nil {
			return Found{}, err
		}
	}
	for i := range found.Reports {
		found.Reports[i].among = len(found.Reports) > 1
	}
	return found, nil
}

func (f *Found) add(arg string, stdin io.Reader, at time.Time) error {
	if arg == "-" {
		f.Reports = append(f.Reports, Report{stream: stdin})
		return nil
	}
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return f.addFolder(arg, at)
	case !info.Mode().IsRegular(): // a pipe, which can only be read once
		pipe, err := os.Open(arg)
		if err != nil {
			return err
		}
		f.Reports = append(f.Reports, Report{stream: pipe})
		return nil
	}
	r, err := inFile(arg)
	f.Reports = append(f.Reports, r)
	return err
}

// addFolder adds the newest report of each account in a folder with fetched
// reports. For any other folder it adds every file with a report.
func (f *Found) addFolder(dir string, at time.Time) error {
	folder, accounts, err := accountsIn(dir, at)
	if err != nil {
		return err
	}
	for i := range accounts {
		of := &accounts[i]
		if o := of.Outcome; o != nil && o.Status.Inactive() {
			f.Inactive = append(f.Inactive, *of)
			continue
		}
		r := ofAccount(of)
		if of.Snapshot != nil {
			if r.Snapshots, err = upTo(folder, of.Snapshot); err != nil {
				return err
			}
		}
		f.Reports = append(f.Reports, r)
	}
	if len(accounts) > 0 {
		return nil
	}
	files, err := filesIn(dir)
	switch {
	case err != nil:
		return err
	case len(files) == 0 && !at.IsZero():
		return fmt.Errorf("there are no reports in %s of %s or before", dir, words.Time(at))
	case len(files) == 0:
		return fmt.Errorf("there are no reports in %s", dir)
	}
	for _, file := range files {
		r, err := inFile(file)
		if err != nil {
			return err
		}
		f.Reports = append(f.Reports, r)
	}
	return nil
}

// upTo returns the reports of a folder up to the newest one, oldest first.
func upTo(folder *history.Folder, newest *history.Snapshot) ([]history.Snapshot, error) {
	all, err := folder.Snapshots(newest.Account)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(s history.Snapshot) bool { return s.GeneratedAt.After(newest.GeneratedAt) }), nil
}

// accountsIn returns the state of a folder's accounts at a time. If dir is the
// folder of one account within another, it returns that account.
func accountsIn(dir string, at time.Time) (*history.Folder, []history.Account, error) {
	of := ""
	if abs, err := filepath.Abs(dir); err == nil && history.IsAccountID(filepath.Base(abs)) {
		of, dir = filepath.Base(abs), filepath.Join(dir, "..")
	}
	folder, err := history.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	all, err := folder.State(at)
	if of != "" {
		all = slices.DeleteFunc(all, func(h history.Account) bool { return h.ID != of })
	}
	return folder, all, err
}

// filesIn returns the reports in a folder that was filled by hand: CSV files,
// compressed or not, and answers of get-credential-report in JSON.
func filesIn(dir string) (files []string, err error) {
	for _, form := range []string{"*.csv", "*.csv.gz", "*.csv.zst"} {
		found, err := filepath.Glob(filepath.Join(globEscape(dir), form))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	answers, err := filepath.Glob(filepath.Join(globEscape(dir), "*.json"))
	if err != nil {
		return nil, err
	}
	files = append(files, slices.DeleteFunc(answers, func(file string) bool { return !isAnswer(file) })...)
	slices.Sort(files)
	return files, nil
}

// isAnswer says whether a JSON file begins as an answer of get-credential-report. Other
// JSON, such as the result of an audit, may be in the same folder.
func isAnswer(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4<<10)
	n, _ := io.ReadFull(f, head)
	return answerBegins.MatchString(string(head[:n]))
}

// In UTF-16, as Windows PowerShell writes it, a NUL is between two characters.
var answerBegins = lazyregexp.New(`^[^{\[]{0,8}\{[\s\x00]*"\x00?C\x00?o\x00?n\x00?t\x00?e\x00?n\x00?t\x00?"`)

func globEscape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// ofAccount returns the report of an account in a folder.
func ofAccount(of *history.Account) Report {
	r := Report{Source: audit.Source{Account: of.ID}}
	if !history.IsAccountID(of.ID) {
		r.Source.Account, r.Source.Name = "", of.ID // a profile whose account is unknown
	}
	why := "nobody knows why"
	if o := of.Outcome; o != nil {
		r.Source.Name, r.Source.Partition = cmp.Or(o.Name, r.Source.Name), o.Partition
		r.Organization = o.Organization
		why = strings.TrimSuffix(cmp.Or(o.Message, string(o.Status)), ".")
	}
	switch {
	case of.Err != nil:
		r.Missing = of.Err.Error()
	case of.Snapshot == nil:
		r.Missing = why
	default:
		r.fill(of.Snapshot)
		if of.Outcome != nil {
			r.Service.Profile = of.Outcome.Profile
		}
		if of.Missing() {
			r.Problem = fmt.Sprintf("The last run, of %s, got no report: %s. This one is older.",
				words.Time(of.Outcome.At),
				why)
		} else if of.Outcome != nil && of.Outcome.NoFacts != "" {
			r.Problem = fmt.Sprintf("The last run, of %s, did not read all facts of --enrich: %s.",
				words.Time(of.Outcome.At), strings.TrimSuffix(of.Outcome.NoFacts, "."))
		}
	}
	return r
}

// fill fills r with the report of a folder.
func (r *Report) fill(s *history.Snapshot) {
	name, partition := r.Source.Name, r.Source.Partition
	r.file, r.verify, r.Source, r.saved = s.Path, s.Verifiable(), SourceOf(s), s
	r.Source.Name, r.Source.Partition = name, cmp.Or(r.Source.Partition, partition)
	r.Service = plan.Service{Known: s.Verifiable() && !s.Store, Endpoint: s.Endpoint}
}

// SourceOf returns the source of a report in a folder.
func SourceOf(s *history.Snapshot) audit.Source {
	return audit.Source{
		Account: s.Account, Partition: s.Partition, Generated: s.GeneratedAt, Fetched: s.FetchedAt,
		Origin: s.Source, SHA256: s.SHA256, Path: displayPath(s.Path),
	}
}

// inFile returns the report in a named file. If the file is in a folder of
// reports, it adds the folder's metadata.
func inFile(file string) (Report, error) {
	r := Report{file: file, Source: audit.Source{Origin: "file", Path: displayPath(file)}}
	account := filepath.Base(filepath.Dir(file))
	if abs, err := filepath.Abs(file); err == nil {
		account = filepath.Base(filepath.Dir(abs))
	}
	if !history.IsAccountID(account) {
		return r, nil
	}
	folder, err := history.Open(filepath.Join(filepath.Dir(file), ".."))
	if err != nil {
		return r, err
	}
	snapshots, err := folder.Snapshots(account)
	if err != nil {
		return r, err
	}
	i := slices.IndexFunc(snapshots, func(s history.Snapshot) bool {
		return filepath.Base(s.Path) == filepath.Base(file)
	})
	if i >= 0 {
		r.fill(&snapshots[i])
		r.file, r.Source.Path = file, displayPath(file)
	}
	return r, nil
}

// displayPath returns a path for findings: with slashes, and relative if it is
// below the working directory.
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

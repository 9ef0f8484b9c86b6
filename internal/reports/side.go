package reports

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rollcall/internal/audit/diff"
	"rollcall/internal/history"
	"rollcall/report"
)

// ErrNoHistory says that the folder of the history does not exist.
var ErrNoHistory = errors.New("there is no folder of reports")

// ArgumentError says that an argument names no report.
type ArgumentError struct{ text string }

func (e *ArgumentError) Error() string { return e.text }

func argumentError(format string, args ...any) error {
	return &ArgumentError{fmt.Sprintf(format, args...)}
}

// DateError says that a date was given for an argument that has its own date.
type DateError struct {
	Place Place
	Kind  string // folder or time
}

func (e *DateError) Error() string { return "a date has no meaning for a " + e.Kind }

// Place identifies an argument.
type Place int

// The places: one of two reports that are compared, or either of them.
const (
	Old Place = iota
	New
	Either
)

// Argument is a file, a folder, - for standard input, or a time. A time means
// the newest reports of the history that were generated then or before.
type Argument struct {
	Text string
	// Generated is the time when the report was generated, if it is a file
	// without a date. Otherwise it is zero.
	Generated time.Time
}

// side is one argument: a file, a folder or a time.
type side struct {
	name    string // its name for the user
	reports map[string]*Report
	skipped map[string]string // names of accounts that nobody expects a report of
	// folder is the history that contains the reports, nil for none.
	folder *history.Folder
	// file says that the side is a single report, whatever its account.
	file bool
}

// side finds out the type of an argument: an existing file or folder, or
// otherwise a time.
func (p *Pairing) side(arg Argument, place Place) (*side, error) {
	info, err := os.Stat(arg.Text)
	switch {
	case arg.Text == "-":
		return p.pipe(p.Stdin, standardInput, arg, place)
	case err == nil && info.IsDir() && !arg.Generated.IsZero():
		return nil, &DateError{place, "folder"}
	case err == nil && info.IsDir():
		return p.folder(arg.Text)
	case err == nil && !info.Mode().IsRegular():
		return p.namedPipe(arg, place)
	case err == nil:
		return p.file(arg, place)
	}
	at, ok := parseDay(arg.Text)
	switch {
	case !ok && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case !ok:
		return nil, argumentError("%q is not a file, a folder, or a time such as 2026-09-01 or 2026-09-01T12:00:00Z",
			arg.Text)
	case !arg.Generated.IsZero():
		return nil, &DateError{place, "time"}
	}
	if _, err := p.open(); err != nil {
		return nil, err
	}
	return state(p.Dir, at, "the history until "+arg.Text)
}

// timeForms are the ways to write a time; without a zone it is UTC.
var timeForms = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
}

// ParseTime reads a time in one of several forms. Without a zone it is UTC.
func ParseTime(s string) (time.Time, bool) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseDay is ParseTime, except that a date alone means the end of that day.
func parseDay(s string) (time.Time, bool) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.Add(24*time.Hour - time.Second), true
	}
	return ParseTime(s)
}

func (p *Pairing) open() (*history.Folder, error) {
	folder, err := history.Open(p.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoHistory
	}
	return folder, err
}

// newest returns the newest report of every account, with the outcomes of the
// last run.
func (p *Pairing) newest() (*side, error) {
	if _, err := p.open(); err != nil {
		return nil, err
	}
	return state(p.Dir, time.Time{}, p.Dir)
}

// state returns the state of a folder's accounts at a time. The zero time means
// now.
func state(dir string, at time.Time, name string) (*side, error) {
	folder, accounts, err := accountsIn(dir, at)
	if err != nil {
		return nil, err
	}
	s := &side{name: name, folder: folder, reports: map[string]*Report{}, skipped: map[string]string{}}
	for i := range accounts {
		of := &accounts[i]
		if o := of.Outcome; o != nil && o.Status.Inactive() {
			s.skipped[of.ID] = o.Name
			continue
		}
		found := ofAccount(of)
		s.reports[of.ID] = &found
	}
	return s, nil
}

// folder returns the newest reports of a history, or those of a folder of CSV
// files.
func (p *Pairing) folder(dir string) (*side, error) {
	s, err := state(dir, time.Time{}, dir)
	if err != nil || len(s.reports)+len(s.skipped) > 0 {
		return s, err
	}
	files, err := filesIn(dir)
	if err != nil {
		return nil, err
	}
	s.folder = nil
	for _, file := range files {
		found, err := p.dated(Argument{Text: file}, Either)
		if err != nil {
			return nil, err
		}
		account := found.Source.Account
		if before, ok := s.reports[account]; ok {
			return nil, argumentError("%s has two reports of account %s, %s and %s: name the one that is meant",
				dir, account, filepath.Base(before.file), filepath.Base(file))
		}
		s.reports[account] = found
	}
	if len(files) == 0 {
		return nil, argumentError("there is no report in %s", dir)
	}
	return s, nil
}

func (p *Pairing) file(arg Argument, place Place) (*side, error) {
	found, err := p.dated(arg, place)
	if err != nil {
		return nil, err
	}
	return &side{name: arg.Text, file: true, reports: map[string]*Report{found.Source.Account: found}}, nil
}

// pipe copies standard input, or another pipe, to a file, because a report is read
// twice.
func (p *Pairing) pipe(from io.Reader, name string, arg Argument, place Place) (*side, error) {
	f, err := os.CreateTemp("", "rollcall-*.csv")
	if err != nil {
		return nil, err
	}
	if p.spooled == nil {
		p.spooled = map[string]string{}
	}
	p.spooled[f.Name()] = name
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s, err := p.file(Argument{f.Name(), arg.Generated}, place)
	if err == nil {
		s.name = name
	}
	return s, err
}

func (p *Pairing) namedPipe(arg Argument, place Place) (*side, error) {
	f, err := os.Open(arg.Text)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return p.pipe(f, arg.Text, arg, place)
}

// dated returns the report in a file with its date. The date comes from the
// folder that contains the file, from the file's name, or else from its
// modification time.
func (p *Pairing) dated(arg Argument, place Place) (*Report, error) {
	path := arg.Text
	found, err := inFile(path)
	if err != nil {
		return nil, err
	}
	if found.pipe = p.spooled[path]; found.pipe != "" {
		found.Source.Path = strings.TrimPrefix(found.pipe, standardInput)
	}
	if found.Source.Generated.IsZero() {
		if t, ok := timeInName(path); ok {
			found.Source.Generated = t
		}
	}
	if !arg.Generated.IsZero() {
		found.Source.Generated = arg.Generated
	}
	if err := found.Prepare(true); err != nil {
		return nil, err
	}
	if found.Source.Generated.IsZero() {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		found.Source.Generated = info.ModTime().UTC().Truncate(time.Second)
		if p.Undated != nil {
			p.Undated(cmp.Or(found.pipe, path), place, found.Source.Generated)
		}
	}
	if found.Source.Account == "" && found.Missing == "" {
		found.Source.Account, err = accountIn(&found)
	}
	return &found, err
}

// timeInName returns the time in the name of a report, in the form that folders
// use.
func timeInName(path string) (time.Time, bool) {
	name := filepath.Base(path)
	t, err := time.Parse("2006-01-02T150405Z.csv", name)
	return t, err == nil && history.Name(t)+".csv" == name
}

// accountIn returns the account of a report's first row.
func accountIn(r *Report) (string, error) {
	content, err := r.Open()
	if err != nil {
		return "", err
	}
	defer content.Close()
	rd, err := report.NewReader(content)
	if err != nil {
		return "", fmt.Errorf("%s: %w", cmp.Or(r.pipe, r.file), err)
	}
	var row report.Row
	if err := rd.Read(&row); err != nil && err != io.EOF {
		return "", fmt.Errorf("%s: %w", cmp.Or(r.pipe, r.file), err)
	}
	return row.AccountID(), nil
}

// forDiff returns the report in a form that can be read more than once.
func (r *Report) forDiff() *diff.Report {
	return &diff.Report{Source: r.Source, Facts: r.Facts, Open: r.Open}
}

package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rollcall/internal/ownfile"
)

// Folder is a folder of reports. It holds no open files and may be used from
// several goroutines and processes at once.
type Folder struct{ dir string }

// Open returns the folder of reports at dir, which must exist.
func Open(dir string) (*Folder, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not a folder", dir)
	}
	return &Folder{dir}, nil
}

// Create is Open, but creates a missing folder, which only the user can read.
func Create(dir string) (*Folder, error) {
	if err := ownfile.MkdirAll(dir); err != nil {
		return nil, err
	}
	return Open(dir)
}

// Dir returns the path of the folder, as it was opened.
func (f *Folder) Dir() string { return f.dir }

func (f *Folder) path(elements ...string) string {
	return filepath.Join(append([]string{f.dir}, elements...)...)
}

const outcomeFile = "outcome.json"

// ErrNone says that there is no report, or no outcome, of that kind.
var ErrNone = errors.New("the folder has none")

// Accounts lists every account that has a report or an outcome in the folder,
// in the order of their numbers.
func (f *Folder) Accounts() ([]string, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		if !IsAccountID(e.Name()) {
			continue
		}
		files, err := os.ReadDir(f.path(e.Name()))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(files, func(e fs.DirEntry) bool {
			_, isReport := parseName(e.Name())
			return isReport || e.Name() == outcomeFile
		}) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil // ReadDir sorts
}

// IsAccountID says whether s is twelve digits.
func IsAccountID(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// Times lists the times when the account's reports were generated, oldest
// first. It reads only file names. An unknown account has none.
func (f *Folder) Times(account string) ([]time.Time, error) {
	entries, err := os.ReadDir(f.path(account))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var times []time.Time
	for _, e := range entries {
		if t, ok := parseName(e.Name()); ok {
			times = append(times, t)
		}
	}
	return times, nil
}

// Snapshots lists the account's reports, oldest first. It reads their
// metadata and not the reports themselves.
func (f *Folder) Snapshots(account string) ([]Snapshot, error) {
	times, err := f.Times(account)
	if err != nil {
		return nil, err
	}
	all := make([]Snapshot, len(times))
	for i, t := range times {
		if all[i], err = f.snapshot(account, t); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Newest returns the account's newest report that was generated at the given
// time or before. The zero time means the newest of all. If there is none the
// error is ErrNone.
func (f *Folder) Newest(account string, at time.Time) (Snapshot, error) {
	times, err := f.Times(account)
	if err != nil {
		return Snapshot{}, err
	}
	for _, t := range slices.Backward(times) {
		if at.IsZero() || !t.After(at) {
			return f.snapshot(account, t)
		}
	}
	return Snapshot{}, fmt.Errorf("report of account %s: %w", account, ErrNone)
}

// Outcome returns the outcome of the last run that expected the account. If
// there was no such run the error is ErrNone.
func (f *Folder) Outcome(account string) (Outcome, error) {
	return f.readOutcome(account)
}

// readOutcome reads the outcome in a folder with this name: an account, or the
// encoded name of a profile.
func (f *Folder) readOutcome(name string) (Outcome, error) {
	file := f.path(name, outcomeFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Outcome{}, fmt.Errorf("outcome of %s: %w", name, ErrNone)
	}
	if err != nil {
		return Outcome{}, err
	}
	var o Outcome
	if err := decode(text, &o); err != nil {
		return Outcome{}, fmt.Errorf("%s: %w: %w", file, ErrDamaged, err)
	}
	if o.folder() != name || !slices.Contains(Statuses, o.Status) {
		return Outcome{}, fmt.Errorf("%s: %w: it is not an outcome of %s", file, ErrDamaged, name)
	}
	return o, nil
}

// profiles reads the outcomes of profiles whose account is unknown.
func (f *Folder) profiles() (all []Outcome, err error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), profilePrefix) {
			continue
		}
		o, err := f.readOutcome(e.Name())
		if errors.Is(err, ErrNone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// Account is everything that the folder contains about one account at some
// time.
type Account struct {
	// ID has twelve digits. For a profile whose credentials failed, so that its
	// account is unknown, it is "profile NAME".
	ID string
	// Snapshot is the newest report. It is nil if there is none or it is
	// unreadable.
	Snapshot *Snapshot
	// Outcome is the outcome of the last run. It is nil if no run expected the
	// account or it is unreadable.
	Outcome *Outcome
	// Err is the error of reading the report or the outcome.
	Err error
}

// Missing says whether the last run expected a report of the account and got
// none. An older report may exist, but it does not show the present state. An
// account whose files are unreadable is missing too.
func (a Account) Missing() bool {
	return a.Err != nil || a.Snapshot == nil && a.Outcome == nil || a.Outcome != nil && a.Outcome.Status.Incomplete()
}

// State returns, for each account, its newest report that was generated at the
// given time or before, and the outcome of the last run. The zero time means
// now. Outcomes only describe the present. For another time State returns none,
// and omits accounts without a report of that time.
func (f *Folder) State(at time.Time) ([]Account, error) {
	ids, err := f.Accounts()
	if err != nil {
		return nil, err
	}
	var all []Account
	for _, id := range ids {
		a := Account{ID: id}
		s, err := f.Newest(id, at)
		switch {
		case err == nil:
			a.Snapshot = &s
		case !errors.Is(err, ErrNone):
			a.Err = err
		case !at.IsZero():
			continue
		}
		if at.IsZero() {
			o, err := f.Outcome(id)
			if err == nil {
				a.Outcome = &o
			} else if !errors.Is(err, ErrNone) {
				a.Err = errors.Join(a.Err, err)
			}
		}
		all = append(all, a)
	}
	if !at.IsZero() {
		return all, nil
	}
	profiles, err := f.profiles()
	for _, o := range profiles {
		all = append(all, Account{ID: "profile " + o.Profile, Outcome: &o})
	}
	return all, err
}

// Missing lists the outcomes of the accounts whose report the last run did not
// get. They include suspended and closed accounts; see Status.Inactive.
func (f *Folder) Missing() ([]Outcome, error) {
	ids, err := f.Accounts()
	if err != nil {
		return nil, err
	}
	var all []Outcome
	for _, id := range ids {
		o, err := f.Outcome(id)
		switch {
		case errors.Is(err, ErrNone):
		case err != nil:
			return nil, err
		case !o.Status.HasReport():
			all = append(all, o)
		}
	}
	profiles, err := f.profiles()
	return append(all, profiles...), err
}

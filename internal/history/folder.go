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

// Folder is a folder of reports. It holds nothing open and may be used from
// several goroutines and processes at once.
type Folder struct{ dir string }

// Open returns the folder of reports at dir, which must be there.
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

// Create is Open, and makes the folder where there is none, for the user
// alone.
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

// Accounts lists every account the folder knows of, by a report or by an
// outcome, in the order of their numbers.
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

// Times lists when the account's reports were generated, oldest first, by
// their names alone. An account nobody knows has none.
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
// time or before; the zero time stands for the newest of all. Where there is
// none the error is ErrNone.
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

// Outcome returns the outcome of the last run that expected the account. If no
// run ever did the error is ErrNone.
func (f *Folder) Outcome(account string) (Outcome, error) {
	return f.readOutcome(account)
}

// readOutcome reads the outcome in a folder of this name: an account, or what
// stands for a profile.
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

// profiles reads the outcomes of profiles whose account is not known.
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

// Account holds the folder's knowledge of one account at some time.
type Account struct {
	// ID is twelve digits; or "profile NAME" for a profile whose credentials
	// failed, so that its account is not known.
	ID string
	// Snapshot is the newest report; nil where there is none, or it cannot be
	// read.
	Snapshot *Snapshot
	// Outcome is that of the last run; nil where none expected the account,
	// or it cannot be read.
	Outcome *Outcome
	// Err says what cannot be read.
	Err error
}

// Missing says that the last run expected a report of the account and got
// none, whatever older one there is: what the account is like today, nobody
// knows. What cannot be read is missing too.
func (a Account) Missing() bool {
	return a.Err != nil || a.Snapshot == nil && a.Outcome == nil || a.Outcome != nil && a.Outcome.Status.Incomplete()
}

// State tells what the folder knows of each account: its newest report that
// was generated at the given time or before, and how the last run went. The
// zero time stands for today; outcomes are of today only, so that for another
// time there are none, and accounts without a report of then are left out.
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

// Missing lists the outcomes of the accounts of which the last run got no
// report, also of those that are suspended or closed; see Status.Inactive.
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

package diff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/words"
	"rollcall/report"
)

// Report is a report that can be read more than once.
type Report struct {
	// Source must contain the time when the report was generated. If it has a
	// SHA-256, the content must match it. Otherwise the comparison sets it.
	Source audit.Source
	// Facts are the enrichment of the account. They may be nil.
	Facts *audit.Enrichment
	Open  func() (io.ReadCloser, error)
}

// File returns the report in the file at Source.Path.
func File(src audit.Source) Report {
	return Report{Source: src, Open: func() (io.ReadCloser, error) { return os.Open(src.Path) }}
}

// Series are the reports of one account.
type Series struct {
	// Account is its number. If it is "" it comes from the reports.
	Account string
	Name    string
	// Old and New are compared. Old is nil for an account without an older
	// report. Then all its findings are new, and there are no events.
	Old, New *Report
	// History contains reports, in any order, that show since when findings are
	// open. Reports that are not older than New are ignored.
	History []Report
}

// maxHistory is the number of reports of the history that are read, the newest
// ones. Each needs an open file and some 100 KiB of memory.
const maxHistory = 500

// member is a report of the series that was checked.
type member struct {
	Report
	orders             orders // the orders in which it is sorted; 0 for none
	rows               int
	columns            report.Columns
	account, partition string
}

func (m *member) name() string {
	if m.Source.Path != "" {
		return m.Source.Path
	}
	return "the report of " + words.Time(m.Source.Generated)
}

// fileError is an error about a file. The name of the file is not capitalized
// at the beginning of a sentence.
type fileError struct {
	path string
	err  error
}

func (e *fileError) Error() string { return e.path + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// look reads a report to its end, to check that it can be compared.
func look(ctx context.Context, r Report, account string, maxRows int) (*member, error) {
	m := &member{Report: r, orders: allOrders, account: account}
	if err := m.look(ctx, maxRows); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, m.failed(err)
	}
	return m, nil
}

// failed returns an error about the report with its name.
func (m *member) failed(err error) error {
	if m.Source.Path != "" {
		return &fileError{m.Source.Path, err}
	}
	return fmt.Errorf("%s: %w", m.name(), err)
}

func (m *member) look(ctx context.Context, maxRows int) error {
	if m.Source.Generated.IsZero() {
		return errors.New("the time it was generated is not known")
	}
	f, err := m.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	digest := sha256.New()
	rd, err := report.NewReader(io.TeeReader(f, digest))
	if err != nil {
		return err
	}
	m.columns = rd.Columns()
	if err := m.rowsOf(ctx, rd, maxRows); err != nil {
		return err
	}
	switch sum := hex.EncodeToString(digest.Sum(nil)); {
	case m.Source.SHA256 == "":
		m.Source.SHA256 = sum
	case !strings.EqualFold(sum, m.Source.SHA256):
		return errors.New("it is damaged: its SHA-256 differs from the saved one")
	}
	return nil
}

func (m *member) rowsOf(ctx context.Context, rd *report.Reader, maxRows int) error {
	var last key
	for ; ; m.rows++ {
		if m.rows%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var row report.Row
		var err error
		switch row.User, row.ARN, err = rd.ReadNames(); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case m.rows == maxRows:
			return fmt.Errorf("it has more than %d rows", maxRows)
		}
		if err := m.belongs(&row); err != nil {
			return fmt.Errorf("line %d: %w", rd.Line(), err)
		}
		k := keyOf(&row)
		if m.rows > 0 {
			var same bool
			if m.orders, same = m.orders.after(last, k); same {
				return fmt.Errorf("line %d: the user %.80q occurs twice", rd.Line(), row.User)
			}
		}
		last = k
	}
}

// belongs returns an error if a row belongs to another account.
func (m *member) belongs(row *report.Row) error {
	account, partition := row.AccountID(), row.Partition()
	switch {
	case row.User == "":
		return errors.New("the row has no user name")
	case account == "" || partition == "":
		return fmt.Errorf("the ARN %.80q names no account", row.ARN)
	case m.account == "":
		m.account = account
	case m.account != account:
		return fmt.Errorf("a row of account %s is in a report of account %s", account, m.account)
	}
	if m.partition == "" {
		m.partition = partition
	} else if m.partition != partition {
		return fmt.Errorf("a row of partition %s is in a report of %s", partition, m.partition)
	}
	return nil
}

// before returns the reports of the history that are older than New, oldest
// first, without the compared ones.
func (s *Series) before() []Report {
	var all []Report
	for _, r := range s.History {
		at := r.Source.Generated
		if at.IsZero() || !at.Before(s.New.Source.Generated) || s.Old != nil && at.Equal(s.Old.Source.Generated) {
			continue
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b Report) int { return a.Source.Generated.Compare(b.Source.Generated) })
	return all[max(0, len(all)-maxHistory):]
}

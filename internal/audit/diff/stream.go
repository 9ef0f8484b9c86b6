package diff

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"rollcall/internal/audit"
	"rollcall/report"
)

// MaxUnsorted says how many rows are held in memory where reports are in no
// order that is known: about 1 KiB for each.
const MaxUnsorted = 200_000

// entry is the part of one report about a user, or about itself as a whole.
type entry struct {
	key      key
	row      *report.Row // nil for the report as a whole
	class    audit.Class
	findings []audit.Finding
}

// stream gives the entries of one report in order.
type stream struct {
	*member
	head entry
	done bool
	pull func() (*audit.Row, error, bool)
	stop func()
	held []entry // where the report is not in order
	// summary is there when the stream is done.
	summary *audit.AccountSummary
}

var errStopped = errors.New("stopped")

// audited returns the rows of a report with their findings.
func (s *stream) audited(ctx context.Context, o audit.Options) iter.Seq2[*audit.Row, error] {
	return func(yield func(*audit.Row, error) bool) {
		err := s.audit(ctx, o, func(row *audit.Row) error {
			if !yield(row, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

func (s *stream) audit(ctx context.Context, o audit.Options, visit func(*audit.Row) error) error {
	f, err := s.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	auditor, err := audit.New(o)
	if err != nil {
		return err
	}
	s.summary, err = auditor.Audit(ctx, f, s.Source, s.Facts, visit)
	return err
}

// twice says that a report has a user twice, and so cannot be compared.
type twice struct{ error }

func isTwice(err error) bool {
	var t *twice
	return errors.As(err, &t)
}

// openStream begins to audit a report. One that is not sorted in the order is
// held in memory.
func openStream(ctx context.Context, m *member, order orders, o audit.Options) (*stream, error) {
	s := &stream{member: m, stop: func() {}}
	if m.orders&order == 0 {
		err := s.audit(ctx, o, func(row *audit.Row) error {
			e := entryOf(row)
			if row.Report != nil {
				copied := *row.Report
				e.row = &copied
			}
			e.findings = slices.Clone(e.findings)
			s.held = append(s.held, e)
			return nil
		})
		if err != nil {
			return nil, err
		}
		slices.SortFunc(s.held, func(a, b entry) int { return order.compare(a.key, b.key) })
		for i := range s.held[min(1, len(s.held)):] {
			if order.compare(s.held[i].key, s.held[i+1].key) == 0 {
				return nil, &twice{fmt.Errorf("%s: the user %.80q occurs twice", s.name(), s.held[i].key.name)}
			}
		}
	} else {
		s.pull, s.stop = iter.Pull2(s.audited(ctx, o))
	}
	return s, s.advance()
}

func entryOf(row *audit.Row) entry {
	return entry{key: keyOf(row.Report), row: row.Report, class: row.Class, findings: row.Findings}
}

// advance goes on to the next entry. The one before is no longer valid.
func (s *stream) advance() error {
	if s.pull == nil {
		if len(s.held) == 0 {
			s.done = true
			return nil
		}
		s.head, s.held = s.held[0], s.held[1:]
		return nil
	}
	row, err, ok := s.pull()
	switch {
	case err != nil:
		return err
	case !ok:
		s.done = true
	default:
		s.head = entryOf(row)
	}
	return nil
}

package diff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"rollcall/internal/ahead"
	"rollcall/internal/audit"
	"rollcall/report"
)

// MaxUnsorted is the number of rows that are held in memory if reports are in
// no known order. Each needs about 1 KiB.
const MaxUnsorted = 200_000

// entry is the part of one report about a user, or about the whole report.
type entry struct {
	key      key
	row      *report.Row // nil for the whole report
	class    audit.Class
	findings []audit.Finding
}

// stream returns the entries of one report in order.
type stream struct {
	*member
	head entry
	done bool
	// next returns the next row. The last one has an error, which is io.EOF at
	// the end. It is nil if the report is held in memory.
	next func() *judgedRow
	stop func()
	held []entry // used if the report is not in order
	// summary is set when the stream has ended.
	summary *audit.AccountSummary
}

var errStopped = errors.New("stopped")

// judgedRow is a row with its findings, or an error.
type judgedRow struct {
	row      report.Row
	whole    bool // the findings concern the whole report, and there is no row
	class    audit.Class
	findings []audit.Finding
	err      error
}

func (j *judgedRow) set(row *audit.Row) {
	if j.whole = row.Report == nil; !j.whole {
		j.row = *row.Report
	}
	j.class = row.Class
	j.findings = append(j.findings[:0], row.Findings...)
}

// judgeAhead audits in a separate goroutine.
func (s *stream) judgeAhead(ctx context.Context, o audit.Options) {
	q := ahead.Start(func(slot func() *judgedRow) {
		err := s.audit(ctx, o, func(row *audit.Row) error {
			to := slot()
			if to == nil {
				return errStopped
			}
			to.set(row)
			return nil
		})
		if to := slot(); to != nil {
			to.err = cmp.Or(err, io.EOF)
		}
	})
	s.next, s.stop = q.Next, q.Stop
}

// judgeInTurn audits a row each time one is requested, which needs less memory.
func (s *stream) judgeInTurn(ctx context.Context, o audit.Options) {
	o.ReadInTurn = true
	pull, stop := iter.Pull(func(yield func(*judgedRow) bool) {
		var judged judgedRow
		err := s.audit(ctx, o, func(row *audit.Row) error {
			judged.set(row)
			if !yield(&judged) {
				return errStopped
			}
			return nil
		})
		if !errors.Is(err, errStopped) {
			yield(&judgedRow{err: cmp.Or(err, io.EOF)})
		}
	})
	s.next = func() *judgedRow {
		judged, _ := pull()
		return judged
	}
	s.stop = stop
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

// twice says that a report contains a user twice, and so cannot be compared.
type twice struct{ error }

func (t *twice) Unwrap() error { return t.error }

func isTwice(err error) bool {
	var t *twice
	return errors.As(err, &t)
}

// openStream starts to audit a report. A report that is not sorted in the order
// is held in memory.
func openStream(ctx context.Context, m *member, order orders, o audit.Options) (*stream, error) {
	s := &stream{member: m, stop: func() {}}
	if m.orders&order == 0 {
		err := s.audit(ctx, o, func(row *audit.Row) error {
			var judged judgedRow
			judged.set(row)
			s.held = append(s.held, entryOf(&judged))
			return nil
		})
		if err != nil {
			return nil, err
		}
		slices.SortFunc(s.held, func(a, b entry) int { return order.compare(a.key, b.key) })
		for i := range s.held[min(1, len(s.held)):] {
			if order.compare(s.held[i].key, s.held[i+1].key) == 0 {
				return nil, &twice{s.failed(fmt.Errorf("the user %.80q occurs twice", s.held[i].key.name))}
			}
		}
	} else if o.EveryRow {
		s.judgeAhead(ctx, o)
	} else {
		s.judgeInTurn(ctx, o)
	}
	return s, s.advance()
}

func entryOf(j *judgedRow) entry {
	e := entry{class: j.class, findings: j.findings}
	if !j.whole {
		e.row = &j.row
	}
	e.key = keyOf(e.row)
	return e
}

// advance moves to the next entry. The previous one is then invalid.
func (s *stream) advance() error {
	if s.next == nil {
		if len(s.held) == 0 {
			s.done = true
			return nil
		}
		s.head, s.held = s.held[0], s.held[1:]
		return nil
	}
	judged := s.next()
	switch {
	case judged.err == io.EOF:
		s.done = true
	case judged.err != nil:
		return judged.err
	default:
		s.head = entryOf(judged)
	}
	return nil
}

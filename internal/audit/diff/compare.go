package diff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"rollcall/internal/audit"
	"rollcall/internal/words"
	"rollcall/report"
)

// Options say how to compare.
type Options struct {
	// Audit says how findings are judged. AsOf must be zero, because every
	// report is judged for the time when it was generated. Statuses and
	// EveryRow are ignored.
	Audit audit.Options
	// MaxUnsorted is the number of rows that may be held in memory if reports
	// are not in order; 0 means [MaxUnsorted].
	MaxUnsorted int
}

// work is the comparison of one account.
type work struct {
	out     *Account
	options Options
	params  audit.Params
	visit   func(*Change) error
	// members are sorted by time. old and new are the indexes of the compared
	// reports; old is -1 if there is none.
	members  []*stream
	old, new int
	order    orders

	severities map[audit.EventKind]audit.Severity
	renames    renames

	// The memory of the last change, which the next one reuses.
	events   []Event
	findings []Finding
	seen     []identity
}

// Compare compares the reports of one account. It calls visit for every user
// with events or findings, in the order of the reports: root first, and the
// changes of the whole report last.
//
// Errors come from the context, the options and the visit. The result says why
// an account cannot be compared.
func Compare(ctx context.Context, s Series, o Options, visit func(*Change) error) (*Account, error) {
	w, err := newWork(&s, o, visit)
	if err != nil {
		return nil, err
	}
	reports, err := w.look(ctx, &s)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		w.out.problem(audit.Problem{Text: sentence(err)})
		return w.out, nil
	}
	defer w.close()
	switch err := w.open(ctx, reports); {
	case isTwice(err):
		w.out.problem(audit.Problem{Text: sentence(err)})
		return w.out, nil
	case err != nil:
		return nil, err
	}
	if err := w.run(); err != nil {
		return nil, err
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	return w.out, nil
}

// sentence returns an error as a sentence.
func sentence(err error) string {
	text := err.Error()
	var of *fileError
	if errors.As(err, &of) && strings.HasPrefix(text, of.path) {
		return text + "."
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func newWork(s *Series, o Options, visit func(*Change) error) (*work, error) {
	w := &work{
		out: &Account{Account: s.Account, Name: s.Name}, options: o, visit: visit, old: -1,
		severities: map[audit.EventKind]audit.Severity{}, renames: newRenames(),
	}
	for _, e := range audit.Events() {
		w.severities[e.Kind] = e.Severity
	}
	if w.options.MaxUnsorted == 0 {
		w.options.MaxUnsorted = MaxUnsorted
	}
	if w.options.Audit.MaxRows == 0 {
		w.options.Audit.MaxRows = audit.DefaultMaxRows
	}
	w.options.Audit.Top = -1
	w.options.Audit.Statuses = audit.SetOf(audit.Fail, audit.Warn, audit.NoData, audit.Manual)
	benchmark, _ := audit.FindBenchmark(audit.DefaultBenchmark)
	if o.Audit.Benchmark != nil {
		benchmark = o.Audit.Benchmark
	}
	if w.params = benchmark.Params; o.Audit.Params != nil {
		w.params = *o.Audit.Params
	}
	_, err := audit.New(w.options.Audit) // check the options
	return w, err
}

// look checks all reports and returns them sorted by time, with old and new at
// their places. It returns an error if old or new cannot be compared. Errors in
// the history become notes.
func (w *work) look(ctx context.Context, s *Series) ([]*member, error) {
	maxRows := w.options.Audit.MaxRows
	if s.New == nil {
		return nil, errors.New("there is no new report")
	}
	var first *member
	var firstErr error
	var looking sync.WaitGroup
	if s.Old != nil {
		looking.Go(func() { first, firstErr = look(ctx, *s.Old, s.Account, maxRows) })
	}
	last, err := look(ctx, *s.New, s.Account, maxRows)
	looking.Wait()
	if err != nil {
		return nil, err
	}
	w.out.New, w.out.Account, w.out.Partition = last.Source, last.account, last.partition
	w.order = last.orders
	if s.Old != nil {
		if firstErr != nil {
			return nil, firstErr
		}
		w.out.Old = first.Source
		switch {
		case first.account != last.account && first.rows > 0 && last.rows > 0:
			return nil, fmt.Errorf("the reports are of different accounts, %s and %s", first.account, last.account)
		case first.partition != last.partition && first.rows > 0 && last.rows > 0:
			return nil, fmt.Errorf("the reports are of partitions %s and %s", first.partition, last.partition)
		case first.Source.Generated.After(last.Source.Generated):
			return nil, fmt.Errorf("the old report, of %s, is newer than the new one, of %s",
				words.Time(first.Source.Generated), words.Time(last.Source.Generated))
		}
		w.order &= first.orders
		w.columns(first.columns, last.columns)
	}
	if w.order = w.order.one(); w.order == 0 {
		w.order = asLower
	}
	return w.history(ctx, s, first, last)
}

// columns finds the columns that only one report has.
func (w *work) columns(old, new report.Columns) {
	for _, name := range report.Columns22.Names() {
		if old.Has(name) != new.Has(name) {
			w.out.NotCompared = append(w.out.NotCompared, name)
		}
	}
}

// history adds the reports of the history, as many as the memory allows.
func (w *work) history(ctx context.Context, s *Series, first, last *member) ([]*member, error) {
	free := w.options.MaxUnsorted
	for _, m := range [...]*member{last, first} {
		if m == nil || m.orders&w.order != 0 {
			continue
		}
		if free -= m.rows; free < 0 {
			return nil, fmt.Errorf(
				"%s: it is not in the order of its users' names, as AWS writes reports, and has more than the %d "+
					"rows that can be sorted in memory",
				m.name(), w.options.MaxUnsorted)
		}
	}
	var all []*member
	left := 0
	for _, r := range slices.Backward(s.before()) {
		m, err := look(ctx, r, last.account, w.options.Audit.MaxRows)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			w.note("A report of the history was left out: " + err.Error() + ".")
			continue
		case m.orders&w.order == 0 && m.rows > free:
			left++
			continue
		case m.orders&w.order == 0:
			free -= m.rows
		}
		all = append(all, m)
	}
	if left > 0 {
		w.note("The history lacks " + words.Count(left, "report") +
			" whose rows are not in the order of the users' names.")
	}
	w.out.History = len(all)
	slices.Reverse(all)
	if first != nil {
		at, _ := slices.BinarySearchFunc(all, first, func(a, b *member) int {
			return a.Source.Generated.Compare(b.Source.Generated)
		})
		all, w.old = slices.Insert(all, at, first), at
	}
	w.new = len(all)
	return append(all, last), nil
}

const maxNotes = 20

func (w *work) note(text string) {
	if len(w.out.Notes) < maxNotes {
		w.out.Notes = append(w.out.Notes, text)
	}
}

// open starts to audit all reports.
func (w *work) open(ctx context.Context, all []*member) error {
	old, new := w.old, w.new
	for i, m := range all {
		o := w.options.Audit
		o.EveryRow = i == old || i == new
		s, err := openStream(ctx, m, w.order, o)
		if isTwice(err) && !o.EveryRow {
			w.note("A report of the history was left out: " + err.Error() + ".")
			w.out.History--
			continue
		}
		if s != nil {
			w.members = append(w.members, s)
		}
		if err != nil {
			return err
		}
		switch i {
		case old:
			w.old = len(w.members) - 1
		case new:
			w.new = len(w.members) - 1
		}
	}
	w.out.Status = First
	if w.old >= 0 {
		w.out.Status = Compared
	}
	return nil
}

func (w *work) close() {
	for _, s := range w.members {
		s.stop()
	}
}

// run reads the reports side by side.
func (w *work) run() error {
	at := make([]*entry, len(w.members))
	for {
		least := w.least(at)
		if least < 0 {
			return nil
		}
		if err := w.user(at); err != nil {
			return err
		}
		for i, e := range at {
			if e == nil {
				continue
			}
			if err := w.members[i].advance(); err != nil {
				return err
			}
		}
	}
}

// least finds the next user and the user's entries in the reports. It returns
// the index of a report with such an entry, -1 at the end.
func (w *work) least(at []*entry) int {
	least := -1
	for i, s := range w.members {
		at[i] = nil
		if s.done {
			continue
		}
		c := -1
		if least >= 0 {
			c = w.order.compare(s.head.key, w.members[least].head.key)
		}
		if c < 0 {
			clear(at[:i])
			least = i
		}
		if c <= 0 {
			at[i] = &s.head
		}
	}
	return least
}

// user compares the entries of one user.
func (w *work) user(at []*entry) error {
	var old *entry
	if w.old >= 0 {
		old = at[w.old]
	}
	new := at[w.new]
	if old == nil && new == nil {
		return nil // the user is only in the history
	}
	change := Change{Account: w.out}
	shown := new
	if new == nil {
		shown = old
	}
	change.Class = shown.class
	if shown.row != nil {
		change.User, change.ARN = shown.row.User, shown.row.ARN
	}
	if w.old >= 0 {
		w.unreadable(old)
		change.Events = w.compareEvents(old, new, shown.key.rank)
	}
	w.unreadable(new)
	f := findings{work: w, at: at, old: old, new: new}
	change.Findings = f.compare()
	if len(change.Events) == 0 && len(change.Findings) == 0 {
		return nil
	}
	return w.give(&change)
}

func (w *work) give(change *Change) error {
	w.out.Counts.add(change)
	if w.visit == nil {
		return nil
	}
	return w.visit(change)
}

func (w *work) compareEvents(old, new *entry, of rank) []Event {
	c := comparison{made: w.out.Old.Generated.Unix(), unused: days(w.params.UnusedDays), severities: w.severities,
		events: w.events[:0]}
	if old != nil {
		c.old = side{old.row, old.class}
	}
	if new != nil {
		c.new = side{new.row, new.class}
	}
	if of == rankReport {
		return nil
	}
	if c.old.row == nil || c.new.row == nil {
		if of == rankRoot {
			w.out.problem(audit.Problem{Text: "Only one of the reports has a row for root."})
			return nil
		}
		w.renames.remember(&c)
	}
	w.events = c.compare()
	return w.events
}

// unreadable records cells that cannot be compared.
func (w *work) unreadable(e *entry) {
	if e == nil || e.row == nil {
		return
	}
	for _, cell := range e.row.Unreadable {
		if slices.Contains(compared, cell.Column) {
			w.out.problem(audit.Problem{
				Column: cell.Column,
				Text:   fmt.Sprintf("User %.80q: %s cannot be read, %.80q.", e.row.User, cell.Column, cell.Text),
			})
		}
	}
}

// compared are the columns that events and findings depend on.
var compared = report.Columns22.Names()

// end completes the result.
func (w *work) end() error {
	for _, e := range w.renames.found() {
		e.event.Severity = w.severities[e.event.Kind]
		change := Change{Account: w.out, User: e.user, ARN: e.arn, Events: []Event{e.event}}
		if err := w.give(&change); err != nil {
			return err
		}
	}
	if w.renames.full {
		w.note("So many users are gone or new that renames were not looked for.")
	}
	for _, s := range w.members {
		if s.summary.Stats.Rows != s.rows {
			return fmt.Errorf("%s: it changed while it was read", s.name())
		}
	}
	summary := w.members[w.new].summary
	w.out.New = summary.Source
	for _, p := range summary.Problems {
		w.out.problem(p)
	}
	if n := summary.Counts.Total[audit.NoData]; n > 0 && w.out.ProblemCount == 0 {
		w.out.problem(audit.Problem{Text: "The new report has " + words.Count(n, "verdict") + " of NO_DATA."})
	}
	return nil
}

package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/audit/diff/show"
	"rollcall/internal/store"
	"rollcall/internal/words"
)

const (
	historyPath = "/console/report/history"
	comparePath = "/console/report/compare"
)

// maxSummed is the size of reports whose SHA-256 the list computes where it is
// not known yet. That of a larger one is known once it was downloaded.
const maxSummed = 1 << 20

// historyView is the data of the list of reports.
type historyView struct {
	Reports  []historyRow
	Pages    pages
	Old, New choice
	// Day is the initial value of the date field.
	Day string
}

type historyRow struct {
	Made               moment
	Users, Size        string
	SHA256             string
	Link, CSV, Compare string
}

func (c *Console) history(v *visit) error {
	of, err := v.report(time.Time{})
	if err != nil {
		return err
	}
	var s historyView
	if of == nil {
		return v.show(s.html())
	}
	page, err := v.number("page", maxListed)
	if err != nil {
		return err
	}
	const per = 50
	last := (len(of.history) + per - 1) / per
	page = min(max(1, page), last)
	from := (page - 1) * per
	for i := from; i < min(len(of.history), from+per); i++ {
		r := of.history[i]
		if r.SHA256 == "" && r.Size <= maxSummed {
			if r.SHA256, err = v.iam.Sum(v.r.Context(), r); err != nil {
				return err
			}
		}
		row := historyRow{
			Made: v.when(&r.Generated, ""), Users: thousands(int(r.Users)), Size: bytesInWords(r.Size),
			SHA256: r.SHA256,
			Link:   link(reportPath, "at", stamp(&r)), CSV: link(reportCSVPath, "at", stamp(&r)),
		}
		if i+1 < len(of.history) {
			row.Compare = link(comparePath, "old", stamp(&of.history[i+1]), "new", stamp(&r))
		}
		s.Reports = append(s.Reports, row)
	}
	s.Pages = v.pagesOf(page, last, from, len(s.Reports), len(of.history))
	s.Old, s.New = sides(of.history, 1, 0)
	s.Day = of.Generated.Format("2006-01-02T15:04")
	return v.show(s.html())
}

// sides returns the two choices of reports to compare.
func sides(history []store.Report, old, new int) (choice, choice) {
	var all []option
	for i := range history {
		text := stamp(&history[i]) + ", " + counted(int(history[i].Users), "row")
		all = append(all, option{stamp(&history[i]), text, false})
	}
	at := func(i int) string { return stamp(&history[min(max(0, i), len(history)-1)]) }
	return chooseFrom("old", "Older report", at(old), all), chooseFrom("new", "Newer report", at(new), all)
}

// compareView is the data of a comparison.
type compareView struct {
	Old, New  choice
	Benchmark choice
	Outcome   string
	Span      string
	Problems  []string
	Notes     []string
	Groups    []compareGroup
	Events    []compareLine
	More      int    // number of events that are not listed
	Uses      string // ordinary uses, counted
}

// compareGroup holds findings in one state, the worst first.
type compareGroup struct {
	Title, Class string
	Lines        []compareLine
	More         int
	Folded       bool
}

type compareLine struct {
	User, Link string
	Credential string
	Severity   string
	Control    string
	What       string
}

func (c *Console) compare(v *visit) error {
	b, err := v.benchmark()
	if err != nil {
		return err
	}
	old, new, err := v.twoReports()
	if err != nil {
		return err
	}
	if old == nil || new == nil {
		return v.show(compareView{}.html())
	}
	if old.Token == new.Token {
		return &problem{Status: http.StatusBadRequest, Text: "Choose two reports: these are one and the same."}
	}
	if old.Generated.After(new.Generated) {
		old, new = new, old
	}
	found, err := v.comparison(&old.Report, &new.Report, b)
	if errors.Is(err, errNotYet) {
		return v.wait("The reports are being compared.")
	}
	if err != nil {
		return err
	}
	s := compareView{Benchmark: v.benchmarks(b)}
	index := func(r *store.Report) int {
		return slices.IndexFunc(old.history, func(o store.Report) bool { return o.Token == r.Token })
	}
	s.Old, s.New = sides(old.history, index(&old.Report), index(&new.Report))
	v.fillComparison(&s, found, stamp(&new.Report))
	return v.show(s.html())
}

// twoReports reads the two reports in the query as the person. The defaults are
// the newest and the previous one. There may be none.
func (v *visit) twoReports() (old, new *chosen, err error) {
	if new, err = v.oneOfTwo("new", time.Time{}); err != nil || new == nil {
		return nil, nil, err
	}
	var since time.Time
	if before := new.before(); before != nil {
		since = before.Generated
	} else if v.query("old") == "" {
		return nil, new, nil
	}
	old, err = v.oneOfTwo("old", since)
	return old, new, err
}

func (v *visit) oneOfTwo(name string, otherwise time.Time) (*chosen, error) {
	at, err := v.at(name)
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		return v.report(otherwise)
	}
	of, err := v.report(at)
	if of == nil && err == nil {
		err = &problem{
			Status: http.StatusNotFound,
			Text:   "No report is kept from that time or before: " + v.query(name),
		}
	}
	return of, err
}

type comparisonKey struct {
	judgedKey
	old int64 // the token of the older report
}

// comparison holds the changes between two reports that a page lists.
type comparison struct {
	account  *diff.Account
	findings [diff.NumStates]worst[diff.Finding]
	events   worst[event]
	uses     map[audit.EventKind]int
}

type event struct {
	diff.Event
	user string
}

// listed limits the number of findings in each state.
var listed = [diff.NumStates]int{
	diff.New:     60,
	diff.Worse:   30,
	diff.Unknown: 20,
	diff.Open:    0,
	diff.Excused: 20,
	diff.Fixed:   30,
}

const listedEvents = 80

func (v *visit) comparison(old, new *store.Report, b *audit.Benchmark) (*comparison, error) {
	key := comparisonKey{judgedKey{new.Account, new.Token, b.ID}, old.Token}
	c, one, two := v.Console, *old, *new
	work := func(ctx context.Context) (*comparison, int64, error) {
		found, err := c.readComparison(ctx, &one, &two, b)
		return found, 300 << 10, err
	}
	return shelved(v, key, patience(old, new), work)
}

func (c *Console) readComparison(ctx context.Context, old, new *store.Report, b *audit.Benchmark) (*comparison, error) {
	o, err := c.options(b)
	if err != nil {
		return nil, err
	}
	found := &comparison{uses: map[audit.EventKind]int{}}
	s := diff.Series{Account: new.Account, Old: c.comparable(ctx, old), New: c.comparable(ctx, new)}
	found.account, err = diff.Compare(ctx, s, diff.Options{Audit: o}, found.add)
	if err != nil {
		return nil, err
	}
	for state := range found.findings {
		found.findings[state].cut(listed[state])
	}
	found.events.cut(listedEvents)
	return found, nil
}

func (c *comparison) add(change *diff.Change) error {
	for _, e := range change.Events {
		if e.Severity <= audit.Low && show.Usual(e.Kind) != "" {
			c.uses[e.Kind]++
			continue
		}
		c.events.add(event{e, change.User}, e.Severity, listedEvents)
	}
	for _, f := range change.Findings {
		f.User = cmp.Or(f.User, change.User)
		c.findings[f.State].add(f, f.Severity, listed[f.State])
	}
	return nil
}

// worst keeps the most severe of many values, in their original order.
type worst[T any] struct {
	all   []weighed[T]
	total int
}

type weighed[T any] struct {
	value    T
	severity audit.Severity
}

func (w *worst[T]) add(value T, severity audit.Severity, most int) {
	w.total++
	if most == 0 {
		return
	}
	if w.all = append(w.all, weighed[T]{value, severity}); len(w.all) >= 2*most {
		w.cut(most)
	}
}

func (w *worst[T]) cut(most int) {
	slices.SortStableFunc(w.all, func(a, b weighed[T]) int { return cmp.Compare(b.severity, a.severity) })
	w.all = w.all[:min(len(w.all), most)]
}

func (w *worst[T]) more() int { return w.total - len(w.all) }

// fillComparison shows the new findings first, and ordinary uses as numbers.
func (v *visit) fillComparison(s *compareView, c *comparison, at string) {
	a := c.account
	s.Outcome = show.Outcome(&a.Counts)
	s.Span = words.Time(a.Old.Generated) + " to " + words.Time(a.New.Generated)
	for _, p := range a.Problems {
		s.Problems = append(s.Problems, p.Text)
	}
	s.Notes = a.Notes
	for state := range diff.State(diff.NumStates) {
		of := &c.findings[state]
		if of.total == 0 {
			continue
		}
		g := compareGroup{
			Title: fmt.Sprintf("%s: %s", show.Heading(state), thousands(of.total)), More: of.more(),
			Class:  [...]string{"fail", "fail", "no-data", "", "excused", "pass"}[state],
			Folded: state != diff.New && state != diff.Worse,
		}
		for _, one := range of.all {
			g.Lines = append(g.Lines, v.compareLine(&one.value, at))
		}
		s.Groups = append(s.Groups, g)
	}
	titles := show.Titles()
	for _, one := range c.events.all {
		e := &one.value
		s.Events = append(s.Events, compareLine{
			User: e.user, Link: v.rowLink(e.user, at), Credential: e.Credential.ID(), Severity: e.Severity.String(),
			What: show.What(&e.Event, titles),
		})
	}
	s.More = c.events.more()
	s.Uses = usesInWords(c.uses)
}

func (v *visit) compareLine(f *diff.Finding, at string) compareLine {
	return compareLine{
		User: f.User, Link: v.rowLink(f.User, at), Credential: f.Credential.ID(), Severity: f.Severity.String(),
		Control: string(f.Control.ID), What: show.Why(f),
	}
}

// rowLink returns the address of a user's row. It returns "" if the finding
// concerns the whole report.
func (v *visit) rowLink(user, at string) string {
	if user == "" {
		return ""
	}
	return link(reportUserPath, "name", user, "at", at, "benchmark", v.query("benchmark"))
}

// usesInWords counts the ordinary uses of credentials.
func usesInWords(uses map[audit.EventKind]int) (text string) {
	for _, e := range audit.Events() {
		if n := uses[e.Kind]; n > 0 {
			if text != "" {
				text += ", "
			}
			text += thousands(n) + " × " + show.Usual(e.Kind)
		}
	}
	return text
}

package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"rollcall/internal/fleet"
	"rollcall/internal/history"
	"rollcall/internal/reports"
	"rollcall/internal/words"
	"rollcall/report"
)

// Verification is the result of comparing decisions with later reports.
type Verification struct {
	Kind       string    `json:"kind"`
	Version    int       `json:"version"`
	Freeze     string    `json:"freeze"`
	VerifiedAt time.Time `json:"verified_at"`
	Command    string    `json:"command"`
	// Reports are the later reports that decided. The review has copies of
	// them.
	Reports []Obtained `json:"reports"`
	// Checks are the checks of revocations, changes and exceptions, in this
	// order.
	Checks []Check `json:"checks"`
}

// Outcome is the outcome of a decision.
type Outcome string

// These are the outcomes.
const (
	Done    Outcome = "done"     // a later report shows it
	Pending Outcome = "open"     // not done, and there is time left
	Overdue Outcome = "overdue"  // not done, and the deadline has passed
	Lapsed  Outcome = "lapsed"   // an exception has expired, and what it excused still exists
	Unknown Outcome = "unknown"  // no later report shows it
	InForce Outcome = "in force" // an exception that has not expired
)

// Punctual says whether a decision was carried out within its deadline.
type Punctual string

// These are the answers.
const (
	InTime      Punctual = "yes"
	Late        Punctual = "no"
	NotShown    Punctual = "not shown" // the deadline is between two reports
	NotPunctual Punctual = ""          // it is not done
)

// Check compares one decision with later reports.
type Check struct {
	Line     string   `json:"line"`
	Decision Decision `json:"decision"`
	Title    string   `json:"title"`
	// Deadline is the deadline of a revocation or a change, or the end of an
	// exception.
	Deadline time.Time `json:"deadline"`
	Outcome  Outcome   `json:"outcome"`
	InTime   Punctual  `json:"in_time"`
	// Since is the time of the last report that does not show it, and ShownAt the
	// time of the first one that does.
	Since   time.Time `json:"not_before,omitzero"`
	ShownAt time.Time `json:"shown_at,omitzero"`
	How     string    `json:"how"`
}

// later is a report that was generated after the frozen one.
type later struct {
	at      time.Time
	content func() ([]byte, error)
	meta    history.Meta
	used    bool
	sight   map[string]seen // by line
}

// seen is the state of an item in a report.
type seen struct {
	state seenState
	how   string
	// changed says that an existing item is different.
	changed bool
}

type seenState uint8

const (
	seenUnknown seenState = iota
	seenThere             // active, or a user
	seenOff               // a key or a certificate that is inactive
	seenGone
)

// Verify looks for the results of the decisions in later reports. It saves the
// outcome and the reports that decide in the review.
func (r *Review) Verify(ctx context.Context, found []reports.Report, command string, now time.Time) (*Verification,
	error) {
	decisions, err := r.Decisions()
	if err != nil {
		return nil, err
	}
	v := &Verification{Kind: verifiedKind, Version: version, Freeze: r.Freeze, Command: command,
		VerifiedAt: now.UTC().Truncate(time.Second), Reports: []Obtained{}, Checks: []Check{}}
	later, err := indexLater(found)
	if err != nil {
		return nil, err
	}
	items := r.byAccount()
	for n := range r.Manifest.Accounts {
		a := &r.Manifest.Accounts[n]
		if a.Report == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		all, why := later.of(a, now)
		if err := lookInto(all, items[a.Account], decisions); err != nil {
			return nil, err
		}
		r.check(v, all, a, items[a.Account], decisions, why)
		if err := r.keepLater(v, all); err != nil {
			return nil, err
		}
	}
	rank := []Verb{Revoke, Change, Exception}
	slices.SortStableFunc(v.Checks, func(a, b Check) int {
		return cmp.Compare(slices.Index(rank, a.Decision.Verb), slices.Index(rank, b.Decision.Verb))
	})
	text, err := encode(v)
	if err != nil {
		return nil, err
	}
	return v, r.write(verifiedFile, text)
}

// laterReports are reports by their accounts.
type laterReports struct {
	all map[string][]*later
	// why holds the reasons why accounts have no report.
	why map[string]string
}

// indexLater finds the accounts of reports.
func indexLater(found []reports.Report) (*laterReports, error) {
	x := &laterReports{map[string][]*later{}, map[string]string{}}
	for n := range found {
		of := &found[n]
		for k := range of.Snapshots {
			s := of.Snapshots[k]
			x.all[s.Account] = append(x.all[s.Account], &later{at: s.GeneratedAt, content: s.Read, meta: s.Meta})
		}
		if len(of.Snapshots) > 0 {
			continue
		}
		if err := of.Prepare(false); err != nil {
			return nil, err
		}
		if of.Missing != "" {
			x.why[of.Source.Account] = words.Sentence(of.Missing)
			continue
		}
		content, err := contentOf(of)
		if err != nil {
			return nil, err
		}
		account := accountOf(content)
		x.all[account] = append(x.all[account], &later{
			at: of.Source.Generated, content: func() ([]byte, error) { return content, nil },
			meta: history.Meta{Account: account, GeneratedAt: of.Source.Generated, FetchedAt: of.Source.Fetched,
				Source: of.Source.Origin},
		})
	}
	return x, nil
}

// of returns the reports of an account that are later than the frozen one, oldest
// first, or the reason why there is none. A report of the future shows nothing: its
// date is wrong.
func (x *laterReports) of(a *Account, now time.Time) (all []*later, why string) {
	for _, l := range x.all[a.Account] {
		switch {
		case l.at.After(now.Add(fleet.ClockSkew)):
			why = "The later report is dated " + words.Time(l.at) + ", which is in the future."
		case l.at.After(a.Report.GeneratedAt):
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *later) int { return a.at.Compare(b.at) })
	return all, cmp.Or(x.why[a.Account], why, "There is no later report of the account.")
}

// byAccount returns the items of each account.
func (r *Review) byAccount() map[string][]*Item {
	all := map[string][]*Item{}
	for n := range r.Items {
		i := &r.Items[n]
		all[i.Account] = append(all[i.Account], i)
	}
	return all
}

// accountOf returns the account that the first row names.
func accountOf(content []byte) (account string) {
	_ = eachRow(content, func(row *report.Row) error {
		account = cmp.Or(account, row.AccountID())
		return nil
	})
	return account
}

// lookInto finds the state of the decided items in each report. A damaged report
// shows no state.
func lookInto(all []*later, items []*Item, decisions map[string]Decision) error {
	known := map[string]bool{} // ARNs of the frozen report
	var wanted []*Item
	for _, i := range items {
		known[i.ARN] = true
		if d, ok := decisions[i.Line]; ok && d.Verb != Keep {
			wanted = append(wanted, i)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	for _, l := range all {
		content, err := l.content()
		if err != nil {
			return err
		}
		l.meta.SHA256 = sumOf(content)
		rows, err := rowsFor(content, wanted, known)
		l.sight = make(map[string]seen, len(wanted))
		for _, i := range wanted {
			if err != nil {
				l.sight[i.Line] = seen{how: "The report is damaged: " + words.Sentence(err.Error())}
				continue
			}
			l.sight[i.Line] = rows.see(i)
		}
	}
	return nil
}

// check judges the decisions about an account.
func (r *Review) check(v *Verification, all []*later, a *Account, items []*Item, decisions map[string]Decision,
	why string) {
	for _, i := range items {
		d, ok := decisions[i.Line]
		if !ok || d.Verb == Keep {
			continue
		}
		c := r.newCheck(i, d, why)
		if len(all) > 0 {
			c.judge(i, all, a.Report.GeneratedAt)
		}
		v.Checks = append(v.Checks, c)
	}
}

// newCheck returns the check of a decision before any report is read.
func (r *Review) newCheck(i *Item, d Decision, why string) Check {
	c := Check{Line: i.Line, Decision: d, Title: i.Title(), Outcome: Unknown, How: why,
		Deadline: d.At.AddDate(0, 0, r.Manifest.RevokeWithinDays)}
	if d.Verb == Exception {
		if end, err := time.Parse(time.DateOnly, d.Expires); err == nil {
			c.Deadline = end.AddDate(0, 0, 1).Add(-time.Second) // it excuses the whole day
		}
	}
	return c
}

// judge decides one check by the newest report, and finds the time since when.
func (c *Check) judge(i *Item, all []*later, frozen time.Time) {
	newest := all[len(all)-1]
	newest.used = true
	at := newest.sight[i.Line]
	c.How = at.how
	if at.state == seenUnknown {
		return
	}
	if !c.done(i, at) {
		c.Outcome = Pending
		if newest.at.After(c.Deadline) {
			c.Outcome = Overdue
		}
		if c.Decision.Verb == Exception {
			c.Outcome = map[Outcome]Outcome{Pending: InForce, Overdue: Lapsed}[c.Outcome]
		}
		c.Since = newest.at
		return
	}
	c.Outcome, c.Since = Done, frozen
	first := len(all) - 1
	for first > 0 && c.done(i, all[first-1].sight[i.Line]) {
		first--
	}
	all[first].used = true
	c.ShownAt, c.How = all[first].at, all[first].sight[i.Line].how
	for k := first - 1; k >= 0; k-- { // a report without the state is not evidence
		if all[k].sight[i.Line].state != seenUnknown {
			all[k].used, c.Since = true, all[k].at
			break
		}
	}
	switch {
	case !c.ShownAt.After(c.Deadline):
		c.InTime = InTime
	case c.Since.After(c.Deadline):
		c.InTime = Late
	default:
		c.InTime = NotShown
	}
}

// done reports whether a report shows that the decision was carried out. An
// inactive key is revoked if it was active; one that was inactive must be gone.
// A change is done if anything about the item is different.
func (c *Check) done(i *Item, s seen) bool {
	switch s.state {
	case seenGone:
		return true
	case seenOff:
		return i.State != stateInactive
	}
	return c.Decision.Verb == Change && s.changed
}

// keepLater copies the reports that decide into the review.
func (r *Review) keepLater(v *Verification, all []*later) error {
	for _, l := range all {
		if !l.used {
			continue
		}
		content, err := l.content()
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s/%s/%s.csv", laterDir, l.meta.Account, history.Name(l.at))
		if err := r.write(name, content); err != nil {
			return err
		}
		v.Reports = append(v.Reports, Obtained{File: name, SHA256: sumOf(content), Bytes: len(content),
			GeneratedAt: l.at, FetchedAt: l.meta.FetchedAt, Source: l.meta.Source, Endpoint: l.meta.Endpoint,
			Caller: l.meta.Caller, Role: l.meta.Role, Command: l.meta.Command})
	}
	return nil
}

// Count returns how many checks of a decision have an outcome.
func (v *Verification) Count(verb Verb, outcome Outcome) (n int) {
	for i := range v.Checks {
		if v.Checks[i].Decision.Verb == verb && v.Checks[i].Outcome == outcome {
			n++
		}
	}
	return n
}

// Total returns how many checks of a decision there are.
func (v *Verification) Total(verb Verb) (n int) {
	for i := range v.Checks {
		if v.Checks[i].Decision.Verb == verb {
			n++
		}
	}
	return n
}

// Failed returns the number of decisions that were not carried out in time, and
// the number of decisions with an unknown result.
func (v *Verification) Failed() (failed, unknown int) {
	for i := range v.Checks {
		switch c := &v.Checks[i]; {
		case c.Outcome == Overdue, c.Outcome == Lapsed, c.Outcome == Done && c.InTime == Late:
			failed++
		case c.Outcome == Unknown:
			unknown++
		}
	}
	return failed, unknown
}

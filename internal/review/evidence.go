package review

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rollcall/internal/look"
	"rollcall/internal/words"
)

// These are the numbers of lines that the evidence lists. The ZIP file has the
// others.
const (
	mostItems = 5000
	mostKept  = 200
)

// evidence is the data of the page.
type evidence struct {
	M                          *Manifest
	S                          *Status
	V                          *Verification
	Freeze, OnSheets           string
	Program, Zip               string
	At                         time.Time
	Policy                     string
	Style                      string
	Verdict                    verdict
	Cadence, List              string
	Namespace                  string
	Verbs                      []verbCount
	Answers                    []questionAnswer
	Reviewers                  []evidenceReviewer
	Sections                   []checkSection
	Kept                       []keptRow
	Gone                       []Gone
	MoreKept, MoreGone         int
	Tables                     []decisionTable
	MoreItems                  int
	decisions                  map[string]Decision
	failed, unknown, unchecked int
}

type verdict struct{ Class, Text string }

type verbCount struct {
	Name string
	N    int
}

type questionAnswer struct{ Question, Text, Class string }

type evidenceReviewer struct {
	Answered
	When, Class, File, SHA256 string
}

type checkSection struct {
	Title string
	Rows  []Check
}

type keptRow struct {
	Times      int
	Title, Why string
	fails      bool
}

type decisionTable struct {
	Account, Name string
	Rows          []decisionRow
}

type decisionRow struct {
	User, What, State, LastUsed, Audit, Decision, Class, Until, By, Reason string
	Fails                                                                  bool
}

// WriteEvidence writes the page of evidence, which needs no network and no script.
func (r *Review) WriteEvidence(w io.Writer, program, zip string, now time.Time) error {
	e, err := r.evidence(program, zip, now)
	if err != nil {
		return err
	}
	own, err := pageFiles.ReadFile("page/evidence.css")
	if err != nil {
		return err
	}
	e.Style = look.CSS + string(own)
	e.Policy = "default-src 'none'; style-src " + look.Hash([]byte(e.Style)) + "; base-uri 'none'; form-action 'none'"
	return e.html().Render(context.Background(), w)
}

func (r *Review) evidence(program, zip string, now time.Time) (*evidence, error) {
	e := &evidence{M: r.Manifest, Freeze: r.Freeze, OnSheets: r.ShortFreeze(), Program: program, Zip: zip, At: now.UTC(),
		Namespace: namespace, List: r.Manifest.AccountList.text()}
	var err error
	if e.S, err = r.Status(now); err != nil {
		return nil, err
	}
	if e.decisions, err = r.Decisions(); err != nil {
		return nil, err
	}
	if e.V, err = r.Verification(); err != nil {
		return nil, err
	}
	if err := e.reviewers(r); err != nil {
		return nil, err
	}
	if err := e.gone(r); err != nil {
		return nil, err
	}
	e.checks(r)
	e.kept(r)
	e.tables(r)
	e.cadence()
	e.answers()
	return e, nil
}

// text describes the source of the list of accounts.
func (l *AccountList) text() string {
	at := words.Time(l.ReadAt)
	switch l.Source {
	case "organization":
		return fmt.Sprintf("The accounts were compared with those of the organization %s, listed on %s by %s.", l.Name, at,
			l.Caller)
	case "file":
		return fmt.Sprintf("The accounts were compared with those in the file %s, SHA-256 %s, read on %s.", l.Name, l.SHA256,
			at)
	case "folder":
		of := ""
		if l.Name != "" {
			of = ", which listed the organization " + l.Name
		}
		return fmt.Sprintf("The accounts are those that the run of %s expected%s.", at, of)
	}
	return "The reports were named one by one. No list of accounts was given, so nothing shows that these are all."
}

func (e *evidence) reviewers(r *Review) error {
	c, err := r.Collected()
	if err != nil {
		return err
	}
	counts := map[Verb]int{}
	for _, of := range e.S.Reviewers {
		row := evidenceReviewer{Answered: of, When: "has not answered", Class: "fail"}
		for _, f := range c.Files {
			if f.Reviewer == of.Name && f.Replaced.IsZero() {
				row.When, row.Class, row.File, row.SHA256 = words.Time(f.CollectedAt), "", f.File, f.SHA256
			}
		}
		for v, n := range of.Decisions {
			counts[v] += n
		}
		e.Reviewers = append(e.Reviewers, row)
	}
	for _, v := range Verbs {
		e.Verbs = append(e.Verbs, verbCount{string(v), counts[v]})
	}
	return nil
}

func (e *evidence) gone(r *Review) error {
	if r.Manifest.Previous == nil {
		return nil
	}
	gone, err := r.GoneItems()
	if err != nil {
		return err
	}
	e.Gone = gone[:min(len(gone), mostKept)]
	e.MoreGone = len(gone) - len(e.Gone)
	return nil
}

// checks lists the outcomes of decisions. A decision that nobody verified is
// listed as unknown.
func (e *evidence) checks(r *Review) {
	by := map[Verb][]Check{}
	looked := map[string]bool{}
	if e.V != nil {
		for _, c := range e.V.Checks {
			by[c.Decision.Verb] = append(by[c.Decision.Verb], c)
			looked[c.Line] = true
		}
		e.failed, e.unknown = e.V.Failed()
	}
	for n := range r.Items {
		i := &r.Items[n]
		d, ok := e.decisions[i.Line]
		if !ok || d.Verb == Keep || looked[i.Line] {
			continue
		}
		if d.Verb != Exception {
			e.unchecked++
		}
		by[d.Verb] = append(by[d.Verb], r.newCheck(i, d, "No later report was looked into."))
	}
	for _, s := range []struct {
		verb  Verb
		title string
	}{{Revoke, "Revocations"}, {Change, "Changes"}, {Exception, "Exceptions"}} {
		if len(by[s.verb]) > 0 {
			e.Sections = append(e.Sections, checkSection{s.title, by[s.verb]})
		}
	}
}

func (e *evidence) kept(r *Review) {
	for n := range r.Items {
		i := &r.Items[n]
		if d, ok := e.decisions[i.Line]; ok && keeps(d.Verb) && i.KeptInARow > 0 {
			e.Kept = append(e.Kept, keptRow{i.KeptInARow + 1, i.Title(), d.Reason, i.Fails()})
		}
	}
	slices.SortStableFunc(e.Kept, func(a, b keptRow) int {
		return cmp.Or(b.Times-a.Times, cmp.Compare(rankOf(a.fails), rankOf(b.fails)))
	})
	e.MoreKept = max(0, len(e.Kept)-mostKept)
	e.Kept = e.Kept[:len(e.Kept)-e.MoreKept]
}

func rankOf(first bool) int {
	if first {
		return 0
	}
	return 1
}

func (e *evidence) tables(r *Review) {
	for n := range r.Items {
		if n == mostItems {
			e.MoreItems = len(r.Items) - n
			return
		}
		i := &r.Items[n]
		if k := len(e.Tables); k == 0 || e.Tables[k-1].Account != i.Account {
			e.Tables = append(e.Tables, decisionTable{Account: i.Account, Name: i.AccountName})
		}
		row := decisionRow{User: i.User, What: i.what(), State: i.State, LastUsed: lastUsed(i), Fails: i.Fails(),
			Audit: strings.Join(failing(i), ", "), Decision: "none", Class: "fail"}
		if row.Audit == "" {
			row.Audit = "no failure"
		}
		if d, ok := e.decisions[i.Line]; ok {
			row.Decision, row.Class, row.Until, row.By = string(d.Verb), "", d.Expires, d.By
			row.Reason = strings.TrimSpace(d.Reason + " " + d.Ticket)
			if d.Comment != "" {
				row.Reason = strings.TrimSpace(row.Reason + " (" + d.Comment + ")")
			}
		}
		t := &e.Tables[len(e.Tables)-1]
		t.Rows = append(t.Rows, row)
	}
}

func lastUsed(i *Item) string { return cmp.Or(day(i.LastUsed), i.LastUsed, "–") }

func (e *evidence) cadence() {
	p := e.M.Previous
	if p == nil {
		e.Cadence = fmt.Sprintf("first review; the next is due by %s",
			e.M.StartedAt.AddDate(0, 0, e.M.EveryDays).Format(time.DateOnly))
		return
	}
	days := int(e.M.StartedAt.Sub(p.StartedAt) / (24 * time.Hour))
	e.Cadence = fmt.Sprintf("%s after %s; every %d", words.Count(days, "day"), p.Name, e.M.EveryDays)
	if days > e.M.EveryDays {
		e.Cadence += fmt.Sprintf(", so %s late", words.Count(days-e.M.EveryDays, "day"))
	}
}

package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/words"
)

// gatherer collects the worst changes, for the forms that people read.
type gatherer struct {
	options  Options
	events   worst[shownEvent]
	uses     map[audit.EventKind]int // ordinary uses, which are only counted
	findings [diff.NumStates]worst[shownFinding]
	// several says that there is more than one account.
	several bool
	account string
}

type shownEvent struct {
	change *diff.Change // without its events and findings
	diff.Event
}

type shownFinding struct {
	change *diff.Change
	diff.Finding
}

// worst keeps the most severe of many values, in their original order.
type worst[T any] struct {
	all   []T
	total int
}

// add adds a value. Sometimes it drops the values that exceed the limit.
func (w *worst[T]) add(v T, most int, severity func(T) audit.Severity) {
	w.total++
	w.all = append(w.all, v)
	if most > 0 && len(w.all) >= 2*most {
		w.cut(most, severity)
	}
}

func (w *worst[T]) cut(most int, severity func(T) audit.Severity) {
	slices.SortStableFunc(w.all, func(a, b T) int { return cmp.Compare(severity(b), severity(a)) })
	if most > 0 && len(w.all) > most {
		clear(w.all[most:])
		w.all = w.all[:most]
	}
}

func (w *worst[T]) more() int { return w.total - len(w.all) }

func severityOfEvent(h shownEvent) audit.Severity     { return h.Severity }
func severityOfFinding(j shownFinding) audit.Severity { return j.Severity }

func (g *gatherer) Change(c *diff.Change) error {
	var of *diff.Change
	shown := func() *diff.Change {
		if of == nil {
			of = &diff.Change{Account: c.Account, User: c.User, ARN: c.ARN, Class: c.Class}
		}
		return of
	}
	for _, e := range c.Events {
		switch {
		case e.Severity < g.options.Least:
		case !g.options.Uses && e.Severity <= audit.Low && Usual(e.Kind) != "":
			if g.uses == nil {
				g.uses = map[audit.EventKind]int{}
			}
			g.uses[e.Kind]++
		default:
			g.events.add(shownEvent{shown(), e}, g.options.Most, severityOfEvent)
		}
	}
	for i := range c.Findings {
		if f := &c.Findings[i]; g.options.wanted(f) {
			g.findings[f.State].add(shownFinding{shown(), *f}, g.options.Most, severityOfFinding)
		}
	}
	return nil
}

func (g *gatherer) Account(a *diff.Account) error {
	g.several = g.several || g.account != "" && g.account != a.Account
	g.account = a.Account
	return nil
}

// Usual returns the name under which ordinary uses of a credential are counted
// instead of listed. It returns "" for any other event. A use after a long
// time, from another place, or by root is not ordinary.
func Usual(kind audit.EventKind) string {
	switch kind {
	case audit.PasswordUsed:
		return "password used"
	case audit.PasswordFirstUsed:
		return "password used for the first time"
	case audit.KeyFirstUsed:
		return "key used for the first time"
	case audit.LastUsedService:
		return "key used with another service"
	}
	return ""
}

// counted counts the ordinary uses in words, "" for none.
func (g *gatherer) counted() string {
	var parts []string
	for _, e := range audit.Events() {
		if n := g.uses[e.Kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", n, Usual(e.Kind)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Ordinary uses, which --uses lists: " + strings.Join(parts, ", ") + "."
}

// end sorts everything.
func (g *gatherer) end() {
	g.events.cut(g.options.Most, severityOfEvent)
	for i := range g.findings {
		g.findings[i].cut(g.options.Most, severityOfFinding)
	}
}

// Heading returns the heading for findings in a state.
func Heading(s diff.State) string {
	return [...]string{
		"New findings", "Worse: what was a warning fails", "Unknown: what was found can no longer be judged",
		"Still open", "Excused since", "Fixed",
	}[s]
}

// What returns an event in words, with the titles of Titles.
func What(e *diff.Event, titles map[audit.EventKind]string) string {
	text := titles[e.Kind]
	switch {
	case e.Kind == audit.MFAGained, e.Kind == audit.MFALost, e.Kind == audit.MFARemoved:
	case e.Kind == audit.UserAdded:
		text += ", with " + e.Is
	case e.Kind == audit.UserGone:
		text += ", with " + e.Was
	case e.Kind == audit.KeyRotated:
		text += "; before it was " + e.Was
	case e.Was != "" && e.Is != "":
		text += ": " + e.Was + " → " + e.Is
	case e.Was != "":
		text += ": it was " + e.Was
	case e.Is != "":
		text += ": " + e.Is
	}
	if e.Note != "" {
		text += ". " + e.Note
	}
	return text
}

// Why returns a finding in words.
func Why(f *diff.Finding) string {
	switch {
	case f.State == diff.Fixed:
		return strings.TrimSpace(f.How + " It was: " + f.Reason.String())
	case f.State == diff.New && f.Was != "":
		return f.Reason.String() + " It was " + f.Was + "."
	}
	return strings.TrimSpace(f.Reason.String() + " " + f.How)
}

// seen returns in days since when a finding is open.
func seen(f *diff.Finding) string {
	day := f.FirstSeen.UTC().Format("2006-01-02")
	if f.OrEarlier {
		return "≤ " + day
	}
	return day
}

// called returns the account's number with its name.
func called(a *diff.Account) string {
	id := cmp.Or(a.Account, "unknown account")
	if a.Name != "" && a.Name != id {
		return id + " " + a.Name
	}
	return id
}

// span says which reports were compared.
func span(a *diff.Account) string {
	switch a.Status {
	case diff.NotCompared:
		return "not compared"
	case diff.First:
		return words.Time(a.New.Generated) + ", the first report"
	}
	days := int(a.New.Generated.Sub(a.Old.Generated).Hours() / 24)
	return fmt.Sprintf("%s → %s, %s", words.Time(a.Old.Generated),
		words.Time(a.New.Generated), words.Count(days, "day"))
}

// Outcome returns in words how much changed.
func Outcome(c *diff.Counts) string {
	var parts []string
	if n := c.EventTotal(); n > 0 {
		parts = append(parts, words.Count(n, "event")+" of "+words.Count(c.Users, "user"))
	}
	var found []string
	for _, s := range [...]diff.State{diff.New, diff.Worse, diff.Unknown, diff.Excused, diff.Fixed, diff.Open} {
		n := c.State(s)
		if n == 0 {
			continue
		}
		word := s.String()
		if s == diff.Open {
			word = "still open"
		}
		found = append(found, fmt.Sprintf("%d %s", n, word))
	}
	if c.Suppressed > 0 {
		found = append(found, fmt.Sprintf("%d more excused by exceptions", c.Suppressed))
	}
	if len(found) > 0 {
		parts = append(parts, "findings: "+strings.Join(found, ", "))
	}
	if len(parts) == 0 {
		return "no change"
	}
	return strings.Join(parts, "; ")
}

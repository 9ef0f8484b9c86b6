package show

import (
	"bufio"
	"encoding/csv"
	"strconv"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// sheetColumns are the columns of the CSV. New ones are added at the end.
var sheetColumns = []string{
	"type", "account", "user", "arn", "class", "credential", "severity", "what", "state", "title",
	"was", "is", "at", "reason", "first_seen", "or_earlier", "closed", "note", "fingerprint",
}

// sheet writes every change as a row. what is the kind of an event or the id of
// a control.
type sheet struct {
	b       *bufio.Writer
	w       *csv.Writer
	options Options
	titles  map[audit.EventKind]string
}

func newSheet(b *bufio.Writer, o Options) *sheet {
	s := &sheet{b: b, w: csv.NewWriter(b), options: o, titles: Titles()}
	s.w.Write(sheetColumns)
	return s
}

func (s *sheet) Change(c *diff.Change) error {
	who := whoOf(c)
	for i := range c.Events {
		e := &c.Events[i]
		if e.Severity < s.options.Least {
			continue
		}
		if err := s.row("event", who.Account, who.User, who.ARN, who.Class, e.Credential.ID(),
			e.Severity.String(), string(e.Kind), "",
			s.titles[e.Kind], e.Was, e.Is, words.ReportTime(e.At), "", "", "", "", e.Note, ""); err != nil {
			return err
		}
	}
	for i := range c.Findings {
		f := &c.Findings[i]
		if !s.options.wanted(f) {
			continue
		}
		if err := s.row("finding", who.Account, who.User, who.ARN, who.Class, f.Credential.ID(), f.Severity.String(),
			string(f.Control.ID), f.State.String(),
			f.Control.Title, f.Was, status(f), "", f.Reason.String(), words.Time(f.FirstSeen),
			strconv.FormatBool(f.OrEarlier),
			words.Time(f.Closed), f.How, f.Fingerprint()); err != nil {
			return err
		}
	}
	return nil
}

func (s *sheet) row(cells ...string) error {
	for i, c := range cells {
		cells[i] = escape.CSVCell(c)
	}
	return s.w.Write(cells)
}

// Account writes a row for an account that is incomplete, because changes alone
// would not show that.
func (s *sheet) Account(a *diff.Account) error {
	if !a.Incomplete() {
		return nil
	}
	var texts []string
	for _, p := range a.Problems {
		texts = append(texts, p.Text)
	}
	return s.row("incomplete", a.Account, "", "", "", "", "", "", a.Status.String(), "", "", "", "",
		strings.Join(texts, " "), "", "", "", "", "")
}

func (s *sheet) Close(*Summary) error {
	if s.w.Flush(); s.w.Error() != nil {
		return s.w.Error()
	}
	return s.b.Flush()
}

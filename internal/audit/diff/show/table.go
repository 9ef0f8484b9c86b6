package show

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/escape"
	"rollcall/internal/grid"
	"rollcall/internal/words"
)

// table writes a table for a terminal: the accounts, then the new findings,
// then the events, then the other findings.
type table struct {
	gatherer
	b *bufio.Writer
}

func (t *table) say(style grid.Style, indent, text string) {
	text = escape.Printable(text)
	lines := []string{text}
	if t.options.Width > 0 {
		lines = grid.Wrap(text, max(t.options.Width-len(indent), 16))
	}
	for _, line := range lines {
		t.b.WriteString(indent + style.Paint(line, t.options.Colour) + "\n")
	}
}

func (t *table) Close(s *Summary) error {
	t.end()
	t.accounts(s)
	t.problems(s)
	for state := range diff.Open {
		t.found(state)
	}
	t.happened()
	for state := diff.Open; state < diff.NumStates; state++ {
		t.found(state)
	}
	t.foot(s)
	return t.b.Flush()
}

// accounts writes a line for each account with changes or problems.
func (t *table) accounts(s *Summary) {
	quiet := 0
	for _, a := range s.Accounts {
		text := Outcome(&a.Counts)
		if t.several && !a.Incomplete() && text == "no change" {
			quiet++
			continue
		}
		t.say(grid.Heading, "", called(a))
		t.say(grid.Dim, "  ", span(a))
		if a.Status != diff.NotCompared {
			t.say(grid.Usual, "  ", text)
		}
	}
	if quiet > 0 {
		t.say(grid.Usual, "", fmt.Sprintf("%s without a change", words.Count(quiet, "account")))
	}
	if t.several {
		t.say(grid.Heading, "", fmt.Sprintf("All %s: %s", words.Count(len(s.Accounts), "account"), Outcome(&s.Counts)))
	}
}

// problems writes the problems and the notes.
func (t *table) problems(s *Summary) {
	const most = 10
	first := true
	for _, a := range s.Accounts {
		var texts []string
		for _, p := range a.Problems {
			texts = append(texts, p.Text)
		}
		if n := a.ProblemCount - most; n > 0 {
			texts = append(texts[:most], fmt.Sprintf("%d more", n))
		}
		for _, text := range texts {
			if first {
				t.say(grid.Heading, "", "")
				t.say(grid.Heading, "", "Incomplete")
				first = false
			}
			t.say(grid.Odd, "  ", called(a)+": "+text)
		}
	}
}

// In narrower terminals the table has fewer and shorter columns.
const (
	narrow = 100
	medium = 140
)

func (t *table) below(columns int) bool { return t.options.Width > 0 && t.options.Width < columns }

// grid returns a grid whose last column is text.
func (t *table) grid(titles ...string) grid.Grid {
	g := grid.Grid{Titles: titles, Wrap: true, Blocks: true, Indent: "  "}
	if t.several {
		g.Titles = append([]string{"ACCOUNT"}, titles...)
	}
	return g
}

func (t *table) row(g *grid.Grid, c *diff.Change, cells ...grid.Cell) {
	if t.several {
		cells = append([]grid.Cell{{Text: c.Account.Account}}, cells...)
	}
	g.Add(cells...)
}

// credential returns the id of a credential. In a narrow table it only has the
// day.
func (t *table) credential(c audit.Credential) grid.Cell {
	made, ok := c.Created.Value()
	if !t.below(medium) || !ok {
		return grid.Cell{Text: c.ID()}
	}
	text := c.Kind.String() + " " + made.Format(time.DateOnly)
	if c.Tied {
		text += "#" + strconv.Itoa(c.Slot)
	}
	return grid.Cell{Text: text}
}

func (t *table) happened() {
	titles := Titles()
	for severity := audit.Severity(audit.NumSeverities); severity > 0; {
		severity--
		g := t.grid("USER", "CREDENTIAL", "WHEN", "WHAT")
		if t.below(narrow) {
			g = t.grid("USER", "CREDENTIAL", "WHAT")
		}
		n := 0
		for i := range t.events.all {
			e := &t.events.all[i]
			if e.Severity != severity {
				continue
			}
			n++
			cells := []grid.Cell{{Text: e.change.User}, t.credential(e.Credential)}
			if !t.below(narrow) {
				at := ""
				if when, ok := e.At.Value(); ok {
					at = when.Format("2006-01-02 15:04")
				}
				cells = append(cells, grid.Cell{Text: at})
			}
			t.row(&g, e.change, append(cells, grid.Cell{Text: What(&e.Event, titles)})...)
		}
		if n == 0 {
			continue
		}
		name := severity.String()
		t.b.WriteByte('\n')
		t.say(grid.Heading, "", strings.ToUpper(name[:1])+name[1:]+": what happened")
		g.Write(t.b, t.options.Width, t.options.Colour)
	}
	t.more(t.events.more(), "event")
	if text := t.counted(); text != "" {
		t.b.WriteByte('\n')
		t.say(grid.Usual, "", text)
	}
}

func (t *table) found(state diff.State) {
	of := &t.findings[state]
	if len(of.all) == 0 {
		return
	}
	t.b.WriteByte('\n')
	t.say(grid.Heading, "", Heading(state))
	g := t.grid("SEVERITY", "STATUS", "CONTROL", "USER", "CREDENTIAL", "FIRST SEEN", "WHY")
	switch {
	case t.below(narrow):
		g = t.grid("SEVERITY", "CONTROL", "USER", "FIRST SEEN", "WHY")
	case state == diff.Fixed:
		g = t.grid("SEVERITY", "STATUS", "CONTROL", "USER", "CREDENTIAL", "FIRST SEEN", "FIXED", "WHY")
	}
	for i := range of.all {
		f := &of.all[i]
		status := grid.Cell{Text: f.Status.String(), Style: grid.Odd}
		switch {
		case state == diff.Fixed:
			status.Style = grid.Good
		case f.Status == audit.Fail:
			status.Style = grid.Bad
		}
		cells := []grid.Cell{{Text: f.Severity.String()}, status, {Text: string(f.Control.ID)}, {Text: f.change.User},
			t.credential(f.Credential), {Text: seen(&f.Finding)}}
		switch {
		case t.below(narrow):
			cells[0].Style = status.Style
			cells = []grid.Cell{cells[0], cells[2], cells[3], cells[5]}
		case state == diff.Fixed:
			cells = append(cells, grid.Cell{Text: f.Closed.UTC().Format(time.DateOnly)})
		}
		t.row(&g, f.change, append(cells, grid.Cell{Text: Why(&f.Finding)})...)
	}
	g.Write(t.b, t.options.Width, t.options.Colour)
	t.more(of.more(), "finding")
}

func (t *table) more(n int, what string) {
	if n > 0 {
		t.say(grid.Dim, "  ", words.Count(n, "more "+what)+" not shown: see --top, or --output jsonl for all.")
	}
}

func (t *table) foot(s *Summary) {
	var notes []string
	for _, a := range s.Accounts {
		for _, note := range a.Notes {
			notes = append(notes, called(a)+": "+note)
		}
		if len(a.NotCompared) > 0 {
			notes = append(notes, called(a)+": only one of the reports has "+strings.Join(a.NotCompared, ", ")+
				", so that it was not compared.")
		}
	}
	if n := s.Counts.State(diff.Open); n > 0 && !t.options.Open {
		notes = append(notes, "Findings that are still open are not listed: see --open.")
	}
	for i, note := range notes {
		if i == 0 {
			t.b.WriteByte('\n')
		}
		t.say(grid.Dim, "", note)
	}
}

package show

import (
	"bufio"
	"fmt"
	"strings"

	"rollcall/internal/audit/diff"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// markdown writes the content of table for an issue or a pull request.
type markdown struct {
	gatherer
	b *bufio.Writer
}

func (m *markdown) row(cells ...string) {
	m.b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func (m *markdown) head(titles ...string) {
	m.row(titles...)
	m.row(strings.Split(strings.TrimSuffix(strings.Repeat("--- ", len(titles)), " "), " ")...)
}

func (m *markdown) Close(s *Summary) error {
	m.end()
	m.b.WriteString("# Credential changes\n\n")
	m.head("Account", "Reports", "Outcome")
	for _, a := range s.Accounts {
		m.row(escape.Markdown(called(a)), escape.Markdown(span(a)), Outcome(&a.Counts))
	}
	m.b.WriteByte('\n')
	m.problems(s)
	for state := range diff.Open {
		m.found(state)
	}
	m.happened()
	for state := diff.Open; state < diff.NumStates; state++ {
		m.found(state)
	}
	return m.b.Flush()
}

func (m *markdown) problems(s *Summary) {
	first := true
	for _, a := range s.Accounts {
		for _, p := range a.Problems {
			if first {
				m.b.WriteString("## Incomplete\n\n")
				first = false
			}
			fmt.Fprintf(m.b, "- %s: %s\n", escape.Markdown(called(a)), escape.Markdown(p.Text))
		}
		if n := a.ProblemCount - len(a.Problems); n > 0 {
			fmt.Fprintf(m.b, "- %s: %d more\n", escape.Markdown(called(a)), n)
		}
	}
	if !first {
		m.b.WriteByte('\n')
	}
}

func (m *markdown) happened() {
	if text := m.counted(); text != "" {
		defer m.b.WriteString(text + "\n\n")
	}
	if len(m.events.all) == 0 {
		return
	}
	titles := Titles()
	m.b.WriteString("## What happened\n\n")
	m.head("Severity", "Account", "User", "Credential", "When", "What")
	for i := range m.events.all {
		e := &m.events.all[i]
		m.row(e.Severity.String(), escape.Markdown(e.change.Account.Account), escape.Markdown(e.change.User),
			escape.Markdown(e.Credential.ID()),
			escape.Markdown(words.ReportTime(e.At)), escape.Markdown(What(&e.Event, titles)))
	}
	m.b.WriteByte('\n')
	m.more(m.events.more(), "event")
}

func (m *markdown) found(state diff.State) {
	of := &m.findings[state]
	if len(of.all) == 0 {
		return
	}
	fmt.Fprintf(m.b, "## %s\n\n", Heading(state))
	m.head("Severity", "Status", "Control", "Account", "User", "Credential", "First seen", "Why")
	for i := range of.all {
		f := &of.all[i]
		m.row(f.Severity.String(), escape.Markdown(f.Status.String()),
			string(f.Control.ID)+" "+escape.Markdown(f.Control.Title),
			escape.Markdown(f.change.Account.Account), escape.Markdown(f.change.User),
			escape.Markdown(f.Credential.ID()),
			seen(&f.Finding), escape.Markdown(Why(&f.Finding)))
	}
	m.b.WriteByte('\n')
	m.more(of.more(), "finding")
}

func (m *markdown) more(n int, what string) {
	if n > 0 {
		fmt.Fprintf(m.b, "%s not shown.\n\n", words.Count(n, "more "+what))
	}
}

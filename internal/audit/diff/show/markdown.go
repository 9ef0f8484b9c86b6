package show

import (
	"bufio"
	"fmt"
	"strings"

	"rollcall/internal/audit/diff"
	"rollcall/internal/render"
)

// markdown is what table is, for an issue or a pull request.
type markdown struct {
	gathered
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
		m.row(render.Markdown(called(a)), render.Markdown(span(a)), outcome(&a.Counts))
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
			fmt.Fprintf(m.b, "- %s: %s\n", render.Markdown(called(a)), render.Markdown(p.Text))
		}
		if n := a.ProblemCount - len(a.Problems); n > 0 {
			fmt.Fprintf(m.b, "- %s: %d more\n", render.Markdown(called(a)), n)
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
	titles := titles()
	m.b.WriteString("## What happened\n\n")
	m.head("Severity", "Account", "User", "Credential", "When", "What")
	for i := range m.events.all {
		e := &m.events.all[i]
		m.row(e.Severity.String(), render.Markdown(e.change.Account.Account), render.Markdown(e.change.User), render.Markdown(e.Credential.ID()),
			render.Markdown(moment(e.At)), render.Markdown(what(&e.Event, titles)))
	}
	m.b.WriteByte('\n')
	m.more(m.events.more(), "event")
}

func (m *markdown) found(state diff.State) {
	of := &m.findings[state]
	if len(of.all) == 0 {
		return
	}
	fmt.Fprintf(m.b, "## %s\n\n", heading(state))
	m.head("Severity", "Status", "Control", "Account", "User", "Credential", "First seen", "Why")
	for i := range of.all {
		f := &of.all[i]
		m.row(f.Severity.String(), render.Markdown(f.Status.String()), string(f.Control.ID)+" "+render.Markdown(f.Control.Title),
			render.Markdown(f.change.Account.Account), render.Markdown(f.change.User), render.Markdown(f.Credential.ID()),
			seen(&f.Finding), render.Markdown(why(&f.Finding)))
	}
	m.b.WriteByte('\n')
	m.more(of.more(), "finding")
}

func (m *markdown) more(n int, what string) {
	if n > 0 {
		fmt.Fprintf(m.b, "%s not shown.\n\n", count(n, "more "+what))
	}
}

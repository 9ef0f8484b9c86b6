package render

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/grid"
	"rollcall/internal/words"
)

// markdownFindings writes the summary and the worst findings as Markdown.
type markdownFindings struct{ late }

func newMarkdown(b *bufio.Writer, o *Options) Output { return markdownFindings{late{b, o}} }

func (m markdownFindings) Close(s *audit.Summary) error {
	writeMarkdown(m.b, s, m.o)
	return m.b.Flush()
}

func writeMarkdown(b *bufio.Writer, s *audit.Summary, o *Options) {
	name := s.Benchmark.Title
	if s.Benchmark.Version != "" {
		name += " " + s.Benchmark.Version
	}
	fmt.Fprintf(b, "# Credential audit\n\n%s: %s.\n\n", escape.Markdown(name), judgedFor(s))
	markdownCounts(b, s)
	markdownAccounts(b, s)
	markdownProblems(b, s)
	markdownControls(b, s)
	for _, group := range bySeverity(s) {
		title := group.severity.String()
		fmt.Fprintf(b, "## %s%s\n\n", strings.ToUpper(title[:1]), title[1:])
		for _, account := range group.accounts {
			fmt.Fprintf(b, "### %s\n\n", escape.Markdown(called(&account.account.Source)))
			if len(account.findings) == 0 {
				fmt.Fprintf(b, "%s.\n\n", leftOut(account.more, group.severity, false))
				continue
			}
			markdownRow(b, "Status", "Control", "User", "Credential", "Line", "Why")
			markdownRow(b, "---", "---", "---", "---", "---:", "---")
			for i := range account.findings {
				f := &account.findings[i]
				line := ""
				if f.Line > 0 {
					line = strconv.Itoa(f.Line)
				}
				markdownRow(b, f.Status.String(),
					escape.Markdown(named(f.Control, s.Benchmark)), escape.Markdown(f.User),
					escape.Markdown(credentialName(f)), line, escape.Markdown(why(f)))
			}
			b.WriteByte('\n')
			if account.more > 0 {
				fmt.Fprintf(b, "%s.\n\n", leftOut(account.more, group.severity, true))
			}
		}
	}
	markdownExceptions(b, s)
	for _, skipped := range o.Skipped {
		fmt.Fprintf(b, "Account %s is %s and not audited.\n\n",
			escape.Markdown(strings.TrimSpace(skipped.Account+" "+skipped.Name)), escape.Markdown(skipped.Status))
	}
	fmt.Fprintf(b, "%s\n", escape.Markdown(notInReports))
}

func markdownRow(b *bufio.Writer, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func markdownCounts(b *bufio.Writer, s *audit.Summary) {
	header, rule := []string{""}, []string{"---"}
	for _, status := range shownStatuses {
		header, rule = append(header, escape.Markdown(status.String())), append(rule, "---:")
	}
	markdownRow(b, header...)
	markdownRow(b, rule...)
	for severity := audit.Severity(audit.NumSeverities); severity > 0; {
		severity--
		row := []string{severity.String()}
		for _, status := range shownStatuses {
			row = append(row, strconv.Itoa(s.Counts.Severities[severity][status]))
		}
		markdownRow(b, row...)
	}
	b.WriteByte('\n')
	if n := s.Counts.Suppressed; n > 0 {
		fmt.Fprintf(b, "%s excused by exceptions and not counted above.\n\n", words.Count(n, "finding")+verb(n))
	}
}

func markdownAccounts(b *bufio.Writer, s *audit.Summary) {
	if len(s.Accounts) == 0 {
		return
	}
	markdownRow(b, "Account", "Name", "FAIL", "WARN", "Users", "With MFA", "Active keys", "Unused", "Root", "Report of")
	markdownRow(b, "---", "---", "---:", "---:", "---:", "---:", "---:", "---:", "---", "---")
	for _, a := range worstFirst(s) {
		id, name := escape.Markdown(cmp.Or(a.Source.Account, "unknown")), escape.Markdown(a.Source.Name)
		if a.Missing {
			markdownRow(b, "**"+id+"**", name, "**no report**", "", "", "", "", "", "", "")
			continue
		}
		t := &a.Stats
		markdownRow(b, id, name, strconv.Itoa(a.Counts.Total[audit.Fail]),
			strconv.Itoa(a.Counts.Total[audit.Warn]), strconv.Itoa(t.Users),
			share(t).Text, atLeast(t.ActiveKeys, t.Untold.Keys, grid.Usual).Text, atLeast(t.UnusedCredentials,
				t.Untold.Unused, grid.Usual).Text,
			rootCell(a).Text, cmp.Or(words.Time(a.Source.Generated), grid.Unknown.Text))
	}
	fmt.Fprintf(b, "\n%s\n\n", legend)
}

// markdownControls writes the result of each control.
func markdownControls(b *bufio.Writer, s *audit.Summary) {
	fmt.Fprintf(b, "## Controls\n\n%s.\n\n", s.Counts.OutcomesInWords())
	header, rule := []string{"Item", "Control"}, []string{"---", "---"}
	statuses := append(slices.Clone(shownStatuses), audit.Pass)
	for _, status := range statuses {
		header, rule = append(header, escape.Markdown(status.String())), append(rule, "---:")
	}
	markdownRow(b, header...)
	markdownRow(b, rule...)
	for i := range s.Counts.Controls {
		c := &s.Counts.Controls[i]
		row := []string{
			escape.Markdown(cmp.Or(strings.Join(c.Control.RequirementIDs(s.Benchmark.ID), ", "), grid.Nothing)),
			string(c.Control.ID) + " " + escape.Markdown(c.Control.Title),
		}
		for _, status := range statuses {
			row = append(row, strconv.Itoa(c.Statuses[status]))
		}
		markdownRow(b, row...)
	}
	b.WriteByte('\n')
}

func markdownProblems(b *bufio.Writer, s *audit.Summary) {
	any := false
	for _, a := range worstFirst(s) {
		for _, p := range a.Problems {
			if !any {
				b.WriteString("## Incomplete\n\n")
				any = true
			}
			fmt.Fprintf(b, "- %s: %s\n", escape.Markdown(called(&a.Source)), escape.Markdown(where(a, p)+p.Text))
		}
		if n := a.ProblemCount - len(a.Problems); n > 0 {
			fmt.Fprintf(b, "- %s: %d more\n", escape.Markdown(called(&a.Source)), n)
		}
	}
	if any {
		b.WriteByte('\n')
	}
}

func markdownExceptions(b *bufio.Writer, s *audit.Summary) {
	any := false
	for _, use := range s.Exceptions {
		if use.State == audit.ExceptionActive {
			continue
		}
		if !any {
			b.WriteString("## Exceptions to look at\n\n")
			markdownRow(b, "Exception", "State", "Control", "Expires", "Owner", "Ticket")
			markdownRow(b, "---", "---", "---", "---", "---", "---")
			any = true
		}
		e := &use.Exception
		markdownRow(b, escape.Markdown(e.ID), string(use.State), escape.Markdown(e.Control), e.Expires.String(),
			escape.Markdown(e.Owner), escape.Markdown(e.Ticket))
	}
	if any {
		b.WriteByte('\n')
	}
}

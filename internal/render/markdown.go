package render

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall/internal/audit"
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
	fmt.Fprintf(b, "# Credential audit\n\n%s: %s.\n\n", inMarkdown(name), judgedFor(s))
	markdownCounts(b, s)
	markdownAccounts(b, s)
	markdownProblems(b, s)
	markdownControls(b, s)
	for _, group := range bySeverity(s) {
		title := group.severity.String()
		fmt.Fprintf(b, "## %s%s\n\n", strings.ToUpper(title[:1]), title[1:])
		for _, account := range group.accounts {
			fmt.Fprintf(b, "### %s\n\n", inMarkdown(called(&account.account.Source)))
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
				markdownRow(b, f.Status.String(), inMarkdown(named(f.Control, s.Benchmark)), inMarkdown(f.User),
					inMarkdown(credentialName(f)), line, inMarkdown(why(f)))
			}
			b.WriteByte('\n')
			if account.more > 0 {
				fmt.Fprintf(b, "%s.\n\n", leftOut(account.more, group.severity, true))
			}
		}
	}
	markdownExceptions(b, s)
	for _, skipped := range o.Skipped {
		fmt.Fprintf(b, "Account %s is %s and not audited.\n\n", inMarkdown(strings.TrimSpace(skipped.Account+" "+skipped.Name)), inMarkdown(skipped.Status))
	}
	fmt.Fprintf(b, "%s\n", inMarkdown(notInReports))
}

func markdownRow(b *bufio.Writer, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func markdownCounts(b *bufio.Writer, s *audit.Summary) {
	header, rule := []string{""}, []string{"---"}
	for _, status := range shownStatuses {
		header, rule = append(header, inMarkdown(status.String())), append(rule, "---:")
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
		fmt.Fprintf(b, "%s excused by exceptions and not counted above.\n\n", count(n, "finding")+verb(n))
	}
}

func markdownAccounts(b *bufio.Writer, s *audit.Summary) {
	if len(s.Accounts) == 0 {
		return
	}
	markdownRow(b, "Account", "Name", "FAIL", "WARN", "Users", "With MFA", "Active keys", "Unused", "Root", "Report of")
	markdownRow(b, "---", "---", "---:", "---:", "---:", "---:", "---:", "---:", "---", "---")
	for _, a := range worstFirst(s) {
		id, name := inMarkdown(cmp.Or(a.Source.Account, "unknown")), inMarkdown(a.Source.Name)
		if a.Missing {
			markdownRow(b, "**"+id+"**", name, "**no report**", "", "", "", "", "", "", "")
			continue
		}
		t := &a.Stats
		markdownRow(b, id, name, strconv.Itoa(a.Counts.Total[audit.Fail]), strconv.Itoa(a.Counts.Total[audit.Warn]), strconv.Itoa(t.Users),
			share(t).text, atLeast(t.ActiveKeys, t.Untold.Keys, usual).text, atLeast(t.UnusedCredentials,
				t.Untold.Unused, usual).text,
			rootCell(a).text, cmp.Or(stamp(a.Source.Generated), unknown.text))
	}
	fmt.Fprintf(b, "\n%s\n\n", legend)
}

// markdownControls says what came of each control.
func markdownControls(b *bufio.Writer, s *audit.Summary) {
	fmt.Fprintf(b, "## Controls\n\n%s.\n\n", s.Counts.OutcomesInWords())
	header, rule := []string{"Item", "Control"}, []string{"---", "---"}
	statuses := append(slices.Clone(shownStatuses), audit.Pass)
	for _, status := range statuses {
		header, rule = append(header, inMarkdown(status.String())), append(rule, "---:")
	}
	markdownRow(b, header...)
	markdownRow(b, rule...)
	for i := range s.Counts.Controls {
		c := &s.Counts.Controls[i]
		row := []string{
			inMarkdown(cmp.Or(strings.Join(c.Control.RequirementIDs(s.Benchmark.ID), ", "), nothing)),
			string(c.Control.ID) + " " + inMarkdown(c.Control.Title),
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
			fmt.Fprintf(b, "- %s: %s\n", inMarkdown(called(&a.Source)), inMarkdown(where(a, p)+p.Text))
		}
		if n := a.ProblemCount - len(a.Problems); n > 0 {
			fmt.Fprintf(b, "- %s: %d more\n", inMarkdown(called(&a.Source)), n)
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
		markdownRow(b, inMarkdown(e.ID), string(use.State), inMarkdown(e.Control), e.Expires.String(), inMarkdown(e.Owner), inMarkdown(e.Ticket))
	}
	if any {
		b.WriteByte('\n')
	}
}

// inMarkdown is a text that stays text in Markdown, also in the cell of a
// table: no markup, no link and, where it is pasted into an issue, no mention
// comes of it.
func inMarkdown(s string) string {
	s = markdownEscapes.Replace(printable(s))
	if strings.HasPrefix(s, "@") {
		s = "&#64;" + s[1:]
	}
	return s
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "$", `\$`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "://", "&#58;//", "www.", "www&#46;", " @", " &#64;",
)

package render

import (
	"bufio"
	"fmt"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// githubAnnotations is the number of annotations of a kind that GitHub shows
// for a step.
const githubAnnotations = 10

// gitHub writes the workflow commands that annotate the worst findings at their
// position in the report, and the step summary.
type gitHub struct{ late }

func newGitHub(b *bufio.Writer, o *Options) Output { return gitHub{late{b, o}} }

func (g gitHub) Close(s *audit.Summary) error {
	shown := map[string]int{}
	more := 0
	for _, a := range worstFirst(s) {
		for _, p := range a.Problems {
			g.command("error", a.Source.Path, p.Line, "incomplete", called(&a.Source)+": "+p.Text, shown, &more)
		}
	}
	for _, group := range bySeverity(s) {
		for _, account := range group.accounts {
			for i := range account.findings {
				f := &account.findings[i]
				title := fmt.Sprintf("%s %s", f.Severity, named(f.Control, s.Benchmark))
				g.command(gitHubLevel(f), account.account.Source.Path, f.Line, title,
					called(&account.account.Source)+", "+subject(f)+": "+why(f), shown, &more)
			}
			if n := omitted(account.account); n > 0 && group.severity == account.account.Worst[0].Severity {
				more += n
			}
		}
	}
	if more > 0 {
		fmt.Fprintf(g.b, "%s without an annotation.\n", words.Count(more, "more finding")+verb(more))
	}
	if err := g.b.Flush(); err != nil || g.o.StepSummary == nil {
		return err
	}
	summary := bufio.NewWriter(g.o.StepSummary)
	writeMarkdown(summary, s, g.o)
	return summary.Flush()
}

func gitHubLevel(f *audit.Finding) string {
	switch level := sarifLevelOf(f.Status, f.Severity); level {
	case "note":
		return "notice"
	case "none": // NO_DATA: all others among the worst are problems
		return "warning"
	default:
		return level
	}
}

// command writes a workflow command, unless GitHub would not show it.
func (g gitHub) command(level, file string, line int, title, message string, shown map[string]int, more *int) {
	if shown[level]++; shown[level] > githubAnnotations {
		*more++
		return
	}
	place := ""
	if file != "" {
		place = "file=" + gitHubProperty.Replace(escape.Printable(file)) + ","
		if line > 0 {
			place += fmt.Sprintf("line=%d,", line)
		}
	}
	fmt.Fprintf(g.b, "::%s %stitle=%s::%s\n", level, place, gitHubProperty.Replace(escape.Printable(title)),
		gitHubMessage.Replace(escape.Printable(message)))
}

// The runner splits commands at these. A name in a report must not begin a
// command.
var (
	gitHubMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	gitHubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

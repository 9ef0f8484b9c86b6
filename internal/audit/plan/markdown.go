package plan

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/render"
)

// Markdown writes the plan to be read, and carried out by hand: for each
// credential the commands of each stage, in an order that looks before it acts.
func (p *Plan) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	o := &p.Options
	b.WriteString("# Plan of remediation\n\n")
	fmt.Fprintf(b, "%d credentials. Warnings from %s, final warning %d days later, deactivation %d days after the first warning, deletion %d days after that%s. Nothing planned for was used in the %d days before its report.\n\n",
		p.Total-p.More, o.Start.Format(time.DateOnly), o.FinalDays, o.DeactivateDays, o.DeleteDays, render.Markdown(o.windows()), o.KeepUsedDays)
	for i, problem := range p.Problems {
		if i == 0 {
			b.WriteString("## Incomplete\n\n")
		}
		fmt.Fprintf(b, "- %s\n", render.Markdown(problem))
		if i == len(p.Problems)-1 {
			b.WriteByte('\n')
		}
	}
	for _, a := range p.Accounts {
		if len(a.Items) == 0 {
			continue
		}
		fmt.Fprintf(b, "## Account %s\n\nBy the report of %s.\n\n", render.Markdown(a.called()), stamp(a.AsOf))
		for i := range a.Items {
			markdownItem(b, a, &a.Items[i])
		}
	}
	if p.More > 0 {
		fmt.Fprintf(b, "%d more credentials are not in this plan. Carry this one out and make another.\n\n", p.More)
	}
	for _, reason := range Reasons {
		if p.Counts[reason] == 0 {
			continue
		}
		fmt.Fprintf(b, "## %s\n\n", strings.TrimSuffix(reason.heading(), ":"))
		for _, a := range p.Accounts {
			for _, l := range a.Left {
				if l.Reason == reason {
					fmt.Fprintf(b, "- %s\n", render.Markdown(l.text()))
				}
			}
		}
		if n := p.beyond(reason); n > 0 {
			fmt.Fprintf(b, "- %d more\n", n)
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

func markdownItem(b *bufio.Writer, a *Account, i *Item) {
	fmt.Fprintf(b, "### %s\n\n", render.Markdown(i.title()))
	for _, f := range i.Findings {
		fmt.Fprintf(b, "- %s %v, %v: %s\n", f.Control.ID, render.Markdown(f.Status.String()), f.Severity, render.Markdown(f.Reason))
	}
	b.WriteByte('\n')
	for _, s := range i.Steps {
		fmt.Fprintf(b, "**%s**, not before %s", s.Stage, when(s))
		if s.Stage == Warn || s.Stage == Final {
			fmt.Fprintf(b, ": %s\n\n", render.Markdown(i.message(a, s.Stage)))
			continue
		}
		b.WriteString(":\n\n```bash\n" + strings.Join(i.Commands(a, s.Stage), "\n") + "\n```\n\n")
	}
}

// Commands are what is to be typed for a stage: first what to look at, with
// what must be seen as comments, and then the change. Names are quoted for a
// shell.
func (i *Item) Commands(a *Account, stage Stage) []string {
	if stage == Warn || stage == Final {
		return nil
	}
	user := option("--user-name", i.User)
	cutoff := "nothing since " + stamp(a.Cutoff)
	if i.Credential.Kind == audit.Password {
		lines := []string{
			"# must be the user made " + i.UserCreated.String() + ", and the password must have been used at " + cutoff,
			"aws iam get-user " + user + " --query 'User.[CreateDate, PasswordLastUsed]' --output text",
		}
		if i.mfaHelps {
			lines = append(lines, "# must be 0", "aws iam list-mfa-devices "+user+" --query 'length(MFADevices)' --output text")
		}
		return append(lines, "aws iam delete-login-profile "+user)
	}
	id := i.keyOption()
	var lines []string
	if i.KeyID == "" {
		lines = append(lines,
			"# must be one id: that of the key made "+i.Credential.Created.String(),
			"key=$(aws iam list-access-keys "+user+` --query "AccessKeyMetadata[?starts_with(CreateDate, '`+second(i)+`')].AccessKeyId" --output text)`,
			`[[ $key =~ ^[A-Z0-9]{16,128}$ ]] || unset key`,
		)
		id = `--access-key-id="${key:?there is no one such key}"`
	}
	if stage == Delete {
		lines = append(lines, "# must be Inactive", "aws iam list-access-keys "+user+` --query "AccessKeyMetadata[?starts_with(CreateDate, '`+second(i)+`')].Status" --output text`)
	}
	lines = append(lines, "# must be None, or "+cutoff, "aws iam get-access-key-last-used "+id+" --query AccessKeyLastUsed.LastUsedDate --output text")
	if stage == Delete {
		return append(lines, "aws iam delete-access-key "+user+" "+id)
	}
	return append(lines, "aws iam update-access-key "+user+" "+id+" --status Inactive")
}

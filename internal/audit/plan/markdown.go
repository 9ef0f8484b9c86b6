package plan

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// Markdown writes the plan for people who carry it out by hand: for each
// credential the commands of each stage, with the checks before the change.
func (p *Plan) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	o := &p.Options
	b.WriteString("# Plan of remediation\n\n")
	fmt.Fprintf(b, "%s. Warnings from %s, final warning %s later, deactivation %s after the first warning, deletion %s "+
		"after that%s. Nothing planned for was used within %s before its report.\n\n",
		words.Count(p.Total-p.More, "credential"), o.Start.Format(time.DateOnly), words.Count(o.FinalDays, "day"),
		words.Count(o.DeactivateDays, "day"), words.Count(o.DeleteDays, "day"),
		escape.Markdown(o.windows()), words.Count(o.KeepUsedDays, "day"))
	for i, problem := range p.Problems {
		if i == 0 {
			b.WriteString("## Incomplete\n\n")
		}
		fmt.Fprintf(b, "- %s\n", escape.Markdown(problem))
		if i == len(p.Problems)-1 {
			b.WriteByte('\n')
		}
	}
	for _, a := range p.Accounts {
		if len(a.Items) == 0 {
			continue
		}
		fmt.Fprintf(b, "## Account %s\n\nBy the report of %s from %s.\n\n",
			escape.Markdown(a.called()), words.Time(a.AsOf), escape.Markdown(a.Service.String()))
		for i := range a.Items {
			markdownItem(b, a, &a.Items[i])
		}
	}
	if p.More > 0 {
		fmt.Fprintf(b, "%s\n\n", p.more())
	}
	for _, reason := range Reasons {
		if p.Counts[reason] == 0 {
			continue
		}
		fmt.Fprintf(b, "## %s\n\n", strings.TrimSuffix(reason.heading(), ":"))
		for _, a := range p.Accounts {
			for _, l := range a.Left {
				if l.Reason == reason {
					fmt.Fprintf(b, "- %s\n", escape.Markdown(l.text()))
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
	fmt.Fprintf(b, "### %s\n\n", escape.Markdown(i.title()))
	for _, f := range i.Findings {
		fmt.Fprintf(b, "- %s %v, %v: %s\n", f.Control.ID, escape.Markdown(f.Status.String()), f.Severity,
			escape.Markdown(f.Reason.String()))
	}
	b.WriteByte('\n')
	for _, s := range i.Steps {
		fmt.Fprintf(b, "**%s**, not before %s", s.Stage, when(s))
		if s.Stage == Warn || s.Stage == Final {
			fmt.Fprintf(b, ": %s\n\n", escape.Markdown(i.message(a, s.Stage)))
			continue
		}
		look, change := i.Commands(a, s.Stage)
		b.WriteString(". Look first:\n\n```bash\n" + strings.Join(look, "\n") +
			"\n```\n\nand if all is as it must be:\n\n```bash\n" + change + "\n```\n\n")
	}
}

// cli returns the call of the AWS CLI for the service.
func (s Service) cli() string {
	cli := "aws"
	switch {
	case s.Known && s.Endpoint == "":
		cli = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true aws"
	case s.Known:
		cli += " " + option("--endpoint-url", s.Endpoint)
	}
	if s.Profile != "" {
		cli += " " + option("--profile", s.Profile)
	}
	return cli
}

// Commands returns the commands of a stage: the checks, with the expected
// results as comments, and the change, which is "" for a warning. Names are
// quoted for a shell.
func (i *Item) Commands(a *Account, stage Stage) (look []string, change string) {
	if stage == Warn || stage == Final {
		return nil, ""
	}
	cli := a.Service.cli()
	look = []string{
		"# must be " + a.Source.Account,
		cli + " sts get-caller-identity --query Account --output text",
	}
	if i.Credential.Kind == audit.Password {
		return i.passwordCommands(a, look)
	}
	user := option("--user-name", i.User)
	list := cli + " iam list-access-keys " + user +
		` --query "AccessKeyMetadata[?starts_with(CreateDate, '` + second(i) + `')].`
	id := i.keyOption()
	if i.KeyID == "" {
		look = append(look,
			"# must be one id: that of the key created "+i.Credential.Created.String(),
			"key=$("+list+`AccessKeyId" --output text)`,
			`[[ $key =~ ^[A-Z0-9]{16,128}$ ]] && echo "$key" || unset key`,
		)
		id = `--access-key-id="${key:?there is no one such key}"`
	}
	state := "Active, or somebody else has deactivated it"
	change = cli + " iam update-access-key " + user + " " + id + " --status Inactive"
	if stage == Delete {
		state, change = "Inactive", cli+" iam delete-access-key "+user+" "+id
	}
	return append(look,
		"# must be None, or before "+words.Time(a.Cutoff),
		cli+" iam get-access-key-last-used "+id+" --query AccessKeyLastUsed.LastUsedDate --output text",
		"# must be "+state,
		list+`Status" --output text`,
	), change
}

func (i *Item) passwordCommands(a *Account, look []string) ([]string, string) {
	cli, user := a.Service.cli(), option("--user-name", i.User)
	cutoff := "before " + words.Time(a.Cutoff)
	look = append(look,
		"# must be "+i.UserCreated.String()+" when the user was created, and None, or "+cutoff+
			", when the password was used",
		cli+" iam get-user "+user+" --query 'User.[CreateDate, PasswordLastUsed]' --output text",
		"# must be "+cutoff+", when the password was created",
		cli+" iam get-login-profile "+user+" --query LoginProfile.CreateDate --output text",
	)
	if i.mfaHelps {
		look = append(look, "# must be 0",
			cli+" iam list-mfa-devices "+user+" --query 'length(MFADevices)' --output text")
	}
	return look, cli + " iam delete-login-profile " + user
}

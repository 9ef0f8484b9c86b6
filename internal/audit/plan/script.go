package plan

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/grid"
	"rollcall/internal/words"
)

//go:embed prelude.bash
var prelude string

// Script writes the plan as a program for bash 3.2 or later. Without the name
// of a stage the program does nothing.
func (p *Plan) Script(w io.Writer, program string) error {
	s := &script{Plan: p, b: bufio.NewWriter(w)}
	s.head(program)
	s.comment("", "A credential that was used or created within this many days before a run is kept.")
	s.line("keep=%d", s.Options.KeepUsedDays)
	s.b.WriteString(prelude)
	s.window()
	for _, a := range p.Accounts {
		s.account(a)
	}
	s.dispatch()
	s.left()
	return s.b.Flush()
}

type script struct {
	*Plan
	b *bufio.Writer
}

func (s *script) line(format string, args ...any) {
	fmt.Fprintf(s.b, format+"\n", args...)
}

// comment writes lines of comment. No text can end a comment.
func (s *script) comment(indent, format string, args ...any) {
	for _, line := range grid.Wrap(escape.Printable(fmt.Sprintf(format, args...)), 100) {
		s.b.WriteString(strings.TrimRight(indent+"# "+line, " ") + "\n")
	}
}

func (s *script) head(program string) {
	o := &s.Options
	s.line("#!/usr/bin/env bash")
	s.comment("", "Plan of remediation, written by %s. Read it first. It does nothing unless it is run with --stage.",
		program)
	s.line("#")
	for _, a := range s.Accounts {
		if a.AsOf.IsZero() {
			continue // there is no report: Problems contains the reason
		}
		s.comment("", "Account %s: %s, by the report of %s from %s. Nothing here was used since %s.",
			a.called(), words.Count(len(a.Items), "credential"), words.Time(a.AsOf), a.Service, words.Time(a.Cutoff))
	}
	s.line("#")
	s.comment("", "warn from %s, final warning %s later, deactivate %s after the first, delete %s after that%s.",
		o.Start.Format(time.DateOnly), words.Count(o.FinalDays, "day"), words.Count(o.DeactivateDays, "day"),
		words.Count(o.DeleteDays, "day"), o.windows())
	for _, problem := range s.Problems {
		s.comment("", "INCOMPLETE: %s", problem)
	}
	if s.More > 0 {
		s.comment("", "%s", s.more())
	}
	s.line("")
}

func (a *Account) called() string {
	if a.Source.Name != "" {
		return a.Source.Account + " " + a.Source.Name
	}
	return a.Source.Account
}

// windows returns the change windows in words.
func (o *Options) windows() string {
	if len(o.Windows) == 0 {
		return ", at any time"
	}
	var all []string
	for _, w := range o.Windows {
		all = append(all, w.String())
	}
	return ", only " + strings.Join(all, " or ") + " " + o.Start.Location().String()
}

// window writes the function that checks the change windows.
func (s *script) window() {
	zone := s.Options.Start.Location().String()
	s.comment("", "window is true within the change windows%s.", s.Options.windows())
	s.line("window() {")
	s.line("  [[ -z $hurry ]] || return 0")
	if len(s.Options.Windows) > 0 {
		if zone != "UTC" {
			s.line("  if [[ ! -e /usr/share/zoneinfo/%s ]]; then refuse %s; return 1; fi", quote(zone),
				quote("this machine does not know the time zone "+zone))
		}
		s.line("  local day time")
		s.line("  read -r day time < <(TZ=%s date '+%%u %%H%%M')", quote(zone))
		for _, w := range s.Options.Windows {
			days := ""
			for i := range 7 {
				if w.Days[(i+1)%7] {
					days += fmt.Sprint(i + 1)
				}
			}
			s.line("  if [[ $day == [%s] ]] && (( 10#$time >= %d && 10#$time < %d )); then return 0; fi", days,
				clock(w.From), clock(w.To))
		}
		s.line("  later 'this is outside the change windows'")
	}
	s.line("}")
	s.line("")
}

// clock returns minutes of the day as a number from 0000 to 2400.
func clock(minutes int) int { return minutes/60*100 + minutes%60 }

func (s *script) account(a *Account) {
	if len(a.Items) == 0 {
		return
	}
	s.line("account_%s() {", a.Source.Account)
	s.line("  begin %s %s %s %s && ours || return", a.Source.Account, quote(escape.Printable(a.called())),
		quote(a.Service.word()), quote(a.Service.Profile))
	for i := range a.Items {
		s.line("  item_%s", a.Items[i].ID)
	}
	s.line("}")
	s.line("")
	for i := range a.Items {
		s.item(a, &a.Items[i])
	}
}

func (s *script) item(a *Account, i *Item) {
	s.comment("", "%s in account %s", i.title(), a.called())
	s.line("item_%s() {", i.ID)
	s.line("  item %s %s %s || return 0", i.ID, quote(i.User), quote(escape.Printable(what(i.Credential, i.KeyID))))
	for _, f := range i.Findings {
		s.line("  because %s", quote(escape.Printable(because(&f))))
	}
	s.line("  case $stage in")
	s.line("    '') say %s ;;", quote("  "+i.days()))
	for n, step := range i.Steps {
		s.step(a, i, n, step)
	}
	s.undo(i)
	s.line("  esac")
	s.line("}")
	s.line("")
}

// undo writes the commands that revert changes of the plan, and only those.
func (s *script) undo(i *Item) {
	s.line("    undo)")
	if i.Credential.Kind == audit.Password {
		s.line("      gone_for_good ;;")
		return
	}
	s.line("      undoable || return")
	s.line("      find_key %s %s %s || return", quote(i.User), second(i), quote(i.KeyID))
	s.line("      on_already || run aws iam update-access-key %s %s --status Active ;;",
		option("--user-name", i.User), i.keyOption())
}

// step writes the commands of a stage.
func (s *script) step(a *Account, i *Item, n int, step Step) {
	s.line("    %s)", step.Stage)
	s.line("      fresh || return 0")
	wait := ""
	if n > 0 {
		before := i.Steps[n-1]
		days := int(s.gap(i, step.Stage) / (24 * time.Hour))
		wait = fmt.Sprintf(" && after %s %d", before.Stage, days*24*60*60)
	}
	change := ""
	if step.Stage == Deactivate || step.Stage == Delete {
		change = " && window"
	}
	s.line("      due %s%s%s || return", words.Time(step.NotBefore), wait, change)
	for _, l := range s.deed(a, i, step) {
		s.line("      %s", l)
	}
	s.line("      ;;")
}

// gap returns the minimum time between the previous stage and a stage.
func (s *script) gap(i *Item, stage Stage) time.Duration {
	o := &s.Options
	days := 0
	switch {
	case stage == Final:
		days = o.FinalDays
	case stage == Deactivate:
		days = o.DeactivateDays - o.FinalDays
	case i.Inactive:
		days = max(o.DeleteDays-o.FinalDays, 1)
	default:
		days = o.DeleteDays
	}
	return time.Duration(days) * 24 * time.Hour
}

// deed returns the commands of a stage whose day has come.
func (s *script) deed(a *Account, i *Item, step Step) []string {
	if step.Stage == Warn || step.Stage == Final {
		return []string{"tell " + quote(escape.Printable(i.message(a, step.Stage))) + " " + quote(i.User)}
	}
	user := option("--user-name", i.User)
	cutoff := a.Cutoff.Format(form)
	if i.Credential.Kind == audit.Password {
		made, _ := i.UserCreated.Value()
		lines := []string{fmt.Sprintf("password_unused %s %s %s || return", quote(i.User), made.Format(form), cutoff)}
		if i.mfaHelps {
			lines = append(lines, "no_mfa "+quote(i.User)+" || return")
		}
		return append(lines, "run aws iam delete-login-profile "+user)
	}
	find := fmt.Sprintf("find_key %s %s %s || return", quote(i.User), second(i), quote(i.KeyID))
	unused := "key_unused " + cutoff + " " + second(i) + " || return"
	if step.Stage == Deactivate {
		return []string{
			find, unused,
			"off_already || run aws iam update-access-key " + user + " " + i.keyOption() + " --status Inactive",
		}
	}
	return []string{
		find, "must_be Inactive || return", unused,
		"run aws iam delete-access-key " + user + " " + i.keyOption(),
	}
}

// form is the form of a time to the second without a zone. Times of the AWS CLI
// begin with it.
const form = "2006-01-02T15:04:05"

func second(i *Item) string {
	made, _ := i.Credential.Created.Value()
	return made.Format(form)
}

// keyOption returns the option that names the key: by its id if it is known, or
// else by the id that the script found for the creation time.
func (i *Item) keyOption() string {
	if i.KeyID != "" {
		return option("--access-key-id", i.KeyID)
	}
	return `--access-key-id="$key"`
}

// dispatch writes the last part: it runs the steps of the account to which the
// present credentials belong, and skips the others.
func (s *script) dispatch() {
	none := true
	for _, a := range s.Accounts {
		if len(a.Items) > 0 {
			s.line("account_%s", a.Source.Account)
			none = false
		}
	}
	if none {
		s.line("say 'This plan is empty.'")
	}
	s.line("end")
}

// left lists the findings without a planned item as comments.
func (s *script) left() {
	for _, reason := range Reasons {
		if s.Counts[reason] == 0 {
			continue
		}
		s.line("")
		s.comment("", "%s", reason.heading())
		for _, a := range s.Accounts {
			for _, l := range a.Left {
				if l.Reason == reason {
					s.comment("", "- %s", l.text())
				}
			}
		}
		if n := s.beyond(reason); n > 0 {
			s.comment("", "- %d more", n)
		}
	}
}

// beyond returns the number of findings that are not listed.
func (p *Plan) beyond(reason Reason) int {
	return max(0, p.Counts[reason]-p.Options.Most)
}

package plan

import (
	"fmt"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/words"
)

// what returns a name of a credential for people.
func what(c audit.Credential, keyID string) string {
	switch c.Kind {
	case audit.Password:
		return "password"
	case audit.NoCredential:
		return ""
	}
	name := map[audit.CredentialKind]string{audit.AccessKey: "access key", audit.Certificate: "certificate"}[c.Kind]
	if keyID != "" {
		name += " " + keyID
	}
	if !c.Created.IsPresent() { // the creation time is unknown: name the place
		return fmt.Sprintf("%s %d, of an unknown date", name, c.Slot)
	}
	return name + " created " + c.Created.String()
}

// title returns the name of an item.
func (i *Item) title() string { return i.User + ", " + what(i.Credential, i.KeyID) }

// because returns a finding in one line: the control, its result and the
// reason.
func because(f *audit.Finding) string {
	return fmt.Sprintf("%s %s %v, %v: %s", f.Control.ID, f.Control.Name, f.Status, f.Severity, f.Reason)
}

// more says how many credentials are beyond the limit of the plan.
func (p *Plan) more() string {
	are := words.Count(p.More, "other credential") + " are"
	if p.More == 1 {
		are = "1 other credential is"
	}
	return are + " not in this plan. Carry this plan out, then write another one."
}

// days returns the days of an item's stages.
func (i *Item) days() string {
	var all []string
	for _, s := range i.Steps {
		all = append(all, string(s.Stage)+" "+when(s))
	}
	return strings.Join(all, ", ")
}

// when returns the day of a step, and the hour if it has one.
func when(s Step) string {
	if s.NotBefore.Hour() == 0 && s.NotBefore.Minute() == 0 {
		return s.NotBefore.Format(time.DateOnly)
	}
	return s.NotBefore.Format("Mon 2006-01-02 15:04")
}

// message returns the text for the owner of a credential.
func (i *Item) message(a *Account, stage Stage) string {
	used := "was never used"
	if at, ok := i.LastUsed.Value(); ok {
		used = "was last used on " + at.Format(time.DateOnly)
	}
	text := fmt.Sprintf("The %s of user %s in account %s %s.", what(i.Credential, i.KeyID), i.User, a.called(), used)
	off, ok := i.step(Deactivate)
	gone, deleted := i.step(Delete)
	switch {
	case ok && deleted:
		text += fmt.Sprintf(" It will be deactivated on %s, and deleted on %s.", off.NotBefore.Format(time.DateOnly),
			gone.NotBefore.Format(time.DateOnly))
	case ok:
		text += fmt.Sprintf(" It will be removed on %s.", off.NotBefore.Format(time.DateOnly))
	default:
		text += fmt.Sprintf(" It is inactive, and will be deleted on %s.", gone.NotBefore.Format(time.DateOnly))
	}
	if i.mfaHelps {
		text += " Add an MFA device, and it stays."
	} else {
		text += " If it is needed, say so before."
	}
	if stage == Final {
		text = "Final warning. " + text
	}
	return text + " Why: " + i.controls() + "."
}

// controls returns the findings of an item in a few words.
func (i *Item) controls() string {
	var all []string
	for _, f := range i.Findings {
		all = append(all, string(f.Control.ID)+" "+f.Control.Name)
	}
	return strings.Join(all, ", ")
}

// heading returns the heading of the findings with a reason.
func (r Reason) heading() string {
	switch r {
	case Root:
		return "Of root, for a person:"
	case Person:
		return "For a person, because no command can tell what is right:"
	case Kept:
		return "Kept:"
	default:
		return "Excused by exceptions:"
	}
}

// text returns a finding that the plan does not act on, in a sentence or two.
func (l *Left) text() string {
	who := l.User
	if who == "" {
		who = "the account"
	}
	if l.Account != "" {
		who = l.Account + ", " + who
	}
	if c := what(l.Credential, ""); c != "" {
		who += ", " + c
	}
	var ids []string
	for _, f := range l.Findings {
		ids = append(ids, string(f.Control.ID)+" "+f.Control.Name)
	}
	return who + " (" + strings.Join(ids, ", ") + "): " + l.Why
}

// Short returns the text that follows the number of findings with a reason.
func (r Reason) Short() string {
	return map[Reason]string{Root: "of root", Person: "for a person", Kept: "kept", Excused: "excused"}[r]
}

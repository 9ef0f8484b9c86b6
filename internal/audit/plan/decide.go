package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/lazyregexp"
	"rollcall/internal/words"
	"rollcall/report"
)

// target is a credential of a row with its findings.
type target struct {
	credential audit.Credential
	findings   []audit.Finding
}

// decision decides about one row.
type decision struct {
	plan    *Plan
	row     *report.Row
	targets []target
}

// Row decides about a row of the current report. It keeps nothing of the row
// after the call.
func (p *Plan) Row(row *audit.Row) error {
	if row.Report != nil {
		p.account().learn(row.Report)
	}
	var open, excused []audit.Finding
	for _, f := range row.Findings {
		switch {
		case f.Status != audit.Fail && f.Status != audit.Warn:
		case f.Suppressed:
			excused = append(excused, f)
		default:
			open = append(open, f)
		}
	}
	for _, f := range excused {
		p.leave(leftOf(f, Excused, "The exception "+f.Exception+" excuses it."))
	}
	if row.Report == nil {
		for _, f := range open {
			reason := Person
			if f.Class == audit.ClassRoot {
				reason = Root
			}
			p.leave(leftOf(f, reason, f.Control.Remediation))
		}
		return nil
	}
	if row.Report.IsRoot() {
		for _, f := range open {
			p.leave(leftOf(f, Root, "Nothing of root is automated. "+f.Control.Remediation))
		}
		return nil
	}
	d := decision{plan: p, row: row.Report}
	d.assign(open)
	for i := range d.targets {
		d.decide(&d.targets[i])
	}
	return nil
}

func leftOf(f audit.Finding, reason Reason, why string) Left {
	return Left{Reason: reason, User: f.User, Credential: f.Credential, Findings: []audit.Finding{f}, Why: why}
}

// assign assigns each finding to the credential that must be removed for it. A
// person must decide about the others.
func (d *decision) assign(open []audit.Finding) {
	for _, f := range open {
		switch f.Control.ID {
		case audit.KeyUnused, audit.KeyAge, audit.KeyAtSetup, audit.LeftoverKey, audit.PasswordUnused:
			d.give(f.Credential, f)
		case audit.ConsoleMFA:
			d.give(audit.Credential{Kind: audit.Password}, f)
		}
	}
	for _, f := range open {
		switch f.Control.ID {
		case audit.OneActiveKey:
			d.secondKey(f)
		case audit.KeyUnused, audit.KeyAge, audit.KeyAtSetup, audit.LeftoverKey, audit.PasswordUnused, audit.ConsoleMFA:
		case audit.SigningCertificate:
			d.plan.leave(leftOf(f, Person,
				"A report does not say when a signing certificate was last used. "+f.Control.Remediation))
		default:
			d.plan.leave(leftOf(f, Person, f.Control.Remediation))
		}
	}
}

func (d *decision) give(c audit.Credential, f audit.Finding) {
	for i := range d.targets {
		if d.targets[i].credential == c {
			d.targets[i].findings = append(d.targets[i].findings, f)
			return
		}
	}
	d.targets = append(d.targets, target{c, []audit.Finding{f}})
}

// secondKey decides which of two active keys to remove: one that is removed
// anyway, or else the one that was unused for longer.
func (d *decision) secondKey(f audit.Finding) {
	if f.Status == audit.Warn {
		d.plan.leave(leftOf(f, Person, "The user's keys seem to be in rotation: see that it comes to an end."))
		return
	}
	for i := range d.targets {
		c := d.targets[i].credential
		if c.Kind == audit.AccessKey && d.recent(d.keyUse(c.Slot)) == "" {
			d.targets[i].findings = append(d.targets[i].findings, f)
			return
		}
	}
	first, second := d.keyUse(1), d.keyUse(2)
	x, known := first.at.Unix()
	y, alsoKnown := second.at.Unix()
	slot := 1
	switch {
	case !known || !alsoKnown || x == y:
		d.plan.leave(leftOf(f, Person, "The report does not say which of the two keys is in use."))
		return
	case y < x:
		slot = 2
	}
	// This key may have several findings.
	d.give(keyOf(d.row, slot), f)
}

func keyOf(row *report.Row, slot int) audit.Credential {
	mine, other := row.Keys[slot-1].LastRotated, row.Keys[2-slot].LastRotated
	return audit.Credential{Kind: audit.AccessKey, Slot: slot, Created: mine, Tied: mine.IsPresent() && mine == other}
}

// use is the last use of a credential. If it was never used, it is the time of
// its creation or change. at is absent if it is unknown.
type use struct {
	at  report.Time
	was string // the event: used, created or set
}

func (d *decision) keyUse(slot int) use {
	k := &d.row.Keys[slot-1]
	if never(k.LastUsed) {
		return use{k.LastRotated, "created"}
	}
	return use{k.LastUsed, "used"}
}

func (d *decision) passwordUse() use {
	r := d.row
	switch {
	case !never(r.PasswordLastUsed):
		return use{r.PasswordLastUsed, "used"}
	case r.PasswordLastChanged.IsPresent():
		return use{r.PasswordLastChanged, "set"}
	}
	return use{r.Created, "set, or its user created,"}
}

// never reports whether an absent value says that there was no such time, in
// contrast to an uninformative one.
func never(t report.Time) bool {
	return t.Absence() == report.NotApplicable || t.Absence() == report.NoInformation
}

// recent returns the reason why a credential with this last use must be kept,
// "" if it need not be.
func (d *decision) recent(last use) string {
	at, ok := last.at.Value()
	switch {
	case !ok:
		return "The report does not say when it was last used."
	case at.Before(d.plan.account().Cutoff):
		return ""
	}
	return fmt.Sprintf("It was %s on %s, less than %s before the report.", last.was, at.Format(time.DateOnly),
		words.Count(d.plan.Options.KeepUsedDays, "day"))
}

// userName matches the names that IAM allows for users.
var userName = lazyregexp.New(`^[\w+=,.@-]{1,128}$`)

// accountID matches the number of an account.
var accountID = lazyregexp.New(`^[0-9]{12}$`)

// keyID matches the ids of access keys.
var keyID = lazyregexp.New(`^[A-Z0-9]{16,128}$`)

// decide plans the removal of a credential, or returns the reason against it.
func (d *decision) decide(t *target) {
	item := Item{User: d.row.User, ARN: d.row.ARN, UserCreated: d.row.Created,
		Credential: t.credential, Findings: t.findings}
	reason, why := d.breakGlass()
	switch {
	case why != "":
	case !accountID.MatchString(d.plan.account().Source.Account):
		why = "The report does not name the account."
	case !userName.MatchString(d.row.User):
		why = "IAM allows no user to have this name: somebody changed the report, or it is damaged."
	case d.plan.account().AsOf.IsZero():
		why = "The time the report was generated is not known."
	case changed(item.Findings) != "":
		why = changed(item.Findings)
	case t.credential.Kind == audit.Password:
		why = d.password(&item)
	default:
		why = d.key(&item)
	}
	if why != "" {
		d.plan.leave(Left{Reason: reason, User: item.User, Credential: item.Credential,
			Findings: item.Findings, Why: why})
		return
	}
	d.plan.add(item)
}

// breakGlassName matches common names of users for emergencies. Their
// credentials are unused until nothing else works.
var breakGlassName = lazyregexp.New(`(?i)break[^a-z0-9/]?glass|emergenc|fire[^a-z0-9/]?call`)

// breakGlass returns the reason why nothing is planned for a user: the user is
// for emergencies, or has such a name or path and nobody has classified the
// user.
func (d *decision) breakGlass() (Reason, string) {
	classes := &d.plan.Options.Classes
	switch {
	case classes.Of(d.row) == audit.ClassBreakGlass:
		return Kept, "The configuration says that it is a break-glass user."
	case !classes.Named(d.row) && (breakGlassName.MatchString(d.row.User) || breakGlassName.MatchString(d.row.Path())):
		if !slices.Contains(d.plan.Unclassified, d.row.User) {
			d.plan.Unclassified = append(d.plan.Unclassified, d.row.User)
		}
		return Person, "Its name or path looks like that of a break-glass user. Classify it in --config: " +
			"as break_glass it is kept, as human or machine it is planned for."
	}
	return Kept, ""
}

// changed returns the difference between a user and the one in the report,
// according to enrichment, "" for none.
func changed(findings []audit.Finding) string {
	for _, f := range findings {
		if f.Facts == nil && f.Note != "" {
			return f.Note
		}
	}
	return ""
}

// learn sets the account's number from a row if it is unknown.
func (a *Account) learn(row *report.Row) {
	if a.Source.Account == "" {
		a.Source.Account = row.AccountID()
	}
}

// key completes the item of an access key, or returns the reason why it is
// kept.
func (d *decision) key(item *Item) (why string) {
	c := item.Credential
	key := &d.row.Keys[c.Slot-1]
	item.Inactive, item.LastUsed = key.Active.IsFalse(), key.LastUsed
	switch {
	case !c.Created.IsPresent():
		return "The report does not say when it was created, so nothing distinguishes it from another key."
	case c.Tied:
		return "The user's two keys were created in the same second: the report does not say which one is meant."
	}
	if recent := d.recent(d.keyUse(c.Slot)); recent != "" {
		if d.only(item, audit.KeyAge) {
			recent += " Replace it with a new key, and plan again when this one has not been used for " +
				"that long."
		}
		return recent
	}
	return item.enrich()
}

// enrich adds the key's id if enrichment has it, or returns the reason why the
// key is kept.
func (i *Item) enrich() (why string) {
	for _, f := range i.Findings {
		if f.Facts == nil || f.Facts.Keys == nil {
			continue
		}
		var ids []string
		for _, key := range f.Facts.Keys {
			if made, ok := i.Credential.Created.Value(); ok && made.Unix() == key.Created.Unix() {
				ids = append(ids, key.ID)
			}
		}
		switch {
		case len(ids) == 0:
			return "It was deleted after the report was generated."
		case len(ids) > 1:
			return "The keys " + strings.Join(ids, " and ") +
				" were created in the same second: the report does not say which one is meant."
		case !keyID.MatchString(ids[0]):
			return "Its id is not valid."
		}
		i.KeyID = ids[0]
		return ""
	}
	return ""
}

// password completes the item of a password, or returns the reason why it is
// kept.
func (d *decision) password(item *Item) (why string) {
	item.LastUsed = d.row.PasswordLastUsed
	item.mfaHelps = d.only(item, audit.ConsoleMFA)
	switch {
	case !d.row.PasswordEnabled.IsTrue():
		return "The report does not say whether there is a password."
	case !d.row.Created.IsPresent():
		return "The report does not say when the user was created, so nothing distinguishes it from another one of " +
			"that name."
	}
	recent := d.recent(d.passwordUse())
	if recent != "" && item.mfaHelps {
		recent += " Have the user add an MFA device."
	}
	return recent
}

// only reports whether all findings of an item belong to one control.
func (d *decision) only(item *Item, id audit.ControlID) bool {
	return !slices.ContainsFunc(item.Findings, func(f audit.Finding) bool { return f.Control.ID != id })
}
